"""Artifacts: exported when needed, found again, keyed by all that matters, made again when damaged."""

import dataclasses
import json
import logging
import os
import shutil
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import alrakis.export.artifacts
from alrakis.backends.onnx.backend import OnnxBackend
from alrakis.config import preset_names
from alrakis.engine import Engine
from alrakis.errors import ArtifactError
from alrakis.export.accuracy.verifier import Verifier
from alrakis.export.artifacts import Artifacts, part_heads
from alrakis.export.build import build_stage
from alrakis.export.store import MANIFEST, Artifact
from alrakis.spec import PARTS, STAGES
from alrakis.weights import open_weights
from alrakis.weights.demo.weights import FOLDER as DEMO
from alrakis.weights.demo.weights import DemoVoice
from tests.export.small import Small, config, ensure, unmeasured


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """Gives what was told since it was last asked."""
    caplog.set_level(logging.INFO, logger="alrakis")

    def told() -> list[str]:
        lines = [record.getMessage() for record in caplog.records]
        caplog.clear()
        return lines

    return told


def state(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file in a folder, and what changes when it is written again."""
    return {
        str(path.relative_to(folder)): (path.stat().st_ino, path.stat().st_mtime_ns)
        for path in folder.rglob("*")
    }


# made once


def test_an_artifact_is_made_in_the_cache_and_found_again(
    cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # pytest has set up logging
    artifact = ensure(unmeasured(), config())
    assert artifact.folder.parent == cache
    assert artifact.folder.name.startswith("coarse-int8-")
    before = state(cache)
    assert ensure(unmeasured(), config()) == artifact
    assert state(cache) == before
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert f"exported coarse (int8): {artifact.folder} (" in line
    assert " MB" in line


def test_what_is_told_goes_to_the_log_where_there_is_one(
    told: Callable[[], list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    ensure(unmeasured(), config())
    assert [line.partition(":")[0] for line in told()] == ["exported coarse (int8)"]
    assert capsys.readouterr().err == ""


def test_files_are_those_of_the_builder(tmp_path: Path) -> None:
    weights = unmeasured().stage("coarse")
    artifact = ensure(unmeasured(), config("int4"))
    build_stage(weights, part_heads(weights, Small.layout), "int4", tmp_path)
    files = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    assert {path.name for path in artifact.folder.iterdir()} == {*files, MANIFEST}
    assert all((artifact.folder / name).read_bytes() == content for name, content in files.items())


def test_other_weights_have_another_place(tmp_path: Path) -> None:
    changed = tmp_path / "changed"
    shutil.copytree(DEMO, changed)
    path = changed / "coarse.safetensors"
    path.chmod(0o644)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1  # the last parameter's sign or exponent
    path.write_bytes(content)
    settings = json.loads((changed / "config.json").read_text())
    settings["crc32"][path.name] = zlib.crc32(content)  # other weights, not damaged ones
    (changed / "config.json").chmod(0o644)
    (changed / "config.json").write_text(json.dumps(settings))
    same, other = DemoVoice(DEMO), DemoVoice(changed)
    artifacts = [Artifacts(weights, config("fp32")) for weights in (same, other)]
    names = [{s: a.facts(w.stage(s)) for s in STAGES} for a, w in zip(artifacts, (same, other), strict=True)]
    assert [stage for stage in STAGES if names[0][stage] != names[1][stage]] == ["coarse"]
    folders = {a.ensure(w.stage("coarse")).folder for a, w in zip(artifacts, (same, other), strict=True)}
    assert len(folders) == 2


def test_everything_that_matters_is_in_the_key() -> None:
    made = [
        config("fp32"),
        config("int8"),
        config("int4"),
        config("int8", verify_outlier=9.0),
        config("int8", kv_cache="int8"),
    ]
    facts = [Artifacts(Small(), chosen).facts(Small().stage("coarse")) for chosen in made]
    assert all(each not in facts[:i] for i, each in enumerate(facts))


def test_what_does_not_matter_is_not() -> None:
    made = [
        config(),
        config(threads=1),
        config(residency="one-stage"),
        config(verify_min_top1=0.1),
        config(fine_window="fitted"),
    ]
    facts = [Artifacts(Small(), chosen).facts(Small().stage("coarse")) for chosen in made]
    assert all(each == facts[0] for each in facts)


def test_the_ids_that_can_be_drawn_are_in_the_key() -> None:
    weights = Small()
    before = Artifacts(weights, config()).facts(weights.stage("coarse"))
    weights.layout = dataclasses.replace(weights.layout, coarse_offset=61)
    assert Artifacts(weights, config()).facts(weights.stage("coarse")) != before


def test_the_codec_is_the_same_at_every_precision() -> None:
    codec = Small().codec()
    folders = {Artifacts(Small(), config(p)).ensure(codec).folder for p in ("fp32", "int8", "int4")}
    assert len(folders) == 1


def test_what_is_the_same_at_two_precisions_is_made_once() -> None:
    fine = unmeasured().stage("fine")
    folders = [Artifacts(unmeasured(), config(p)).ensure(fine).folder for p in ("fp32", "int8", "int4")]
    assert folders[0] != folders[1] == folders[2]


def test_a_newer_exporter_takes_away_what_the_older_made(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, other = ensure(unmeasured(), config()), ensure(unmeasured(seed=1), config())
    monkeypatch.setattr(alrakis.export.artifacts, "EXPORTER", 99)
    new = ensure(unmeasured(), config())
    assert new.folder != old.folder
    assert not old.folder.exists()
    assert other.folder.exists()


# damage


def large(artifact: Artifact) -> Path:
    """A file that is too large to be hashed at each opening."""
    return max(artifact.folder.iterdir(), key=lambda path: path.stat().st_size)


def damage(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 0xFF
    path.write_bytes(content)


@pytest.mark.parametrize("how", ["truncated", "missing", "flipped", "emptied", "manifest"])
def test_what_is_damaged_is_made_again_with_a_line(how: str, told: Callable[[], list[str]]) -> None:
    artifact = ensure(unmeasured(), config())
    whole = {path: path.read_bytes() for path in artifact.folder.iterdir() if path.name != MANIFEST}
    path = artifact.folder / ("step.onnx" if how != "manifest" else MANIFEST)
    if how == "truncated":
        os.truncate(path, path.stat().st_size - 1)
    elif how == "flipped":
        damage(path, path.stat().st_size // 2)
    elif how == "missing":
        path.unlink()
    else:
        path.write_bytes(b"")
    told()
    assert ensure(unmeasured(), config()) == artifact
    lines = told()
    assert len(lines) == 2
    assert str(path) in lines[0]
    assert lines[0].endswith("it is made again")
    assert {path: path.read_bytes() for path in whole} == whole


def test_a_large_file_that_does_not_open_is_made_again(told: Callable[[], list[str]]) -> None:
    weights = open_weights("synthetic-tiny")
    chosen = config(threads=1)
    artifact = ensure(weights, chosen, "text")
    assert large(artifact).name == "tokens.npy"
    damage(large(artifact), 8)  # in the header
    backend = OnnxBackend(chosen, weights)
    told()
    logits = backend.text().admit([0], np.ones((1, 4), np.int64))[0]
    assert np.isfinite(logits).all()
    assert "tokens.npy has been changed" in told()[0]


def test_what_does_not_open_for_another_reason_is_not_made_again(cache: Path) -> None:
    def opener(folder: Path) -> None:
        raise ArtifactError("this onnxruntime is too old")

    artifacts = Artifacts(unmeasured(), config())
    part = unmeasured().stage("coarse")
    artifacts.ensure(part)
    before = state(cache)
    with pytest.raises(ArtifactError, match="too old"):
        artifacts.open(part, opener)
    assert state(cache) == before


def test_what_vanishes_while_it_is_opened_is_made_again() -> None:
    seen = []

    def opener(folder: Path) -> str:
        seen.append(folder)
        if len(seen) == 1:
            shutil.rmtree(folder)
            raise ArtifactError("gone")
        return (folder / "step.onnx").name

    assert Artifacts(unmeasured(), config()).open(unmeasured().stage("coarse"), opener) == "step.onnx"


def test_a_flipped_bit_in_a_large_file_is_found_before_it_speaks(
    told: Callable[[], list[str]],
) -> None:
    weights = open_weights("demo")
    artifacts = Artifacts(weights, config("fp32"))
    artifact = artifacts.ensure(weights.stage("coarse"))
    whole = large(artifact).read_bytes()
    damage(large(artifact), len(whole) // 2)
    told()
    artifacts.ensure(weights.stage("coarse"))
    assert "made again" in told()[0]
    assert large(artifact).read_bytes() == whole


@pytest.mark.parametrize("preset", [name for name in preset_names() if name.startswith("cpu-")])
def test_the_demo_voice_is_exported_without_being_measured(
    preset: str, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first sound on a new machine waits for it."""

    def measured(*_: Any, **__: Any) -> None:
        raise AssertionError("an export of the demo voice was measured")

    monkeypatch.setattr(alrakis.export.artifacts, "calibrate", measured)
    monkeypatch.setattr(Verifier, "measure", measured)
    with Engine("demo", preset) as engine:
        engine.preload()
    assert len(list(cache.iterdir())) >= len(PARTS)


# a folder given by path


@pytest.fixture
def given(tmp_path: Path) -> Path:
    """A folder with exported artifacts of all stages, at int8."""
    folder = tmp_path / "given"
    artifacts = Artifacts(unmeasured(), config())
    for stage in STAGES:
        artifacts.export_into(folder, unmeasured().stage(stage))
    return folder


def test_a_given_folder_is_used(given: Path, cache: Path) -> None:
    before = state(given)
    artifact = ensure(unmeasured(), config(artifacts=str(given)))
    assert artifact.folder.parent == given
    assert state(given) == before
    assert not cache.exists()


def test_damage_in_a_given_folder_is_an_error_that_names_the_file(given: Path) -> None:
    chosen = config(artifacts=str(given))
    path = ensure(unmeasured(), chosen).folder / "step.bin"
    os.truncate(path, 10)
    before = state(given)
    with pytest.raises(ArtifactError, match=rf"{path} has 10 bytes.*alrakis export .* -o {given}"):
        ensure(unmeasured(), chosen)
    assert state(given) == before


def test_damage_that_shows_when_it_is_opened_names_the_file_too(given: Path) -> None:
    chosen = config(artifacts=str(given))
    part = unmeasured().stage("coarse")
    path = ensure(unmeasured(), chosen).folder / "step.bin"

    def opener(folder: Path) -> None:
        damage(path, 100)
        raise ArtifactError("does not open")

    with pytest.raises(ArtifactError, match=r"step\.bin has been changed"):
        Artifacts(unmeasured(), chosen).open(part, opener)


@pytest.mark.parametrize(
    ("weights", "chosen"), [(unmeasured(seed=1), {}), (unmeasured(), {"precision": "int4"})]
)
def test_a_given_folder_of_something_else_is_an_error(
    given: Path, weights: Small, chosen: dict[str, Any]
) -> None:
    with pytest.raises(ArtifactError, match=r"holds nothing for coarse .*; it holds coarse-int8-"):
        ensure(weights, config(**chosen, artifacts=str(given)))


def test_a_given_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="it holds no artifacts"):
        ensure(unmeasured(), config(artifacts=str(tmp_path / "nowhere")))


def test_an_engine_runs_from_a_given_folder(tmp_path: Path, cache: Path) -> None:
    weights = open_weights("synthetic-tiny")
    for part in (*map(weights.stage, STAGES), weights.codec()):
        Artifacts(weights, config()).export_into(tmp_path / "out", part)
    with Engine(weights, config(threads=1), artifacts=tmp_path / "out") as engine:
        engine.preload()
        result = engine.generate("one two", seed=1, max_gen_duration_s=0.1, min_eos_p=None, silent=True)
    assert len(result.audio)
    assert not cache.exists()


# no place to write


@pytest.fixture
def unusable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A cache that cannot be made: its parent is a file."""
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("ALRAKIS_CACHE", str(tmp_path / "file" / "cache"))
    return tmp_path / "file"


def test_without_a_cache_a_temporary_folder_serves(unusable: Path, caplog: pytest.LogCaptureFixture) -> None:
    artifacts = Artifacts(unmeasured(), config())
    first = artifacts.ensure(unmeasured().stage("coarse"))
    second = artifacts.ensure(unmeasured().stage("text"))
    assert first.folder.is_dir()
    assert first.folder.parent == second.folder.parent != unusable
    assert artifacts.ensure(unmeasured().stage("coarse")) == first
    (warning,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert str(unusable) in warning
    assert "ALRAKIS_CACHE" in warning
    artifacts.close()
    assert not first.folder.parent.exists()


def test_a_read_only_cache_is_read(cache: Path) -> None:
    made = ensure(unmeasured(), config())
    cache.chmod(0o500)
    if os.access(cache, os.W_OK):
        pytest.skip("root may write everywhere")
    try:
        assert ensure(unmeasured(), config()) == made
        artifacts = Artifacts(unmeasured(), config())
        assert artifacts.ensure(unmeasured().stage("text")).folder.parent != cache
        artifacts.close()
    finally:
        cache.chmod(0o700)


def test_no_place_at_all_is_an_error_that_says_both(
    unusable: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("alrakis.export.store._SPARE_BYTES", 2**62)  # no disk has so much room
    with pytest.raises(ArtifactError) as caught:
        ensure(unmeasured(), config())
    message = str(caught.value)
    assert str(unusable) in message
    assert "MB are needed" in message
    assert "Set ALRAKIS_CACHE" in message
