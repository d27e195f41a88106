"""Which settings a clone has to follow."""

from pgproof.model.relation import Setting
from pgproof.stages.estimate.planner_settings import planner_settings
from tests.unit.propose.builders import catalog


def test_only_planner_settings_that_were_set() -> None:
    settings = [
        Setting("work_mem", "65536", "kB", "configuration file"),
        Setting("random_page_cost", "1.1", "", "database"),
        Setting("enable_nestloop", "off", "", "user"),
        Setting("seq_page_cost", "1", "", "default"),
        Setting("shared_buffers", "16384", "8kB", "configuration file"),
        Setting("log_min_duration_statement", "100", "ms", "configuration file"),
    ]
    assert planner_settings(catalog(settings=settings)) == {
        "enable_nestloop": "off",
        "random_page_cost": "1.1",
        "work_mem": "65536",
    }
