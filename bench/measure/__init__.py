"""What is measured besides time: the machine, its memory and energy, and accuracy."""
