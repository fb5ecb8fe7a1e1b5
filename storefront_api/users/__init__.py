"""Accounts: who a shopper is, how they sign in, and where they live."""
