"""Measuring how much exported graphs differ from fp32 over the same tokens."""
