"""Learns from the curated tables what shoppers buy together and look for."""
