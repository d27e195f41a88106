"""What an index could do for one access of one statement: a file for each kind of index."""
