"""The scheduler over stages that only count: what is batched with what, and when."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alrakis.errors import BackendError, GenerationError, InputError
from alrakis.long.scheduler import Scheduler, Spoken, Take
from alrakis.long.voices import Steady, SteadyVoices
from alrakis.result import Result
from alrakis.sampling import Options
from alrakis.timings import Clock, Timings
from alrakis.voices import Voice

OPTIONS = Options()
NOTHING = np.empty((2, 0), np.int64)


class Counting:
    """Stages that say a text's length in tokens; a text of no letters is silent."""

    config: SimpleNamespace

    def __init__(self) -> None:
        self.said: list[list[str]] = []
        self.voiced: list[list[tuple[str, str | None]]] = []

    def text_to_semantic(self, texts: Sequence[str], *rest: Any, **options: Any) -> list[Any]:
        self.said.append(list(texts))
        return [np.arange(len(text.strip("-"))) for text in texts]

    def semantic_to_results(
        self,
        texts: Any,
        semantics: Any,
        voices: Any,
        seeds: Any,
        options: Options,
        *,
        silent: bool,
        clock: Clock,
    ) -> list[Result]:
        names = [voice.name if voice else None for voice in voices]
        if any(len(tokens) for tokens in semantics):
            self.voiced.append(list(zip(texts, names, strict=True)))
        return [
            Result(
                text,
                tokens.astype(np.float32),
                24_000,
                tokens,
                NOTHING,
                NOTHING,
                seed,
                name,
                "c",
                "w",
                Timings(),
            )
            for text, tokens, seed, name in zip(texts, semantics, seeds, names, strict=True)
        ]


def takes_of(texts: Sequence[str]) -> list[Take]:
    return [Take(i, text, 100 + i) for i, text in enumerate(texts)]


def scheduler(
    stages: Counting, texts: Sequence[str], voices: SteadyVoices, max_batch: int = 8, **options: Any
) -> Scheduler:
    stages.config = SimpleNamespace(max_batch=max_batch)
    return Scheduler(stages, takes_of(texts), voices, OPTIONS, **options)  # type: ignore[arg-type]


def one_voice(count: int) -> SteadyVoices:
    return SteadyVoices([None] * count, {None: None}, "voice")


def test_batches_stay_full_when_chunks_have_nothing_to_say() -> None:
    stages = Counting()
    texts = ["a", "-", "b", "-", "c", "d", "-", "e", "f", "g", "h", "-", "i", "j", "k", "l"]
    made = list(scheduler(stages, texts, one_voice(len(texts)), max_batch=4).results())
    assert sorted(take.index for take, _ in made) == list(range(16))
    assert [[text for text, _ in batch] for batch in stages.voiced] == [
        list("abcd"),
        list("efgh"),
        list("ijkl"),
    ]


def test_batches_of_a_dialogue_are_full_and_in_one_voice() -> None:
    speakers = ["A", "B"] * 8
    voices = {name: Voice(NOTHING[0], NOTHING, NOTHING, name) for name in "AB"}
    stages = Counting()
    list(scheduler(stages, speakers, SteadyVoices(speakers, {**voices}, "voice"), max_batch=4).results())
    assert [len(batch) for batch in stages.voiced] == [4, 4, 4, 4]
    assert all(len({name for _, name in batch}) == 1 for batch in stages.voiced)


def test_batches_grow_from_one() -> None:
    stages = Counting()
    made = scheduler(stages, ["x"] * 20, one_voice(20), batch=1).results()
    assert [take.index for take, _ in made] == list(range(20))
    assert [len(batch) for batch in stages.voiced] == [1, 2, 4, 8, 5]


def test_the_first_chunk_that_speaks_gives_the_voice() -> None:
    stages = Counting()
    list(scheduler(stages, ["-", "a", "b", "c"], SteadyVoices([None] * 4, {}, "voice")).results())
    assert stages.voiced == [[("a", None)], [("b", "chunk 2"), ("c", "chunk 2")]]


def test_a_chain_goes_on_from_the_chunk_before_of_the_same_speaker() -> None:
    stages = Counting()
    voices = SteadyVoices(["A", "B", "A", "A", "B"], {}, "chain")
    list(scheduler(stages, ["a", "b", "-", "c", "d"], voices).results())
    assert dict(pair for batch in stages.voiced for pair in batch) == {
        "a": None, "b": None, "c": "chunk 1", "d": "chunk 2",
    }  # fmt: skip


class Refusing(Counting):
    """Stages that can't say a text with a "!", and make no sound of one with a "?"."""

    def text_to_semantic(self, texts: Sequence[str], *rest: Any, **options: Any) -> list[Any]:
        if any("!" in text for text in texts):
            raise InputError("no word for it")
        return super().text_to_semantic(texts, *rest, **options)

    def semantic_to_results(self, texts: Any, *rest: Any, **options: Any) -> list[Result]:
        if any("?" in text for text in texts):
            raise GenerationError("no sound of it")
        return super().semantic_to_results(texts, *rest, **options)


@given(
    st.lists(st.sampled_from(["a", "b", "-", "!", "?"]), min_size=1, max_size=12),
    st.integers(1, 5),
    st.sampled_from(["voice", "chain"]),
    st.booleans(),
)
def test_what_cannot_be_said_fails_alone(
    texts: list[str], max_batch: int, steady: Steady, given_voice: bool
) -> None:
    voices: dict[str | None, Voice | None] = {None: None} if given_voice else {}
    steps = list(
        scheduler(Refusing(), texts, SteadyVoices([None] * len(texts), voices, steady), max_batch).steps()
    )
    failed = {take.index: str(error) for step in steps for take, error in step.failed}
    reasons = {"!": "no word for it", "?": "no sound of it"}
    assert failed == {i: reasons[text] for i, text in enumerate(texts) if text in reasons}
    made = sorted(take.index for step in steps for take, _ in step.results)
    assert made == [i for i in range(len(texts)) if i not in failed]


def test_whoever_takes_results_alone_is_told_what_cannot_be_said() -> None:
    with pytest.raises(InputError, match="no word for it"):
        list(scheduler(Refusing(), ["a", "!"], one_voice(2)).results())


def test_what_is_wrong_with_all_of_it_ends_the_work() -> None:
    class Broken(Counting):
        def text_to_semantic(self, *rest: Any, **options: Any) -> list[Any]:
            raise BackendError("out of memory")

    with pytest.raises(BackendError):
        list(scheduler(Broken(), ["a", "b"], one_voice(2)).steps())


texts_of = st.lists(st.sampled_from(["-", "a", "bb", "ccc"]), min_size=1, max_size=14)


@given(texts_of, st.integers(1, 5), st.sampled_from(["voice", "chain"]), st.booleans(), st.data())
def test_stopped_anywhere_it_goes_on_with_the_same_batches(
    texts: list[str], max_batch: int, steady: Steady, given_voice: bool, data: st.DataObject
) -> None:
    speakers = data.draw(st.lists(st.sampled_from(["A", "B"]), min_size=len(texts), max_size=len(texts)))
    given_voices: dict[str | None, Voice | None] = {"A": None, "B": None} if given_voice else {}
    whole = Counting()
    made = dict(scheduler(whole, texts, SteadyVoices(speakers, given_voices, steady), max_batch).results())
    assert len(made) == len(texts)

    stages = Counting()
    stages.config = SimpleNamespace(max_batch=max_batch)
    done: dict[int, Voice | None] = {}
    pool: dict[int, Spoken] = {}
    batch: int | None = None
    while len(done) < len(texts):
        voices = SteadyVoices(speakers, given_voices, steady, done=done, recall=done.get)
        if steady == "voice":
            voices = SteadyVoices(speakers, {**kept(speakers, done), **given_voices}, steady, done=done)
        waiting = [t for t in takes_of(texts) if t.index not in done and t.index not in pool]
        again = Scheduler(
            stages,  # type: ignore[arg-type]
            waiting,
            voices,
            OPTIONS,
            batch=batch,
            pool=list(pool.values()),
        )
        for number, step in enumerate(again.steps()):
            batch = step.batch
            pool.update((spoken.take.index, spoken) for spoken in step.spoken)
            for take, result in step.results:
                pool.pop(take.index, None)
                done[take.index] = as_voice(take.index, result)
            if data.draw(st.booleans(), label=f"stop after step {number}"):
                break
    assert stages.said == whole.said
    assert stages.voiced == whole.voiced


def as_voice(index: int, result: Result) -> Voice | None:
    return Voice(NOTHING[0], NOTHING, NOTHING, f"chunk {index + 1}") if len(result.audio) else None


def kept(speakers: list[str], done: dict[int, Voice | None]) -> dict[str | None, Voice | None]:
    found: dict[str | None, Voice | None] = {}
    for index in sorted(done):
        if done[index] is not None:
            found.setdefault(speakers[index], done[index])
    return found
