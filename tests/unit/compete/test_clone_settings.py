"""Which of the target's settings a clone has to follow."""

from pgproof.model.relation import Setting
from pgproof.stages.compete.clone_settings import settings_to_copy
from tests.builders import catalog


def test_only_what_somebody_set_and_what_decides_plans_or_meaning() -> None:
    settings = [
        Setting("enable_nestloop", "off", "", "user"),
        Setting("log_min_duration_statement", "100", "ms", "configuration file"),
        Setting("max_connections", "100", "", "default"),
        Setting("random_page_cost", "1.1", "", "database"),
        Setting("seq_page_cost", "1", "", "default"),
        Setting("shared_buffers", "16384", "8kB", "configuration file"),
        Setting("statement_timeout", "30000", "ms", "session"),
        Setting("TimeZone", "Europe/Berlin", "", "configuration file"),
        Setting("work_mem", "65536", "kB", "configuration file"),
    ]
    copied = {setting.name: setting.value for setting in settings_to_copy(catalog(settings=settings))}
    assert copied == {
        "enable_nestloop": "off",
        "max_connections": "100",
        "random_page_cost": "1.1",
        "TimeZone": "Europe/Berlin",
        "work_mem": "65536",
    }
