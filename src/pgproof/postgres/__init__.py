"""The wire: everything that talks to a PostgreSQL server, or starts one; the sole importer of psycopg."""
