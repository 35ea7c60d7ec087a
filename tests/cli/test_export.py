"""`alrakis export` as a person uses it: alone, twice at once, killed, on full disks."""

import os
import re
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from alrakis.spec import STAGES
from tests.cli.programs import Ended, Run, Terminal, alrakis_process, command, environment, refused

TINY = ["export", "--weights", "synthetic-tiny", "--precision", "int8"]
PARTS = [*STAGES, "codec"]
pytestmark = pytest.mark.usefixtures("cache")
ROW = re.compile(r"^(text|coarse|fine|codec) +(fp32|int8|int4) +[\d.]+ MB  (\S+)$", re.MULTILINE)


def folders(ended: Ended) -> dict[str, Path]:
    """The folder of each part, as it was printed."""
    assert ended.code == 0, ended.err
    return {part: Path(folder) for part, _, folder in ROW.findall(ended.out)}


def entries(cache: Path) -> list[str]:
    """What is in a cache: artifacts, and what should not be; locks are nothing."""
    if not cache.exists():
        return []
    return sorted(path.name for path in cache.iterdir() if path.suffix != ".lock")


def test_all_parts_are_exported_and_said_to_be(run: Run, cache: Path) -> None:
    made = run(*TINY)
    assert list(folders(made)) == PARTS
    assert sorted(path.name for path in folders(made).values()) == entries(cache)
    assert made.err.count("exported ") == len(PARTS)
    again = run(*TINY)
    assert (again.out, again.err) == (made.out, "")


def test_a_terminal_shows_bars(here: Path) -> None:
    shown = Terminal("export", "--weights", "demo", "--precision", "int8", folder=here).read_to_end()
    for stage in STAGES:
        assert f"exporting {stage} (int8): " in shown
    assert "measuring" not in shown, "the demo's exports need none"


def test_quiet_is_quiet(here: Path) -> None:
    say = ["say", "one", "--weights", "synthetic-tiny", "--config", "cpu-int8", "--max-duration", "0.2", "-q"]
    assert Terminal(*say, folder=here).read_to_end() == ""
    assert (here / "out.wav").is_file()


def test_a_precision_alone_is_the_cpu_config_of_that_name(run: Run) -> None:
    for precision in ("fp32", "int8", "int4"):
        by_precision = run("export", "--weights", "synthetic-tiny", "--precision", precision)
        by_config = run("export", "--weights", "synthetic-tiny", "--config", f"cpu-{precision}")
        assert folders(by_precision) == folders(by_config)
        assert precision in by_precision.out


def test_what_was_exported_is_what_say_runs(run: Run, cache: Path) -> None:
    run(*TINY)
    say = ["say", "one two", "--weights", "synthetic-tiny", "--max-duration", "0.2", "--seed", "1"]
    said = run(*say, "--config", "cpu-int8", "--set", "threads=1")
    assert said.code == 0, said.err
    assert "exported" not in said.err


def test_a_folder_of_one_s_own(run: Run, here: Path, cache: Path) -> None:
    made = run(*TINY, "-o", "out")
    assert {path.parent for path in folders(made).values()} == {Path("out")}
    assert not cache.exists()
    say = ["say", "one two", "--weights", "synthetic-tiny", "--max-duration", "0.2", "--config", "cpu-int8"]
    said = run(*say, "--set", "threads=1", "--set", "artifacts=out")
    assert said.code == 0, said.err
    assert not cache.exists()


def test_damage_in_a_folder_of_one_s_own_is_told_and_left(run: Run, here: Path) -> None:
    made = run(*TINY, "-o", "out")
    path = folders(made)["fine"] / "fine.bin"
    os.truncate(path, 100)
    checked = run(*TINY, "-o", "out", "--check")
    assert checked.code == 1
    assert f"{path} has 100 bytes" in checked.err
    assert path.stat().st_size == 100
    said = run("say", "one", "--weights", "synthetic-tiny", "--config", "cpu-int8", "--set", "artifacts=out")
    assert said.code == 1
    assert str(path) in said.err
    mended = run(*TINY, "-o", "out")
    assert "made again" in mended.err
    assert run(*TINY, "-o", "out", "--check").code == 0


def test_check_finds_and_mends_a_flipped_bit_in_the_cache(run: Run) -> None:
    path = folders(run(*TINY))["text"] / "tokens.npy"
    whole = path.read_bytes()
    changed = bytearray(whole)
    changed[len(whole) // 2] ^= 1
    path.write_bytes(changed)
    checked = run(*TINY, "--check")
    assert checked.code == 0
    assert f"{path} has been changed" in checked.err
    assert path.read_bytes() == whole
    assert run(*TINY, "--check").err == ""


def test_check_of_a_folder_that_is_not_there(run: Run) -> None:
    checked = run(*TINY, "-o", "nowhere", "--check")
    assert checked.code == 1
    assert "nowhere holds nothing for text (int8)" in checked.err


def test_verify_prints_the_report_and_info_shows_it(run: Run) -> None:
    verified = run("export", "--weights", "demo", "--precision", "int8", "--verify", "--set", "threads=1")
    assert verified.code == 0
    assert verified.out.count("top-1 agreement") == len(STAGES)
    assert verified.out.count("worst layer of ") >= len(STAGES)
    figures = [line.strip() for line in verified.out.splitlines() if "top-1" in line]
    shown = run("info").out
    assert all(line in shown for line in figures)
    again = run("export", "--weights", "demo", "--precision", "int8", "--verify", "--set", "threads=1")
    assert "exported" not in again.err
    assert again.out.count("top-1 agreement") == len(STAGES)


def test_synthetic_weights_are_measured_only_when_asked(run: Run) -> None:
    assert "top-1" not in run(*TINY).out
    assert "top-1" not in run("info").out
    assert run(*TINY, "--verify").out.count("top-1 agreement") == len(STAGES)
    assert "top-1" in run("info").out


def test_clean_removes_what_was_exported_and_nothing_else(run: Run, here: Path, cache: Path) -> None:
    run(*TINY)
    (cache / ".text-int8-0123456789abcdef.12345678.part").mkdir()
    shutil.copytree(folders(run(*TINY))["fine"], cache / "mine")
    cleaned = run("export", "--clean")
    assert cleaned.code == 0
    assert cleaned.out.startswith(f"removed {len(PARTS)} artifacts (")
    assert entries(cache) == ["mine"]
    assert run("export", "--clean").out.startswith("removed 0 artifacts")
    (here / "photos").mkdir()
    (here / "photos" / "cat.jpg").write_bytes(b"")
    assert run("export", "--clean", "-o", "photos").code == 0
    assert (here / "photos" / "cat.jpg").exists()


# wrong use


def test_what_needs_no_export(run: Run) -> None:
    refused(run("export", "--weights", "demo", "--config", "torch-fp32"), "runs on torch", "--precision")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--precision", "int3"],
        ["--verify", "--check"],
        ["--clean", "--check"],
        ["--weights", "nothing"],
        ["--clean", "-o", "nowhere"],
        ["--set", "precison=int8"],
    ],
)
def test_mistakes(run: Run, arguments: list[str]) -> None:
    refused(run("export", *arguments))


def test_a_place_that_cannot_be_written(run: Run, here: Path) -> None:
    (here / "file").write_bytes(b"")
    ended = run(*TINY, "-o", "file/out")
    assert ended.code == 1
    assert "cannot export into file/out: Not a directory" in ended.err


# as processes of their own


def start(folder: Path, **changes: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        command(*TINY),
        cwd=folder,
        env=environment(**changes),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_two_at_once_export_each_part_once(here: Path, cache: Path) -> None:
    both = [start(here) for _ in "ab"]
    said = [process.communicate() for process in both]
    ended = [Ended(process.returncode, *each) for process, each in zip(both, said, strict=True)]
    assert folders(ended[0]) == folders(ended[1])
    told = ended[0].err + ended[1].err
    assert sorted(re.findall(r"exported (\w+) ", told)) == sorted(PARTS)
    assert len(entries(cache)) == len(PARTS)
    assert alrakis_process(*TINY, "--check", folder=here).err == ""


def test_one_that_is_killed_leaves_nothing_in_the_way(here: Path, cache: Path) -> None:
    while True:
        process = start(here)
        while process.poll() is None and not list(cache.glob(".*.part/*")):
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        if list(cache.glob(".*.part")):
            break
        shutil.rmtree(cache)  # it was done before it was killed: once more
    ended = alrakis_process(*TINY, folder=here)
    assert list(folders(ended)) == PARTS
    assert "waiting" not in ended.err
    assert len(entries(cache)) == len(PARTS)
    assert alrakis_process(*TINY, "--check", folder=here).err == ""


def test_ctrl_c_leaves_nothing(here: Path, cache: Path) -> None:
    while True:
        process = start(here)
        while process.poll() is None and not list(cache.glob(".*.part/*")):
            time.sleep(0.002)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate()
        if process.returncode == 130:
            break
        shutil.rmtree(cache)
    assert err.endswith("alrakis: stopped\n")
    assert not [name for name in entries(cache) if name.endswith(".part")]


SAY = [
    *("say", "one", "--weights", "synthetic-tiny", "--config", "cpu-int8"),
    *("--set", "threads=1", "--max-duration", "0.2"),
]


def test_files_that_cannot_grow_are_an_error_and_leave_nothing(here: Path, cache: Path) -> None:
    """What a full disk does: writing fails in the middle of a file."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, 2**20))

    temporary = here / "temporary"
    temporary.mkdir()
    exported = alrakis_process(*TINY, folder=here, before=limit, TMPDIR=str(temporary))
    said = alrakis_process(*SAY, folder=here, before=limit, TMPDIR=str(temporary))
    for ended in (exported, said):
        assert ended.code == 1, ended.err
        assert "File too large" in ended.err
        assert "Traceback" not in ended.err
    assert f"cannot export into {cache}" in exported.err
    assert "nor a temporary folder can take it" in said.err
    assert "Set ALRAKIS_CACHE" in said.err
    assert entries(cache) == []
    assert not list(temporary.glob("alrakis-*"))
    assert not (here / "out.wav").exists()


IN_SMALL_DISK = """
set -e
mkdir -p "$1" && mount -t tmpfs -o size="$2" tmpfs "$1"
shift 2
set +e
"$@"
echo "exit code $?" >&2
ls -A "$ALRAKIS_CACHE/artifacts" | grep -v '[.]lock$' >&2
true
"""


def on_small_disk(disk: Path, size: str, program: Sequence[str | bytes], **changes: str) -> Ended:
    """Run a program where `disk` is a file system of its own, of a given size."""
    if not shutil.which("unshare"):
        pytest.skip("no unshare here")
    done = subprocess.run(
        [
            *("unshare", "--mount", "--user", "--map-root-user", "sh", "-c", IN_SMALL_DISK, "sh"),
            *(str(disk), size, *program),
        ],
        env=environment(**changes),
        cwd=disk.parent,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    return Ended(done.returncode, done.stdout, done.stderr)


def test_a_small_disk_is_told_before_it_is_filled(here: Path) -> None:
    disk = here / "disk"
    ended = on_small_disk(disk, "20m", command(*TINY), ALRAKIS_CACHE=str(disk / "cache"))
    assert ended.err.endswith("exit code 1\n")
    assert f"cannot export into {disk / 'cache' / 'artifacts'}: about " in ended.err
    assert "MB are needed" in ended.err


def test_a_temporary_folder_takes_the_place_of_a_full_cache(here: Path) -> None:
    disk, temporary = here / "disk", here / "temporary"
    temporary.mkdir()
    ended = on_small_disk(
        disk, "20m", command(*SAY), ALRAKIS_CACHE=str(disk / "cache"), TMPDIR=str(temporary)
    )
    assert ended.err.endswith("exit code 0\n")
    assert "warning: the cache cannot be used: about " in ended.err
    assert f"exported text (int8): {temporary}" in ended.err
    assert (here / "out.wav").stat().st_size > 44
    assert not list(temporary.glob("alrakis-*"))


def test_a_disk_that_fills_up_meanwhile_is_an_error(here: Path) -> None:
    """There is room when it is looked at, and no more when it is written."""
    disk = here / "disk"
    program = (
        "import alrakis.export.store; alrakis.export.store._check_space = lambda root, needed: None; "
        "from alrakis.cli.program import main; main()"
    )
    ended = on_small_disk(
        disk, "20m", [sys.executable, "-c", program, *TINY], ALRAKIS_CACHE=str(disk / "cache")
    )
    assert ended.err.endswith("exit code 1\n")  # and nothing is left: the cache would be listed after it
    assert "No space left on device" in ended.err
    assert "Traceback" not in ended.err


def test_a_read_only_cache_is_used_and_a_temporary_folder_for_what_it_lacks(here: Path) -> None:
    disk, temporary = here / "disk", here / "temporary"
    temporary.mkdir()
    programs = [
        command(*TINY),
        ["mount", "-o", "remount,ro", str(disk)],
        command(*SAY, "-o", "there.wav"),
        command(*SAY, "-o", "lacking.wav", "--set", "precision=int4"),
    ]
    script = " && ".join(shlex.join(map(str, program)) for program in programs)
    changes = {"ALRAKIS_CACHE": str(disk / "cache"), "TMPDIR": str(temporary)}
    ended = on_small_disk(disk, "90m", ["sh", "-c", script], **changes)
    assert "exit code 0\n" in ended.err
    before, _, after = ended.err.partition("there.wav")
    assert "warning" not in before
    assert "the cache cannot be used: Read-only file system" in after
    assert f"exported text (int4): {temporary}" in after
    assert not list(temporary.glob("alrakis-*"))
