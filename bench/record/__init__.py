"""Results: their file format, their statistics, and the ways to show and compare them."""
