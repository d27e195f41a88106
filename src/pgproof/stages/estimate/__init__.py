"""What the planner expects of indexes before anybody waits for them: cost, never time."""
