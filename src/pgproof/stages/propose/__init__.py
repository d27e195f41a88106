"""What might make the workload faster: candidates and variants, from values alone."""
