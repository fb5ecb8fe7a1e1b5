"""The AWS emulator: ministack with a state that survives, AWS's pace, and what it does slowly done
quickly. Each module replaces one thing before ministack serves."""
