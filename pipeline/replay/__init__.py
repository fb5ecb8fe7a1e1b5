"""Streams the real order log through the pipeline and accounts for every row of it."""
