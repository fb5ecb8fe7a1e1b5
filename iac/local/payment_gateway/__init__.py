"""A card gateway as a company of its own would run it: simulated, reached only through HTTP."""
