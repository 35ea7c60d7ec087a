"""The demo voice inside the package: its weights, and how it reads English."""
