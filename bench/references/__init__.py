"""Index selection algorithms of others, implemented from their papers as opponents of our own."""
