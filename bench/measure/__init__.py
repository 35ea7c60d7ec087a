"""What is measured beside time: the machine, memory, energy, accuracy."""
