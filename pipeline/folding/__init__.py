"""Folds the event stream into the aggregates of the analytics table, exactly once per event."""
