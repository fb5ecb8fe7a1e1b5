"""Load through the edge: personas, scenarios, and one runner for command line and console."""
