"""The search for the fastest config on this machine."""
