"""Keeping the interpreter from ending while compiled code is at work in a daemon thread."""

import contextlib
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def kept_running() -> Iterator[None]:
    """Within the block, or the function that it decorates, the interpreter does not end.

    It ends daemons by unwinding them, and where that meets C++, as when torch is imported or a network is
    loaded, the process is aborted. A thread that is none waits as long as the block takes: for that one the
    interpreter waits.
    """
    if not threading.current_thread().daemon:
        yield
        return
    over = threading.Event()
    keeper = threading.Thread(target=over.wait, name="alrakis-keeper", daemon=False)
    with contextlib.suppress(RuntimeError):  # no thread is to be had, or the interpreter is ending already
        keeper.start()
    try:
        yield
    finally:
        over.set()
