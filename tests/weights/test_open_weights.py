"""Names and folders: what is opened, where files are looked for, and what is said when they are nowhere."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from alrakis.errors import InputError, WeightsError, WeightsNotFoundError
from alrakis.spec import STAGES
from alrakis.weights import WEIGHTS_NAMES, found_weights, open_weights
from alrakis.weights.types import Weights
from tests.checkpoints import FILE_NAMES

LARGE, SMALL = FILE_NAMES["large"], FILE_NAMES["small"]


def stage_files(weights: Weights) -> dict[str, str]:
    return {stage: Path(weights.stage(stage).source).name for stage in STAGES}


@pytest.mark.parametrize("value", ["true", "True", "1", "t", "T"])
def test_bark_follows_sunos_variable_when_it_is_opened(
    cache: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    assert stage_files(open_weights()) == LARGE
    monkeypatch.setenv("SUNO_USE_SMALL_MODELS", value)
    assert stage_files(open_weights("bark")) == SMALL
    assert stage_files(open_weights(cache)) == SMALL
    assert stage_files(open_weights("bark-large")) == LARGE
    monkeypatch.setenv("SUNO_USE_SMALL_MODELS", "yes")  # no value of suno's
    assert stage_files(open_weights("bark")) == LARGE


def test_named_sizes_and_sizes_of_single_stages(cache: Path) -> None:
    assert stage_files(open_weights("bark-small")) == SMALL
    mixed = {"text": "text.pt", "coarse": "coarse_2.pt", "fine": "fine.pt"}
    assert stage_files(open_weights("bark", sizes={"text": "small", "fine": "small"})) == mixed
    assert stage_files(open_weights("bark-small", sizes={"coarse": "large"})) == mixed
    assert stage_files(open_weights(str(cache), sizes={"text": "small", "fine": "small"})) == mixed


@pytest.mark.parametrize("sizes", [{"voice": "small"}, {"text": "tiny"}, {"text": None}])
def test_unknown_sizes(sizes: Any) -> None:
    with pytest.raises(InputError, match="stages are text, coarse, fine, sizes are small, large"):
        open_weights("bark", sizes=sizes)


def test_a_folder_with_one_size_of_a_stage_uses_that(
    small_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for stage, name in {"text": "text_2.pt", "coarse": "coarse.pt", "fine": "fine_2.pt"}.items():
        shutil.copy(small_folder / SMALL[stage], tmp_path / name)
    found = {"text": "text_2.pt", "coarse": "coarse.pt", "fine": "fine_2.pt"}
    assert stage_files(open_weights(tmp_path)) == found
    monkeypatch.setenv("SUNO_USE_SMALL_MODELS", "1")
    assert stage_files(open_weights(tmp_path)) == found


def test_nothing_is_read_before_it_is_asked_for(tmp_path: Path) -> None:
    for name in SMALL.values():
        (tmp_path / name).write_bytes(b"not a checkpoint")
    weights = open_weights(tmp_path)
    with pytest.raises(WeightsError, match=r"coarse\.pt"):
        weights.stage("coarse")


@pytest.mark.parametrize("name", WEIGHTS_NAMES)
def test_opening_a_name_needs_no_files(name: str) -> None:
    assert open_weights(name).name == name


def test_opened_weights_are_given_back() -> None:
    weights = open_weights("demo")
    assert open_weights(weights) is weights
    with pytest.raises(InputError, match="one size only"):
        open_weights(weights, sizes={"text": "small"})


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("bark-smal", "bark-small"), ("dmeo", "demo"), ("synthetic-tinny", "synthetic-tiny")],
)
def test_an_unknown_name_is_told_the_nearest(name: str, nearest: str) -> None:
    with pytest.raises(InputError, match=f"did you mean '{nearest}'"):
        open_weights(name)


@pytest.mark.parametrize("source", [None, 3, b"demo", ["demo"]])
def test_what_is_neither_a_name_nor_a_folder(source: Any) -> None:
    with pytest.raises(InputError, match="demo"):
        open_weights(source)


def test_a_folder_that_is_not_there_or_holds_nothing(tmp_path: Path, small_folder: Path) -> None:
    for source in (tmp_path / "nowhere", str(tmp_path / "nowhere"), Path("nowhere")):
        with pytest.raises(WeightsNotFoundError, match="there is no folder"):
            open_weights(source)
    with pytest.raises(WeightsNotFoundError, match=r"needs suno's text\.pt"):
        open_weights(tmp_path)
    with pytest.raises(InputError, match="is a file; give the folder"):
        open_weights(small_folder / "text.pt")
    (tmp_path / "coarse.pt").write_bytes(b"")
    with pytest.raises(WeightsNotFoundError, match=r"text_2\.pt, fine_2\.pt, encodec.*, vocab\.txt are not"):
        open_weights(tmp_path)


def test_the_listing_says_what_is_there_and_what_is_missing(cache: Path, small_folder: Path) -> None:
    found = dict(found_weights())
    assert set(found) == set(WEIGHTS_NAMES) - {"bark", "suno/bark", "suno/bark-small"}
    assert str(cache) in found["bark-small"]
    assert "text.pt" not in found["bark-small"]
    assert found["bark-large"].endswith("to be downloaded when used, about 91 MB: EnCodec, vocab.txt")
    (cache / "fine_2.pt").unlink()
    assert "about 3.8 GB: fine_2.pt, EnCodec" in dict(found_weights())["bark-large"]
