"""The console's only readers, one file per source; every call is bounded in time."""
