"""Benchmarks: scenarios, targets, statistics and reports."""
