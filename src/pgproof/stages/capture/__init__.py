"""Where a workload comes from: statements of a server, files, and values from live rows."""
