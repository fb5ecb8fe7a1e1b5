"""Turns raw files into the curated tables that people query."""
