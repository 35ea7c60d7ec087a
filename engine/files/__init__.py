"""Files: where they are, writing them whole, and reading what others wrote without believing it."""
