"""Carts and orders: what a shopper means to buy, and the one transaction that sells it."""
