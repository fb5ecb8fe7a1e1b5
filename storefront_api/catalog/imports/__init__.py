"""Goods by the hundred thousand: a file becomes a job, which any replica carries on."""
