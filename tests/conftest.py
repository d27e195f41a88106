pytest_plugins = ["pgproof.testing.pytest_plugin"]
