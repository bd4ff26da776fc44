"""What holds for the tests of all folders."""

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.plugin", "tests.plugin_report", "tests.servers.plugin"]

# The machine is shared and an example may wait for its turn: no deadlines. The same examples each time, so
# that a change fails for what it changed; `--hypothesis-profile=explore` looks for others.
tests = settings(derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("tests", tests)
settings.register_profile("explore", tests, derandomize=False, print_blob=True)
settings.load_profile("tests")
