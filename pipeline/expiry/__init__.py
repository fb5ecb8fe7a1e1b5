"""Cancels orders whose payment does not come in time."""
