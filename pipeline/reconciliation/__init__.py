"""Compares the aggregates with the lake, hour by hour: shows, explains and repairs what differs."""
