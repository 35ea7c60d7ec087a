"""Micro-benchmarks, run with `pytest bench/`."""
