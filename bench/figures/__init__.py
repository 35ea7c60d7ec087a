"""The tables of docs/performance.md, each with the command that prints it."""
