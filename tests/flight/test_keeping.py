"""The interpreter does not end while a daemon is in a block that is kept running."""

import threading
from pathlib import Path

from alrakis.flight.keeping import kept_running
from tests.processes import run_python


def keepers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "alrakis-keeper"]


def test_a_daemon_is_waited_for_and_nobody_else(tmp_path: Path) -> None:
    program = """
        import threading, time
        from alrakis.flight.keeping import kept_running
        begun = threading.Event()

        def work():
            with kept_running():
                begun.set()
                time.sleep(0.3)
                print("done", flush=True)
            time.sleep(60)

        threading.Thread(target=work, daemon=True).start()
        begun.wait()
    """
    out, said = (process := run_python(program, tmp_path)).communicate()
    assert (process.returncode, out, said) == (0, "done\n", "")


def test_a_keeper_lives_as_long_as_the_block_and_for_daemons_alone() -> None:
    with kept_running():
        assert not keepers(), "who is waited for needs none"
    seen: list[list[threading.Thread]] = []

    @kept_running()
    def work() -> None:
        seen.append(keepers())

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join()
    ((keeper,),) = seen
    assert not keeper.daemon
    keeper.join()
    assert not keepers()
