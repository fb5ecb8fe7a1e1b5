"""Lands every record of the event stream in the lake: raw Parquet, or quarantine with a reason."""
