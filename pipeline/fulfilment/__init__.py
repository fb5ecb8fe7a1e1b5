"""Packs, ships and delivers what is paid."""
