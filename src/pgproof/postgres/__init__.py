"""The wire: the only room that talks to PostgreSQL servers, the user's and our own."""
