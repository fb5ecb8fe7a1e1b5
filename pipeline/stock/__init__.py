"""Tells every movement of stock, and keeps a product's `in_stock` true."""
