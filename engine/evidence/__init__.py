"""What was measured on machines like this one, and on this one: what `auto` goes by on CPUs."""
