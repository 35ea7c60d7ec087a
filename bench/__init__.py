"""Measuring: scenarios, targets, statistics, reports."""
