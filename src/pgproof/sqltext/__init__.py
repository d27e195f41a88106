"""Reading and writing SQL text; the sole importer of the SQL parser."""
