"""Takes the money for an order, once."""
