"""One run of the benchmark: what is planned, and measuring it."""
