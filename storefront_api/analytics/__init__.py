"""Browser events in, sales reports out."""
