"""Synthetic rows from statistics alone: facts about tables in, columns of values out. Pure."""
