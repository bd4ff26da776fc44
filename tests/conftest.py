"""What holds for the tests of all folders."""

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.plugin", "tests.plugin_report", "tests.servers.plugin"]

# The machine is shared and an example may wait for its turn: no deadlines.
settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")
