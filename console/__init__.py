"""The operations console: what the shop earns, how its machinery is, and whether it is proven."""
