"""Sequences in flight: any number of them, each at its own step, over one set of networks."""
