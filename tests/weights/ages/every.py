"""Files of every torch that installs: `python -m tests.weights.ages.every 2.3.1 2.4.1 ...`.

Each version gets an environment of its own, writes its files there (`write.py`), and they are read here. Told
is whether they were read as they were meant, and whether their format is that of the version before. Packages
are downloaded: some gigabytes, since torch's wheels for Linux bring CUDA.
"""

import pickletools
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from tests.weights.ages import write
from tests.weights.test_torch_ages import check

KINDS = ("zip", "legacy")
OLD_NUMPY = (2, 3)  # torch below it was built for numpy 1


def main(versions: list[str]) -> None:
    before: dict[str, object] = {}
    for version in versions:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            written = made_by(version, folder)
            if written is not None:
                print(f"torch {version}: {written}", flush=True)
                continue
            for kind in KINDS:
                path = folder / f"torch-{version}-{kind}.pt"
                check(path)
                found = form(path)
                told = "as before" if found == before.get(kind, found) else "ANOTHER FORMAT"
                before[kind] = found
                print(f"torch {version}, {kind}: read and equal, {told}", flush=True)


def made_by(version: str, folder: Path) -> str | None:
    """Have a version write its files into a folder; why it cannot, or None."""
    numpy = "numpy<2" if tuple(map(int, version.split(".")[:2])) < OLD_NUMPY else "numpy"
    python = str(folder / "venv" / "bin" / "python")
    for command in (
        [sys.executable, "-m", "venv", str(folder / "venv")],
        [python, "-m", "pip", "install", "--quiet", "--no-cache-dir", f"torch=={version}", numpy],
        [python, str(write.__file__), str(folder)],
    ):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            return done.stderr.strip().splitlines()[-1]
    return None


def form(path: Path) -> object:
    """What the format of a file consists of: its members' names, and its pickles' opcodes and globals."""
    if not zipfile.is_zipfile(path):
        return opcodes(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        names = [name.partition("/")[2] for name in archive.namelist()]
        data = next(name for name in archive.namelist() if name.endswith("/data.pkl"))
        return names, opcodes(archive.read(data))


def opcodes(data: bytes) -> list[tuple[str, object]]:
    """The opcodes of a pickle, with the names that it imports."""
    return [
        (opcode.name, argument if opcode.name == "GLOBAL" else None)
        for opcode, argument, _ in pickletools.genops(data)
    ]


if __name__ == "__main__":
    main(sys.argv[1:])
