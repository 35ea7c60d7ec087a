"""The demo voice in the package: its weights and its text encoder."""
