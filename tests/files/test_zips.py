"""Zips of other people: their lists, and how their members are packed."""

import io
import resource
import struct
import zipfile
from pathlib import Path

import pytest

from alrakis.files.zips import MOST_LIST_BYTES, open_zip, read_member


def zip_bytes(method: int, *names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name in names:
            archive.writestr(name, b"content " * 1000)
    return file.getvalue()


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_members_are_read_up_to_a_limit(method: int, tmp_path: Path) -> None:
    data = zip_bytes(method, "a", "b")
    (tmp_path / "a.zip").write_bytes(data)
    for source in (data, tmp_path / "a.zip"):
        with open_zip(source) as archive:
            assert archive.namelist() == ["a", "b"]
            entry = archive.getinfo("b")
            assert read_member(archive, entry, 8000) == b"content " * 1000
            assert read_member(archive, entry, 10) == b"content con"


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_ways_of_packing_are_refused(method: int) -> None:
    """An LZMA's head asks for a dictionary of up to 4 GB."""
    with (
        open_zip(zip_bytes(method, "a")) as archive,
        pytest.raises(zipfile.BadZipFile, match="a is packed in a way"),
    ):
        read_member(archive, archive.getinfo("a"), 10_000)


def listed(count: int) -> bytes:
    """A zip whose list has an entry over and over."""
    data = zip_bytes(zipfile.ZIP_STORED, "a")
    begin, end = data.index(b"PK\x01\x02"), data.index(b"PK\x05\x06")
    entries = data[begin:end] * count
    tail = bytearray(data[end:])
    struct.pack_into("<HHI", tail, 8, count % 65536, count % 65536, len(entries))
    return data[:begin] + entries + tail


def test_a_list_longer_than_a_list_is(tmp_path: Path) -> None:
    """1,000,000 entries took 10 s and 700 MB."""
    with open_zip(listed(1000)) as archive:
        assert len(archive.infolist()) == 1000
    data = listed(1_000_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    (tmp_path / "a.zip").write_bytes(data)
    for source in (data, tmp_path / "a.zip"):
        with (
            pytest.raises(zipfile.BadZipFile, match=f"up to {MOST_LIST_BYTES} are read"),
            open_zip(source),
        ):
            pass
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 << 10
