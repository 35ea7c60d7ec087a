"""What a pickle may hold: nothing changes what was made, and nothing costs more than the file is long."""

import contextlib
import os
import pickle
import pickletools
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alrakis.errors import WeightsError
from alrakis.weights.torch_file import read_torch_file, tensors_as_arrays
from alrakis.weights.torch_pickle import OPCODES
from tests.weights.pickles import (
    STORAGE,
    TENSOR,
    Calls,
    global_,
    hostile_programs,
    legacy_of,
    short,
    tensor_program,
    zip_of,
)

A_TENSOR = tensor_program(0, (4,), (1,))[:-1]
ORDERED = global_("collections", "OrderedDict") + b")R"
DTYPE = global_("numpy", "dtype") + b"X\x02\x00\x00\x00f4\x89\x88\x87R"


def state(**values: bytes) -> bytes:
    """A dict of these pickled values, as BUILD takes it."""
    return b"}" + b"".join(short(name) + value + b"s" for name, value in values.items())


CHANGES = {
    "a tensor's size": A_TENSOR + state(size=b"(K\x40t") + b"b.",
    "a tensor's slots": A_TENSOR + b"N" + state(size=b"(K\x40t", offset=b"K\x00") + b"\x86b.",
    "a tensor's offset": A_TENSOR + state(offset=b"M\xff\xff") + b"b.",
    "a tensor's class": A_TENSOR + state(__class__=ORDERED) + b"b.",
    "a storage": STORAGE + state(count=b"M\xff\xff", start=b"K\x00") + b"b.",
    "a storage type": global_("torch", "FloatStorage") + state(dtype=DTYPE) + b"b.",
    "a function": TENSOR + state(run=TENSOR) + b"b.",
    "a list": b"]" + state(x=b"K\x01") + b"b.",
    "appending to a tensor": A_TENSOR + b"K\x01a.",
    "appending to a dict": b"}K\x01a.",
    "filling a tensor": A_TENSOR + short("size") + b"K\x01s.",
    "filling a list": b"](K\x00K\x00K\x01u.",
    "calling a tensor": A_TENSOR + b")R.",
    "calling with a list": TENSOR + b"]R.",
}


@pytest.mark.parametrize("name", CHANGES)
def test_nothing_that_was_made_is_changed(tmp_path: Path, name: str) -> None:
    path = zip_of(tmp_path / "changed.pt", CHANGES[name])
    with pytest.raises(WeightsError, match=r"changed\.pt"):
        tensors_as_arrays(path, {"x": read_torch_file(path)})


def nested(depth: int) -> bytes:
    """A tuple of itself and itself, `depth` times: 2 ** depth values in a few bytes a level."""
    return b"K\x01K\x01\x86" + b"".join(b"q" + bytes([i]) + b"h" + bytes([i]) + b"\x86" for i in range(depth))


BOMBS: dict[str, bytes] = {
    "a nested tuple as a key": b"}" + nested(100) + b"K\x01s.",
    "a nested tuple as a storage's key": b"(X\x07\x00\x00\x00storage"
    + global_("torch", "FloatStorage")
    + nested(100)
    + b"X\x03\x00\x00\x00cpuK\x04tQ.",
    "a nested tuple as a size": TENSOR + b"(" + STORAGE + b"K\x00" + nested(60) + b"K\x01\x85\x89NtR.",
    "a row repeated 2 ** 32 times": tensor_program(0, (2**32, 4), (0, 1)),
    "a number repeated 2 ** 31 times": tensor_program(0, (2**31,), (0,)),
    "an empty tensor of 2 ** 40 rows": tensor_program(0, (2**40, 0), (1, 1)),
    "text longer than the file": b"X\xff\xff\xff\x7fabc.",
    "bytes longer than the file": b"B\xff\xff\xff\x7fabc.",
    "a number of 2 ** 31 digits": b"\x8b\xff\xff\xff\x7fabc.",
    "bytes of 8 bytes' length": b"\x8e\xff\xff\xff\xff\xff\xff\xff\x7fabc.",
    "a frame longer than the file": b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x7f}.",
    "a memo index of 2 ** 31": b"}r\xff\xff\xff\x7f}j\xff\xff\xff\x7e.",
    "a pickle of 2 MB": b"]" + b"]a" * (1 << 20) + b".",
    "bytes of a long text, over and over": global_("_codecs", "encode")
    + b"q\x00X\xa0\x86\x01\x00"
    + b"a" * 100_000
    + b"q\x01X\x06\x00\x00\x00latin1q\x02("
    + b"h\x00h\x01h\x02\x86R" * 10_000
    + b"t.",
    "a nested tuple as a key of an OrderedDict": ORDERED[:-2] + b"]" + nested(100) + b"K\x01\x86a\x85R.",
    "a tuple of 500,000 levels as such a key": ORDERED[:-2] + b"])" + b"\x85" * 500_000 + b"K\x01\x86a\x85R.",
    "an OrderedDict of a dict, over and over": b"}("
    + b"".join(b"M" + bytes(divmod(number, 256)) + b"N" for number in range(50_000))
    + b"uq\x00("
    + (ORDERED[:-2] + b"h\x00\x85R") * 10_000
    + b"t.",
    "a million opcodes": b"(" + b"]" * 1_000_000 + b"t.",
    "a storage of 2 ** 60 numbers": tensor_program(
        0, (4,), (1,), STORAGE.replace(b"K\x04tQ", b"\x8a\x08" + b"\x10" * 8 + b"tQ")
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_a_small_file_costs_little(tmp_path: Path, name: str) -> None:
    """A refusal takes little memory; that it takes little time shows in that it ends."""
    path = zip_of(tmp_path / "bomb.pt", BOMBS[name])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(WeightsError, match=r"bomb\.pt"):
        tensors_as_arrays(path, {"x": read_torch_file(path)})
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 << 10


STORED = b"X\x07\x00\x00\x00storageq\x00" + global_("torch", "FloatStorage") + b"q\x01"
KEYS: dict[str, tuple[bytes, bytes]] = {  # the object, and the keys of its storages
    "a nested tuple": (b"}.", b"](" + nested(100) + b"e."),
    "a tuple of 500,000 levels": (b"}.", b"])" + b"\x85" * 500_000 + b"a."),
    "no list": (b"}.", b"}" + short("a") + b"Ns."),
    "another one": (b"}.", b"]" + short("a") + b"a."),
    "40,000 storages": (
        STORED
        + b"("
        + b"".join(b"(h\x00h\x01" + short(f"{number}") + b"NK\x00tQ" for number in range(40_000))
        + b"t.",
        b"].",
    ),
}


@pytest.mark.parametrize("name", KEYS)
def test_keys_of_storages_in_the_older_format(tmp_path: Path, name: str) -> None:
    """A tuple of so many levels ended the process; the storages were added up with each."""
    path = legacy_of(tmp_path / "keys.pt", b"".join(b"\x80\x02" + program for program in KEYS[name]))
    with pytest.raises(WeightsError, match=r"keys\.pt"):
        read_torch_file(path)


def test_more_tensors_than_a_model_has(tmp_path: Path) -> None:
    tensor = A_TENSOR + b"q\x00"
    state = b"}(" + b"".join(
        short(f"{number}") + (b"h\x00" if number else tensor) for number in range(20_000)
    )
    path = zip_of(tmp_path / "many.pt", state + b"u.")
    with pytest.raises(WeightsError, match="20000 tensors"):
        tensors_as_arrays(path, read_torch_file(path))


def test_an_ordered_dict_of_pairs_as_python_2_wrote_it(tmp_path: Path) -> None:
    program = ORDERED[:-2] + b"](]" + short("a") + b"aK\x01a]" + short("b") + b"aK\x02ae\x85R."
    assert read_torch_file(zip_of(tmp_path / "old.pt", program)) == {"a": 1, "b": 2}


def test_only_what_torch_writes_is_an_opcode() -> None:
    for code in (
        pickle.INST,
        pickle.OBJ,
        pickle.NEWOBJ,
        pickle.NEWOBJ_EX,
        pickle.EXT1,
        pickle.PERSID,
        pickle.DUP,
    ):
        assert code not in OPCODES
    assert pickle.BINPERSID in OPCODES


programs = st.lists(
    st.sampled_from(
        [bytes([code]) for code in OPCODES]
        + [A_TENSOR, STORAGE, TENSOR, ORDERED, DTYPE, b"(K\x01t", b"K\x01", short("size"), b"q\x00", b"h\x00"]
    ),
    max_size=30,
).map(b"".join)


@settings(max_examples=400)
@given(programs)
def test_any_program_of_these_opcodes_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, program: bytes
) -> None:
    path = zip_of(tmp_path_factory.mktemp("any") / "any.pt", program + b".")
    try:
        found = read_torch_file(path)
        arrays = tensors_as_arrays(path, found if isinstance(found, dict) else {"x": found})
    except WeightsError:
        return
    for array in arrays.values():
        assert array.nbytes <= path.stat().st_size
        array.sum()  # looks at every number


MANY = settings(max_examples=150)


@pytest.mark.parametrize("name", list(hostile_programs(Path("x"))))
@pytest.mark.parametrize("wrap", [zip_of, legacy_of, Path.write_bytes], ids=["zip", "legacy", "bare"])
def test_nothing_in_a_hostile_pickle_runs(tmp_path: Path, name: str, wrap: Callable[..., Any]) -> None:
    canary, path = tmp_path / "canary", tmp_path / "hostile.pt"
    wrap(path, hostile_programs(canary)[name])
    with pytest.raises(WeightsError, match=r"hostile\.pt"):
        read_torch_file(path)
    assert not canary.exists()


@pytest.mark.parametrize("name", ["os.system", "eval", "INST", "object array"])
def test_the_hostile_pickles_would_run_elsewhere(tmp_path: Path, name: str) -> None:
    canary = tmp_path / "canary"
    pickle.loads(hostile_programs(canary)[name])
    assert canary.exists()


def test_a_refused_name_is_told(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "hostile.pt", pickle.dumps(Calls(os.system, "true"), 2))
    with pytest.raises(WeightsError, match=r"posix\.system|nt\.system"):
        read_torch_file(path)


def test_a_huge_memo_index_takes_no_memory(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "memo.pt", b"}r\xff\xff\xff\x7f.")
    assert read_torch_file(path) == {}


@MANY
@given(program=st.binary(max_size=60))
def test_any_pickle_is_read_or_an_error_and_nothing_else(tmp_path: Path, program: bytes) -> None:
    with contextlib.suppress(WeightsError):
        read_torch_file(zip_of(tmp_path / "any.pt", program + b"."))


def test_the_programs_are_pickles() -> None:
    """The hand-written pickles are well formed, so that they are refused for what they ask."""
    for program in [*hostile_programs(Path("x")).values(), tensor_program(0, (4,), (1,))]:
        assert list(pickletools.genops(program))[-1][0].name == "STOP"
