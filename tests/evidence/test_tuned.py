"""What was tuned on this machine: kept by processor and cores, used, and easily removed."""

import dataclasses

import pytest

from alrakis.errors import OutputError
from alrakis.evidence import tuned
from alrakis.evidence.tuned import Tuned, forget_tuned, save_tuned, tuned_here, tuned_path
from alrakis.hardware import cpu
from alrakis.version import __version__

pytestmark = pytest.mark.usefixtures("cache")  # what was tuned here is of this test alone

FOUND = Tuned(
    processor=cpu().model,
    usable_cores=cpu().usable_cores,
    gpu="",
    preset="cpu-fp32",
    changes={"threads": 1},
    goal="latency",
    rtf=1.234,
    work="2 s of speech",
    day="2026-11-26",
    alrakis=__version__,
)
TEXT = FOUND.model_dump_json()


def changed(**values: object) -> str:
    return FOUND.model_copy(update=values).model_dump_json()


def test_it_is_saved_found_and_forgotten() -> None:
    assert tuned_here() is None
    path = save_tuned(FOUND)
    assert path == tuned_path().resolve()
    assert tuned_here() == FOUND
    assert FOUND.config().threads == 1
    one = FOUND.model_copy(update={"processor": "AMD EPYC", "usable_cores": 2})
    assert one.words == "tuned for latency on AMD EPYC, 2 cores, 2026-11-26: RTF 1.23, 2 s of speech"
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
    [
        "",
        "[]",
        "{}",
        TEXT.replace("cpu-fp32", "cpu-int9"),
        TEXT.replace("threads", "cores"),
        TEXT.replace("alrakis-tuned", "alrakis-tuned-2"),
        changed(alrakis="0.0.1"),
        changed(processor="Another"),
        changed(usable_cores=99),
        changed(gpu="Tesla T4"),
    ],
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


def test_a_file_that_cannot_be_read_is_told_and_passed_by(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tuned.logger, "propagate", True)
    tuned_path().mkdir(parents=True)
    assert tuned_here() is None
    assert "cannot be used: Is a directory; tune again, or remove it" in caplog.text
    caplog.clear()
    tuned_path().rmdir()
    tuned_path().parent.rmdir()
    tuned_path().parent.touch()
    assert tuned_here() is None
    assert caplog.text == ""  # no folder, no file
    with pytest.raises(OutputError, match=r"^cannot write \S+: File exists; ALRAKIS_CACHE names another"):
        save_tuned(FOUND)
