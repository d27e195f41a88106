"""Reports: the same nouns as text on a terminal and as one HTML page."""
