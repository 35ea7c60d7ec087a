"""A batch: what runs together, what is made, what failed, and what is made another time."""

import math
from pathlib import Path

import numpy as np
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from alrakis import Engine
from alrakis.audio_tags import read_tags
from alrakis.jobs.batch_folder import BatchFolder
from alrakis.jobs.batch_texts import BatchItem
from alrakis.jobs.batching import Batch, BatchTask, PlannedItem, grouped
from alrakis.sampling import Options
from alrakis.voices import Voice
from tests.cli.programs import Run, refused
from tests.jobs.batches import DEMO, QUICK, TEXTS, manifest, samples, states, write_items
from tests.jobs.books import job


def test_items_say_things_of_their_own(here: Path, run: Run) -> None:
    long = "This is a sentence of a long text, and it goes on for a while. " * 5
    write_items(here, {"text": "Hello.", "id": "a", "seed": 3}, {"text": long, "file": "long.ogg"})
    assert run("batch", "t.jsonl", "-o", "out", *QUICK).code == 0
    assert read_tags(here / "out" / "a.wav")["seed"] == "3"
    assert soundfile.info(here / "out" / "long.ogg").duration > 0.8  # of chunks of 0.4 s


def test_an_item_that_fails_is_written_down_and_passed_over(here: Path, run: Run) -> None:
    (here / "broken.npz").write_bytes(b"no voice")
    write_items(
        here,
        {"text": " ", "id": "empty"},
        {"text": "Hello.", "id": "voiceless", "voice": "v2/en_speaker_99"},
        {"text": "Hello.", "id": "broken", "voice": "broken.npz"},
        {"text": "Hello.", "id": "foreign", "lang": "xx"},
        {"text": "Hello.", "id": "fine"},
    )
    for _ in range(2):  # the second time, only what failed is tried
        ended = run("batch", "t.jsonl", "-o", "out", *QUICK)
        assert ended.code == 1
        assert "Traceback" not in ended.err
        assert "4 of 5 rows failed; out/manifest.jsonl says why" in ended.err
        assert states(here) == {
            "empty": "failed", "voiceless": "failed", "broken": "failed", "foreign": "failed", "fine": "done",
        }  # fmt: skip
    reasons = {item["id"]: item["error"] for item in manifest(here)[1:]}
    assert "empty" in reasons["empty"]
    assert "v2/en_speaker_99" in reasons["voiceless"]
    assert reasons["fine"] is None
    assert "0 files in out; 1 were there" in ended.err


def test_an_item_that_says_nothing_fails_alone(here: Path, run: Run) -> None:
    write_items(here, {"text": "Hello."}, {"text": "Good day."})
    ended = run("batch", "t.jsonl", "-o", "out", *DEMO, "--max-duration", "0", "--min-eos-p", "0")
    assert ended.code == 1
    assert set(states(here).values()) == {"failed"}
    assert "no speech was made" in manifest(here)[1]["error"]


def test_items_added_later_are_made_and_the_others_left(texts: Path, run: Run) -> None:
    run("batch", "t.txt", "-o", "out", *QUICK)
    before = (texts / "out" / "0001.wav").stat().st_mtime_ns
    (texts / "t.txt").write_text("\n".join([*TEXTS, "One more."]))
    (texts / "out" / "0002.wav").unlink()
    ended = run("batch", "t.txt", "-o", "out", *QUICK)
    assert "made 2 files in out" in ended.err
    assert len(states(texts)) == 7
    assert (texts / "out" / "0001.wav").stat().st_mtime_ns == before


def test_without_a_seed_it_goes_on_with_the_one_that_it_drew(texts: Path, run: Run) -> None:
    arguments = ["batch", "t.txt", "-o", "out", *DEMO, "--max-duration", "0.2"]
    run(*arguments)
    audio = samples(texts / "out" / "0004.wav")
    (texts / "out" / "0004.wav").unlink()
    assert run(*arguments).code == 0
    assert np.array_equal(samples(texts / "out" / "0004.wav"), audio)


def test_going_on_needs_no_settings_again(texts: Path, run: Run) -> None:
    options = ["--weights", "synthetic-tiny", "--config", "torch-fp32", "--max-duration", "0.2"]
    run("batch", "t.txt", "-o", "out", "--format", "flac", "--lang", "de", *options)
    settings, audio = manifest(texts)[0], samples(texts / "out" / "0004.flac")
    (texts / "out" / "0004.flac").unlink()
    ended = run("batch", "t.txt", "-o", "out")
    assert ended.code == 0, ended.err
    assert "made 1 files in out" in ended.err
    assert manifest(texts)[0] == settings
    assert np.array_equal(samples(texts / "out" / "0004.flac"), audio)
    refused(run("batch", "t.txt", "-o", "out", "--lang", "fr"), "lang was 'de', now 'fr'", "leave it out")


def test_groups_have_one_voice_and_like_lengths() -> None:
    first, second = (Voice(*[np.zeros(1, np.int64)] * 3, name=name) for name in "ab")
    planned = [
        PlannedItem(BatchItem(line=i, id=str(i), file="f", text="t"), "t", i == 5, 0, voice, seconds)
        for i, (voice, seconds) in enumerate(
            [
                (first, 3.0),
                (second, 1.0),
                (first, 1.0),
                (None, 2.0),
                (first, 2.0),
                (first, 40.0),
                (second, 0.5),
            ]
        )
    ]
    groups = [[plan.item.line for plan in group] for group in grouped(planned, 2)]
    assert sorted(groups) == [[0], [2, 4], [3], [5], [6, 1]]


VOICES = [None, *(Voice(*[np.zeros(1, np.int64)] * 3, name=name) for name in "ab")]
plans = st.builds(
    PlannedItem,
    item=st.builds(BatchItem, line=st.integers(0), id=st.just("i"), file=st.just("f"), text=st.just("t")),
    text=st.just("t"),
    long=st.booleans(),
    seed=st.just(0),
    voice=st.sampled_from(VOICES),
    seconds=st.floats(0.1, 60),
)


@given(st.lists(plans, max_size=20), st.integers(1, 5))
def test_groups_are_as_few_as_can_be_and_hold_every_item_once(planned: list[PlannedItem], most: int) -> None:
    groups = list(grouped(planned, most))
    assert sorted(id(plan) for group in groups for plan in group) == sorted(map(id, planned))
    for group in groups:
        assert len({id(plan.voice) for plan in group}) == 1
        assert len(group) <= (1 if group[0].long else most)
        assert [plan.seconds for plan in group] == sorted(plan.seconds for plan in group)
    short = [plan.voice for plan in planned if not plan.long]
    fewest = sum(math.ceil(sum(voice is own for own in short) / most) for voice in VOICES)
    assert len(groups) == fewest + sum(plan.long for plan in planned)


def test_one_item_that_cannot_be_said_does_not_take_its_group_along(tmp_path: Path) -> None:
    """Items that run together are said one by one when something goes wrong with one of them."""
    items = [BatchItem(line=i, id=name, file=f"{name}.wav", text=name) for i, name in enumerate("ab")]
    odd = BatchItem(line=2, id="c", file="c.wav", text="\u3053\u308c\u306f")  # no letter that the demo knows
    folder = BatchFolder(tmp_path / "out")
    with folder.hold(), Engine("demo", "cpu-fp32", threads=1) as engine:
        settings = job(seed=1, options=Options(max_gen_duration_s=0.2))
        batch = Batch(engine, BatchTask([*items, odd], settings), folder)
        made = [finished for group in batch.make() for finished in group]
    assert {finished.id: finished.state for finished in made} == {"a": "done", "b": "done", "c": "failed"}
    assert batch.done.keys() == {"a", "b"}
    assert [finished.id for finished in batch.failed] == ["c"]
    assert "nothing of" in (batch.failed[0].error or "")
    assert sorted(path.name for path in folder.folder.glob("*.wav")) == ["a.wav", "b.wav"]
