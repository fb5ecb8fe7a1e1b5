"""What a trace says: its steps, where its time goes, and the map that many traces draw."""
