"""Where the cases of a reader are."""

from pathlib import Path


def case_folder(root: Path, reader: str, case: str) -> Path:
    """The folder of an undamaged case, which is made."""
    folder = root / reader / case
    folder.mkdir(parents=True, exist_ok=True)
    return folder
