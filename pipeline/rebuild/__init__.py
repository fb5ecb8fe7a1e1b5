"""Computes every aggregate anew from the raw lake, beside the live ones, and swaps them in."""
