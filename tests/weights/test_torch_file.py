"""torch's files are read as torch reads them, and nothing in them runs."""

import contextlib
import io
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from alrakis.errors import WeightsError
from alrakis.weights.torch_file import Tensor, read_torch_file, tensors_as_arrays
from tests.weights.pickles import STORAGE, tensor_program, zip_of

MANY = settings(max_examples=150)
FORMATS = pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])


def save(value: Any, path: Path, zipped: bool) -> Path:
    torch.save(value, path, _use_new_zipfile_serialization=zipped)
    return path


def odd_tensors() -> dict[str, torch.Tensor]:
    """Every type, and every way in which a tensor can be a view of another."""
    random = torch.Generator().manual_seed(7)
    base = torch.randn(6, 8, generator=random)
    state = {
        "plain": base,
        "same storage": base,
        "transposed": base.t(),
        "rows": base[2:5],
        "columns": base[:, 3:5],
        "every second": base[::2, 1::3],
        "expanded": torch.arange(4.0)[None].expand(3, 4),
        "scalar": torch.tensor(2.5),
        "empty": torch.empty(0, 5),
        "parameter": torch.nn.Parameter(torch.randn(3, generator=random)),
        "channels last": torch.randn(1, 2, 3, 4, generator=random).to(memory_format=torch.channels_last),
    }
    for name in (
        "float32",
        "float16",
        "bfloat16",
        "float64",
        "int64",
        "int32",
        "int16",
        "int8",
        "uint8",
        "bool",
    ):
        state[name] = (torch.randn(5, generator=random) * 3).to(getattr(torch, name))
    return state


def as_numpy(tensor: torch.Tensor) -> np.ndarray:
    tensor = tensor.detach()
    return tensor.float().numpy() if tensor.dtype == torch.bfloat16 else tensor.numpy()


@FORMATS
def test_every_kind_of_tensor_is_equal_to_what_torch_loads(tmp_path: Path, zipped: bool) -> None:
    path = save(odd_tensors(), tmp_path / "odd.pt", zipped)
    expected = torch.load(path)
    found = tensors_as_arrays(path, read_torch_file(path))
    assert list(found) == list(expected)
    for name, tensor in expected.items():
        array = found[name]
        assert array.shape == tuple(tensor.shape), name
        assert str(array.dtype) == str(tensor.dtype).removeprefix("torch."), name
        np.testing.assert_array_equal(
            array.astype(np.float32) if tensor.dtype == torch.bfloat16 else array, as_numpy(tensor), name
        )
    assert np.shares_memory(found["plain"], found["transposed"])
    assert not np.shares_memory(found["plain"], found["parameter"])


@FORMATS
def test_a_module_state_dict_with_its_metadata(tmp_path: Path, zipped: bool) -> None:
    module = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
    path = save(module.state_dict(), tmp_path / "module.pt", zipped)
    found = tensors_as_arrays(path, read_torch_file(path))
    for name, tensor in module.state_dict().items():
        np.testing.assert_array_equal(found[name], tensor.numpy())


def test_tensors_of_a_zip_stay_on_disk(tmp_path: Path) -> None:
    path = save({"big": torch.arange(1000.0)}, tmp_path / "big.pt", True)
    array = tensors_as_arrays(path, read_torch_file(path))["big"]
    assert not array.flags.writeable
    assert not array.flags.owndata
    with open(path, "r+b") as file:  # the mapping sees a change of the file, a copy would not
        content = file.read()
        file.seek(content.index(np.float32(999).tobytes()))
        file.write(np.float32(-1).tobytes())
    assert array[999] == -1


@FORMATS
@pytest.mark.parametrize(
    "value",
    [np.float32(1.25), np.float64(-3.5), np.int64(7), np.bool_(True), np.float16(0.5)],
    ids=lambda value: type(value).__name__,
)
def test_numpy_scalars_are_read(tmp_path: Path, zipped: bool, value: Any) -> None:
    found = read_torch_file(save({"best_val_loss": value}, tmp_path / "scalar.pt", zipped))["best_val_loss"]
    assert found == value
    assert found.dtype == value.dtype


def test_scalars_pickled_by_numpy_1(tmp_path: Path) -> None:
    saved = save({"loss": np.float32(2.5), "weight": torch.arange(5.0)}, tmp_path / "new.pt", True)

    def older(content: bytes) -> bytes:
        assert b"numpy._core.multiarray" in content or b"numpy.core.multiarray" in content
        return content.replace(b"numpy._core.multiarray", b"numpy.core.multiarray")

    found = read_torch_file(with_pickle(saved, tmp_path / "old.pt", older))
    assert found["loss"] == np.float32(2.5)
    np.testing.assert_array_equal(found["weight"].array(), np.arange(5.0))


def test_what_a_checkpoint_of_training_holds_beside_tensors(tmp_path: Path) -> None:
    model = torch.nn.Linear(4, 4)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    model(torch.randn(2, 4)).sum().backward()
    optimizer.step()
    checkpoint = {
        "optimizer": optimizer.state_dict(),
        "config": {"device": "cuda", "compile": True, "lr": 6e-4, "nothing": None, "shape": (1, [2])},
        "dtype": torch.bfloat16,
        "big": 2**70,
        "text": "é ♪",
        "bytes": b"\x00\xff",
    }
    found = read_torch_file(save(checkpoint, tmp_path / "training.pt", True))
    assert found["config"] == checkpoint["config"]
    assert (found["big"], found["text"], found["bytes"]) == (2**70, "é ♪", b"\x00\xff")
    moment = found["optimizer"]["state"][0]["exp_avg"]
    np.testing.assert_array_equal(moment.array(), optimizer.state_dict()["state"][0]["exp_avg"].numpy())


def with_pickle(source: Path, target: Path, change: Callable[[Any], Any]) -> Path:
    """A torch zip with another data.pkl; the rewritten zip is not aligned as torch's own."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for entry in old.infolist():
            content = old.read(entry)
            new.writestr(entry.filename, change(content) if entry.filename.endswith("data.pkl") else content)
    return target


# --- tensors that cannot be ------------------------------------------------------------------------------


def test_a_tensor_program_is_read_as_written(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "fine.pt", tensor_program(1, (3,), (1,)))
    tensor = read_torch_file(path)
    assert isinstance(tensor, Tensor)
    np.testing.assert_array_equal(tensor.array(), [1, 2, 3])


@pytest.mark.parametrize(
    ("offset", "size", "stride"),
    [
        (1, (4,), (1,)),
        (0, (2, 3), (2, 1)),
        (-1, (2,), (1,)),
        (0, (2,), (-1,)),
        (0, (-2,), (1,)),
        (0, (2, 2), (1,)),
        (2**62, (1,), (1,)),
        (0, (2**62,), (2**62,)),
        (0, (1.5,), (1,)),
        (0, ("4",), (1,)),
    ],
)
def test_a_tensor_outside_its_storage_is_refused(tmp_path: Path, offset: Any, size: Any, stride: Any) -> None:
    path = zip_of(tmp_path / "outside.pt", tensor_program(offset, size, stride))
    with pytest.raises(WeightsError, match="damaged"):
        tensors_as_arrays(path, {"x": read_torch_file(path)})


@pytest.mark.parametrize(
    ("size", "stride"), [((2**62, 2**62), (0, 0)), ((1,), (2**70,)), ((1,) * 100, (1,) * 100)]
)
def test_an_impossible_shape_is_refused(tmp_path: Path, size: Any, stride: Any) -> None:
    path = zip_of(tmp_path / "impossible.pt", tensor_program(0, size, stride))
    with pytest.raises(WeightsError, match=r"impossible\.pt"):
        tensors_as_arrays(path, {"x": read_torch_file(path)})


@pytest.mark.parametrize("count", [5, 2**40, -1])
def test_a_storage_larger_than_its_entry_is_refused(tmp_path: Path, count: int) -> None:
    storage = STORAGE.replace(b"K\x04", pickle.dumps(count, 2)[2:-1])
    path = zip_of(tmp_path / "storage.pt", tensor_program(0, (1,), (1,), storage))
    with pytest.raises(WeightsError):
        read_torch_file(path)


# --- damaged files ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, bytes]:
    folder = tmp_path_factory.mktemp("whole")
    state = OrderedDict(weight=torch.arange(40.0).reshape(5, 8), bias=torch.ones(3, dtype=torch.float16))
    value = {"model": state, "model_args": {"n_layer": 2}, "best_val_loss": np.float32(1)}
    return {zipped: save(value, folder / "whole.pt", zipped).read_bytes() for zipped in (True, False)}


@FORMATS
@MANY
@given(data=st.data())
def test_a_truncated_file_is_an_error(
    tmp_path: Path, whole: dict[bool, bytes], zipped: bool, data: st.DataObject
) -> None:
    content = whole[zipped]
    path = tmp_path / "cut.pt"
    path.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    with pytest.raises(WeightsError, match=r"cut\.pt"):
        read_torch_file(path)


@FORMATS
@MANY
@given(data=st.data())
def test_a_damaged_file_is_read_or_an_error_and_nothing_else(
    tmp_path: Path, whole: dict[bool, bytes], zipped: bool, data: st.DataObject
) -> None:
    content = bytearray(whole[zipped])
    changes = st.lists(
        st.tuples(st.integers(0, len(content) - 1), st.integers(0, 255)), min_size=1, max_size=4
    )
    for place, value in data.draw(changes):
        content[place] = value
    path = tmp_path / "damaged.pt"
    path.write_bytes(content)
    with contextlib.suppress(WeightsError):
        found = read_torch_file(path)
        tensors_as_arrays(path, found.get("model") if isinstance(found, dict) else found)


def test_a_compressed_zip_is_refused(tmp_path: Path, whole: dict[bool, bytes]) -> None:
    path = tmp_path / "compressed.pt"
    with (
        zipfile.ZipFile(io.BytesIO(whole[True])) as old,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for entry in old.infolist():
            new.writestr(entry.filename, old.read(entry))
    with pytest.raises(WeightsError, match="compressed"):
        read_torch_file(path)


def test_a_big_endian_file_is_refused(tmp_path: Path, whole: dict[bool, bytes]) -> None:
    path = tmp_path / "big.pt"
    with zipfile.ZipFile(io.BytesIO(whole[True])) as old, zipfile.ZipFile(path, "w") as new:
        for entry in old.infolist():
            content = b"big" if entry.filename.endswith("byteorder") else old.read(entry)
            new.writestr(entry.filename, content)
    with pytest.raises(WeightsError, match="big-endian"):
        read_torch_file(path)


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04", b"\x80\x02."])
def test_a_file_that_is_no_checkpoint(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.pt"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=r"other\.pt"):
        read_torch_file(path)


def test_a_zip_without_a_pickle(tmp_path: Path) -> None:
    path = tmp_path / "other.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(WeightsError, match=r"no data\.pkl"):
        read_torch_file(path)


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere.pt", tmp_path):
        with pytest.raises(WeightsError, match="cannot be read"):
            read_torch_file(path)


@pytest.mark.parametrize("state", [None, {}, [], {"a": 1}, {1: None}])
def test_what_is_no_state_dict(tmp_path: Path, state: dict[str, torch.Tensor]) -> None:
    with pytest.raises(WeightsError):
        tensors_as_arrays(tmp_path / "x.pt", state)
