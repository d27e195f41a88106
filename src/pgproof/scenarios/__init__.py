"""Real workloads that ship with the product: SQL text and statements, no server in sight."""

from pgproof.scenarios.cases import SCENARIOS, load_scenario
from pgproof.scenarios.scenario import Scenario, read_schema_sql, read_workload_spec, render_data_sql

__all__ = [
    "SCENARIOS",
    "Scenario",
    "load_scenario",
    "read_schema_sql",
    "read_workload_spec",
    "render_data_sql",
]
