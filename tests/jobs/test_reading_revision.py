"""A text beside what was read of it: what is kept, made, left out, and found again."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from alrakis.jobs.reading_manifest import ChunkState, TakeState
from alrakis.jobs.reading_revision import Revision, revised
from alrakis.text.splitting import Chunk


def chunks_of(*texts: str) -> list[Chunk]:
    """A chunk for each text; "A:x" is said by A."""
    return [Chunk(text, "sentence", text[0] if ":" in text else None, 1.0) for text in texts]


def made(*texts: str, seed: int = 100) -> list[ChunkState]:
    """The chunks of a text that was read to its end."""
    return all_made(revised([], [], chunks_of(*texts), seed).chunks)


def all_made(chunks: list[ChunkState]) -> list[ChunkState]:
    for chunk in chunks:
        chunk.chosen.state = "done"
    return chunks


def revise(found: Sequence[ChunkState], *texts: str) -> Revision:
    return revised(found, [], chunks_of(*texts), 100)


def test_a_text_begins_with_a_seed_a_chunk() -> None:
    begun = revise([], "a", "b", "a")
    assert [chunk.chosen.seed for chunk in begun.chunks] == [100, 101, 102]
    assert (begun.changed, begun.gone, begun.former) == ([1, 2, 3], 0, [])


def test_the_same_text_changes_nothing() -> None:
    found = made("a", "b", "A:c", "b")
    again = revise(found, "a", "b", "A:c", "b")
    assert again == Revision(found, [])


def test_a_correction_keeps_the_seed_and_the_earlier_takes() -> None:
    plan = revise(made("a", "b", "c"), "a", "B", "c")
    assert (plan.changed, plan.gone) == ([2], 0)
    second = plan.chunks[1]
    assert [(take.text, take.seed, take.state) for take in second.takes] == [
        ("b", 101, "done"),
        ("B", 101, "waiting"),
    ]
    assert second.take == 2
    back = revise(plan.chunks, "a", "b", "c").chunks[1]
    assert (back.take, [take.text for take in back.takes]) == (1, ["b"]), "what was never made is forgotten"
    forth = revise(all_made(plan.chunks), "a", "b", "c").chunks[1]
    assert (forth.take, [take.text for take in forth.takes]) == (1, ["b", "B"])


def test_a_chunk_put_in_the_middle_has_a_seed_of_its_own() -> None:
    found = made("a", "b", "c")
    plan = revise(found, "a", "new", "b", "c")
    assert plan.changed == [2]
    assert [chunk.chosen.seed for chunk in plan.chunks] == [100, 104, 101, 102]
    for before, now in zip(found, [plan.chunks[0], *plan.chunks[2:]], strict=True):
        assert now.takes is before.takes


def test_paragraphs_that_moved_are_kept() -> None:
    plan = revise(made("a", "b", "c", "d", "e"), "d", "e", "a", "b", "c")
    assert (plan.changed, plan.gone, plan.former) == ([], 0, [])
    assert [chunk.chosen.seed for chunk in plan.chunks] == [103, 104, 100, 101, 102]


def test_another_speaker_says_it_anew() -> None:
    assert revise(made("A:yes", "no"), "B:yes", "no").changed == [1]


def test_what_was_left_out_comes_back_with_its_takes() -> None:
    found = made("a", "b", "c")
    found[1].add(seed=7)
    all_made(found)
    without = revise(found, "a", "c")
    assert (without.changed, without.gone) == ([], 1)
    again = revised(without.chunks, without.former, chunks_of("a", "c", "b"), 100)
    assert (again.changed, again.former) == ([], [])
    assert [take.seed for take in again.chunks[2].takes] == [101, 7]
    assert again.chunks[2].take == 2


def test_a_take_that_was_chosen_stays_though_it_says_something_else() -> None:
    plan = revise(made("a", "b"), "a", "B")
    plan.chunks[1].take = 1
    assert revise(plan.chunks, "a", "B").chunks[1].take == 1


texts = st.lists(st.sampled_from(["a", "b", "c", "A:d", "e", "f"]), min_size=1, max_size=12)


@given(st.lists(texts, min_size=2, max_size=5), st.data())
def test_whatever_becomes_of_a_text_nothing_that_was_made_is_lost(
    versions: list[list[str]], data: st.DataObject
) -> None:
    chunks: list[ChunkState] = []
    former: list[list[TakeState]] = []
    files: set[str] = set()
    for version in versions:
        plan = revised(chunks, former, chunks_of(*version), 100)
        chunks, former = plan.chunks, plan.former
        assert [chunk.text for chunk in chunks] == version
        assert [chunk.chunk for chunk in chunks] == list(range(1, len(version) + 1))
        seeds = [(chunk.chosen.text, chunk.chosen.seed) for chunk in chunks]
        assert len(set(seeds)) == len(seeds), "two files would have one name"
        there = [take for chunk in chunks for take in chunk.takes]
        there += [take for takes in plan.former for take in takes]
        assert len({take.file for take in there}) == len(there)
        assert files <= {take.file for take in there}
        for chunk in chunks:
            if data.draw(st.booleans()):
                chunk.chosen.state = "done"
                files.add(chunk.chosen.file)


@given(texts, texts)
def test_what_is_kept_is_as_much_as_both_texts_have(before: list[str], now: list[str]) -> None:
    plan = revise(made(*before), *now)
    common = sum(min(before.count(text), now.count(text)) for text in set(now))
    assert len(now) - len(plan.changed) == common
