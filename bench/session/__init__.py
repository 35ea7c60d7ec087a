"""One run: its plan, its measuring and its progress."""
