"""The process that something was made in: one that is forked from it has none of its threads."""

import os

from alrakis.errors import BackendError


class Origin:
    """The process of now. In one that is forked from it, locks of its other threads may be held for ever."""

    def __init__(self) -> None:
        self._process = os.getpid()

    @property
    def left(self) -> bool:
        """Whether this is another process now."""
        return os.getpid() != self._process

    def check(self) -> None:
        """Raises BackendError in another process."""
        if self.left:
            raise BackendError(
                "this engine was made before the process was forked, and its threads stayed behind: make an "
                "engine in each process, or start processes with multiprocessing's 'spawn'"
            )
