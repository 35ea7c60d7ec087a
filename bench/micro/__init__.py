"""Single parts by pytest-benchmark: `pytest bench/`."""
