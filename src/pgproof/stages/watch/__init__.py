"""Watch: what became of a workload after a change, or by itself."""
