"""Data only: events, keys, names, money, ids, errors. Imports the standard library and pydantic."""
