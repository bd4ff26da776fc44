pytest_plugins = ["tests.plugin", "tests.plugin_report", "tests.servers.plugin"]
