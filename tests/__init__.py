"""Tests are one package, so that they share writers: `from tests.checkpoints import ...`."""
