"""What was tuned on this machine: kept by processor and cores, used, and easily removed."""

import dataclasses

import pytest

from alrakis.evidence import tuned
from alrakis.evidence.tuned import Tuned, forget_tuned, save_tuned, tuned_here, tuned_path
from alrakis.hardware import cpu

pytestmark = pytest.mark.usefixtures("cache")  # what was tuned here is of this test alone

FOUND = Tuned(
    processor="AMD EPYC",
    usable_cores=2,
    gpu="",
    preset="cpu-fp32",
    changes={"threads": 1},
    goal="latency",
    rtf=1.234,
    work="2 s of speech",
    day="2026-11-26",
    alrakis="0.1.0",
)
TEXT = FOUND.model_dump_json()


def test_it_is_saved_found_and_forgotten() -> None:
    assert tuned_here() is None
    path = save_tuned(FOUND)
    assert path == tuned_path().resolve()
    assert tuned_here() == FOUND
    assert FOUND.config().threads == 1
    assert FOUND.words == "tuned for latency on AMD EPYC, 2 cores, 2026-11-26: RTF 1.23, 2 s of speech"
    assert forget_tuned() == tuned_path()
    assert tuned_here() is None
    assert forget_tuned() is None


def test_another_processor_or_other_cores_have_another_file() -> None:
    here = cpu()
    others = [
        dataclasses.replace(here, model="Another"),
        dataclasses.replace(here, usable_cores=here.usable_cores + 1),
        dataclasses.replace(here, features=("AMX INT8",)),
    ]
    assert len({tuned_path(one) for one in (here, *others)}) == 4


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", TEXT.replace("cpu-fp32", "cpu-int9"), TEXT.replace("threads", "cores")],
)
def test_a_file_that_cannot_be_used_is_told_and_passed_by(
    content: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_tuned(FOUND)
    tuned_path().write_text(content)
    monkeypatch.setattr(tuned.logger, "propagate", True)
    assert tuned_here() is None
    assert str(tuned_path()) in caplog.text
    assert "tune again, or remove it" in caplog.text
