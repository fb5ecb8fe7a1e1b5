"""Tells the shopper what became of an order, once per state."""
