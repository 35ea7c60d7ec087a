"""What machines must have alike."""

from dataclasses import replace
from pathlib import Path

import pytest

from alrakis.cluster import facts as facts_module
from alrakis.cluster.facts import Facts, Need, differences, facts_here, facts_of
from alrakis.config import Config, load_config
from tests.checkpoints import write_encodec, write_suno_checkpoints

KNOWN = Facts("onnxruntime 1.30.0", (), None, "AVX2")


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ({}, []),
        ({"processor": "NEON"}, []),
        (
            {"runtime": "onnxruntime 1.20.0"},
            ["it has onnxruntime 1.20.0, and onnxruntime 1.30.0 is needed: another may draw other tokens"],
        ),
        ({"runtime": None, "missing": ("cpu", "listen")}, ["it lacks pip install 'alrakis[cpu,listen]'"]),
        ({"weights": "abc"}, ["its weights are others: abc, not None"]),
        ({"recogniser": "abc"}, ["its recogniser is another: abc, not None"]),
    ],
)
def test_differences_are_told(found: dict[str, object], told: list[str]) -> None:
    assert list(differences(KNOWN, replace(KNOWN, **found))) == told  # type: ignore[arg-type]


def test_the_machine_that_plans_need_not_speak() -> None:
    assert not list(differences(replace(KNOWN, runtime=None, missing=("cpu",)), KNOWN))


def test_this_machine() -> None:
    config = load_config("cpu-int8")
    here = facts_here(Need("demo", config, "tiny.en"))
    assert here.runtime is not None
    assert here.runtime.startswith("onnxruntime 1.")
    assert (here.missing, here.weights) == ((), None)
    torch = facts_here(Need("demo", Config(backend="torch"), None)).runtime
    assert torch is not None
    assert torch.startswith("torch 2.")
    assert "+" not in torch  # the same release for another device
    assert Facts(**facts_of("demo", config.model_dump_json(), "tiny.en")) == here


def test_what_is_missing_has_the_name_of_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts_module.importlib.util, "find_spec", lambda name: None)  # type: ignore[attr-defined]
    here = facts_here(Need("demo", load_config("cpu-fp32"), "tiny.en"))
    assert (here.runtime, here.missing) == (None, ("cpu", "listen"))


def test_a_folder_is_known_by_its_parameters(tmp_path: Path, cache: Path) -> None:
    def weights_of(folder: Path) -> str | None:
        return facts_here(Need(str(folder), Config(backend="torch"), None)).weights

    first, second = tmp_path / "first", tmp_path / "second"
    for folder, seed in ((first, 1), (second, 2)):
        write_suno_checkpoints(folder, seed=seed)
        write_encodec(folder)
    assert weights_of(first) == weights_of(first)
    assert weights_of(first) != weights_of(second)
    assert weights_of(tmp_path / "third") == f"there is no folder {tmp_path / 'third'}"


def test_a_recogniser_in_a_folder_is_known_by_its_parameters(tmp_path: Path, cache: Path) -> None:
    def recogniser_of(name: str) -> str | None:
        return facts_here(Need("demo", Config(backend="torch"), name)).recogniser

    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.bin").write_text(name)
    first = recogniser_of(str(tmp_path / "first"))
    assert first is not None
    assert first == recogniser_of(str(tmp_path / "first")) != recogniser_of(str(tmp_path / "second"))
    assert recogniser_of(str(tmp_path)) == f"there is no {tmp_path / 'model.bin'}"
    assert recogniser_of("tiny.en") is None
