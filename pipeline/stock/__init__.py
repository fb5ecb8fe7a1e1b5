"""Keeps a product's `in_stock` true when one of its SKUs runs out or comes back."""
