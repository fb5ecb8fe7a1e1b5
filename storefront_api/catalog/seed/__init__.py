"""The goods a fresh shop opens with; where they come from is in docs/data.md."""
