"""A target's schema, statistics, settings and file lengths in a server of our own, without one row."""
