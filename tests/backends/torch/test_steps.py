"""Many steps without the host, against one step after the other: as calls, as replays, compiled."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch._dynamo
from hypothesis import given, settings
from hypothesis import strategies as st

from alrakis.backends.torch import model as torch_model
from alrakis.backends.torch.cuda import Arrival
from alrakis.backends.torch.gpt import TorchCausalGPT
from alrakis.backends.torch.steps import STRIDE, Steps, bucket
from alrakis.errors import BackendError, GenerationError, InputError
from alrakis.sampling import Draws, Sampling
from alrakis.spec import CONTEXT, Stage
from tests.backends.tiny import COARSE_HEADS, SHAPES, TEXT_HEADS, stage_weights
from tests.backends.torch.replays import Replays, kernels

CPU = torch.device("cpu")
HEADS: dict[Stage, Any] = {"text": TEXT_HEADS, "coarse": COARSE_HEADS}
SLOTS = 5
WAYS: dict[str, Callable[[], dict[str, Any]]] = {
    "replayed": lambda: {"recorder": Replays()},
    "compiled": lambda: {"compile": True, "compiler": "eager"},
}
SAMPLINGS = [Sampling(0.7), Sampling(0), Sampling(1.3), Sampling(0.7, top_k=20), Sampling(0.7, top_p=0.8)]


def gpt(stage: Stage, way: str | None = None, slots: int = SLOTS) -> TorchCausalGPT:
    options = WAYS[way]() if way else {}
    return TorchCausalGPT(stage_weights(stage), HEADS[stage], CPU, torch.float32, slots=slots, **options)


def prefix(length: int, stage: Stage = "text") -> np.ndarray:
    return np.random.default_rng(length).integers(0, 96 if stage == "text" else 2112, (1, length))


def alone(stage: Stage, tokens: np.ndarray, added: np.ndarray | None, draws: Draws) -> list[int]:
    """Each token by itself, with a prefix of all its positions."""
    lone = gpt(stage, slots=1)
    logits, drawn = lone.admit([0], tokens, added), []
    for done in range(draws.count):
        if done:
            logits = lone.step([0])
        drawn.append(int(lone.read(lone.draw(logits, [0], [draws.at(done)]))[0]))
    return drawn


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    torch._dynamo.reset()
    return str(request.param)


@pytest.mark.parametrize("stage", HEADS)
def test_strides_are_single_steps(stage: Stage, way: str) -> None:
    """Rows begin and stop at places of their own; a bucket's edge is crossed; top_k goes step by step."""
    model = gpt(stage, way)
    assert model.stride == STRIDE
    heads = {"text": [(0,), (1,)], "coarse": [(0, 1), (1, 0)]}[stage]
    stops = Sampling(0.7, stop_p=0.2 if stage == "text" else None)
    rows = {
        0: (prefix(505, stage), Draws(3, 0, stops, heads[0], 40)),
        2: (prefix(300, stage), Draws(2**64 - 1, 60, Sampling(0), heads[1], 33)),
        4: (prefix(257, stage), Draws(9, 2**40, Sampling(1.3), heads[0], 5)),
    }
    added = prefix(200, stage)
    for slot, (tokens, _) in rows.items():
        model.enter([slot], tokens, added)
    found: dict[int, list[int]] = {slot: [] for slot in rows}
    while True:
        left = {
            slot: Draws(own.seed, own.step + len(found[slot]), own.sampling, turned(own, len(found[slot])), n)
            for slot, (_, own) in rows.items()
            if (n := own.count - len(found[slot]))
        }
        if not left:
            break
        drawn = model.read(model.advance(list(left), list(left.values())))
        for row, (slot, own) in zip(drawn, left.items(), strict=True):
            found[slot] += row[: min(STRIDE, own.count)].tolist()
    for slot, (tokens, own) in rows.items():
        assert found[slot] == alone(stage, tokens, added, own)


def turned(draws: Draws, done: int) -> tuple[int, ...]:
    turn = done % len(draws.heads)
    return (*draws.heads[turn:], *draws.heads[:turn])


@settings(max_examples=6)
@given(st.data())
def test_whoever_moves_beside_whom(way: str, data: st.DataObject) -> None:
    """Rows enter, move in any company, wait, change how they are drawn, leave; each is as it is alone."""
    stage: Stage = data.draw(st.sampled_from(["text", "coarse"]))
    model, flying = gpt(stage, way), {}
    for number in range(data.draw(st.integers(1, 8))):
        free = [slot for slot in range(SLOTS) if slot not in flying]
        what = data.draw(st.sampled_from(["enter", "move", "move", "leave"]))
        if what == "enter" and free:
            slot = data.draw(st.sampled_from(free))
            tokens = prefix(data.draw(st.sampled_from([1, 2, 30, 505])), stage)
            sampling = data.draw(st.sampled_from(SAMPLINGS))
            heads = data.draw(st.sampled_from([(0,), (1,)] + [(0, 1), (1, 0)] * (stage == "coarse")))
            model.enter([slot], tokens)
            flying[slot] = tokens, Draws(number, 7 * number, sampling, heads, 0), []
        elif what == "move" and flying:
            slots = sorted(data.draw(st.sets(st.sampled_from(sorted(flying)), min_size=1)))
            counts = [data.draw(st.sampled_from([1, 3, STRIDE + 2])) for _ in slots]
            draws = [
                Draws(own.seed, own.step + len(said), own.sampling, turned(own, len(said)), count)
                for (_, own, said), count in zip((flying[slot] for slot in slots), counts, strict=True)
            ]
            drawn = model.read(model.advance(slots, draws))
            for slot, row, count in zip(slots, drawn, counts, strict=True):
                flying[slot][2].extend(row[: min(count, STRIDE)].tolist())
        elif what == "leave" and flying:
            slot = data.draw(st.sampled_from(sorted(flying)))
            check(stage, *flying.pop(slot))
            model.leave(slot)
    for row in flying.values():
        check(stage, *row)


def check(stage: Stage, tokens: np.ndarray, own: Draws, said: list[int]) -> None:
    whole = Draws(own.seed, own.step, own.sampling, own.heads, len(said))
    assert said == (alone(stage, tokens, None, whole) if said else [])


def test_a_stride_may_go_on_where_single_draws_stopped(way: str) -> None:
    """A prefix with its draw, a step with its draw, a stride, a step: in any order."""
    model, own, tokens = gpt("text", way), Draws(5, 0, Sampling(0.7), (0,), 21), prefix(40)
    logits = model.admit([1], tokens)
    said = [int(model.read(model.draw(logits, [1], [own.at(0)]))[0])]
    said += [int(model.read(model.draw(model.step([1]), [1], [own.at(1)]))[0])]
    drawn = model.advance([1], [Draws(5, 2, own.sampling, (0,), 40)])
    said += model.read(drawn)[0, :STRIDE].tolist()
    for done in range(len(said), 21):
        said += [int(model.read(model.draw(model.step([1]), [1], [own.at(done)]))[0])]
    assert said == alone("text", tokens, None, own)


def test_to_the_last_position_and_not_beyond(way: str) -> None:
    model, tokens = gpt("text", way), prefix(CONTEXT - 20)
    own = Draws(5, 0, Sampling(0.7), (0,), 21)
    model.enter([0], tokens)
    model.enter([3], prefix(30))
    beside = Draws(6, 0, Sampling(0.7), (0,), 60)
    said = model.read(model.advance([0, 3], [own, beside]))[0, :STRIDE].tolist()
    rest = Draws(5, STRIDE, own.sampling, (0,), 5)
    said += model.read(model.advance([0, 3], [rest, Draws(6, STRIDE, own.sampling, (0,), 44)]))[
        0, :5
    ].tolist()
    assert said == alone("text", tokens, None, own)
    with pytest.raises(BackendError, match="1024 of 1024 positions"):
        model.advance([0], [Draws(5, 21, own.sampling, (0,), 1)])
    last = model.read(model.advance([3], [Draws(6, 2 * STRIDE, own.sampling, (0,), 28)]))[0, :STRIDE]
    assert last.tolist() == alone("text", prefix(30), None, beside)[2 * STRIDE : 3 * STRIDE]


def test_what_is_not_a_number_is_its_own_rows(way: str) -> None:
    broken = stage_weights("text")
    broken.arrays["transformer.wte.weight"] = broken.arrays["transformer.wte.weight"].copy()
    broken.arrays["transformer.wte.weight"][77] = np.inf
    model = TorchCausalGPT(broken, TEXT_HEADS, CPU, torch.float32, slots=SLOTS, **WAYS[way]())
    model.enter([0], np.full((1, 20), 77))
    model.enter([1], prefix(20) % 70)
    drawn = model.advance([0, 1], [Draws(1, 0, Sampling(0.7), (0,), 30), Draws(2, 0, Sampling(0.7), (0,), 3)])
    with pytest.raises(GenerationError, match="not a number"):
        model.read(drawn)
    with pytest.raises(GenerationError, match="not a number"):
        model.read(drawn[0:1])
    expected = alone("text", prefix(20) % 70, None, Draws(2, 0, Sampling(0.7), (0,), 3))
    assert model.read(drawn[1:2])[0, :3].tolist() == expected


def test_the_host_says_something_only_when_it_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes that go to the device in a run: those of its beginning, and none at any step."""
    said: list[Any] = []
    upload = Steps._upload
    monkeypatch.setattr(Steps, "_upload", lambda self, told: (said.append(told), upload(self, told)))
    model = gpt("coarse", "compiled")
    model.enter([0], prefix(257, "coarse"))
    model.enter([2], prefix(257, "coarse"))
    for done in range(0, 60, STRIDE):
        draws = [Draws(seed, done, Sampling(0.7), (0, 1), 60 - done) for seed in (1, 2)]
        model.advance([0, 2], draws)
    assert len(said) == 1
    for done in range(60, 120, STRIDE):  # the next window goes on with what the cache holds
        model.advance([0, 2], [Draws(seed, done, Sampling(0.7), (0, 1), 120 - done) for seed in (1, 2)])
    assert len(said) == 2


def test_nothing_is_recorded_later_than_at_the_beginning() -> None:
    recorder = Replays()
    own = stage_weights("text"), TEXT_HEADS, CPU, torch.float32
    model = TorchCausalGPT(*own, slots=4, recorder=recorder)
    told: list[int] = []
    model.record(told.append)
    ranges, lengths = 4, 3  # slots 1, 2, all 4, and the last alone; 512, 768, 1024
    count = ranges * (1 + lengths)
    assert told == [1] * model.recordings == [1] * count
    assert len(recorder.recorded) == count
    random = np.random.default_rng(0)
    for text in range(10):
        slots = sorted(random.choice(4, random.integers(1, 5), replace=False).tolist())
        tokens = prefix(int(random.integers(2, 900)))
        model.enter(slots, np.repeat(tokens, len(slots), 0))
        draws = [Draws(text, 0, Sampling(0.7), (0,), int(random.integers(1, 100))) for _ in slots]
        model.advance(slots, draws)
    assert len(recorder.recorded) == count


@pytest.mark.parametrize(
    ("length", "expected"), [(1, 512), (512, 512), (513, 768), (1000, 1024), (1024, 1024)]
)
def test_lengths_of_attention_are_few(length: int, expected: int) -> None:
    assert bucket(length, CONTEXT) == expected


def test_a_prefix_has_room_for_what_is_added_onto_it() -> None:
    model = gpt("text", "compiled")
    with pytest.raises(InputError, match="nothing can be added onto the last"):
        model.enter([0], prefix(4), prefix(4))
    with pytest.raises(InputError, match="1 to 1024"):
        model.enter([0], prefix(1025))
    assert model.read(model.advance([0], [Draws(0, 0, Sampling(0), (0,), 1)])).shape == (1, STRIDE + 1)


def test_kernels_of_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """How many a device has to run for a step, without a compiler: of a layer, and beside the layers."""
    counts = {}
    for in_place in (False, True):
        monkeypatch.setattr(torch_model, "adds_in_place", lambda x, own=in_place: own)
        for stage in HEADS:
            steps = gpt(stage, "replayed", 1)._made_steps()
            rows, views = steps._rows(slice(0, 1)), steps._cache.views(slice(0, 1))
            step = kernels(lambda: steps._one_step(rows, views, steps._seen[:, :512]))  # noqa: B023
            begin = kernels(lambda: steps._begin_stride(rows))  # noqa: B023
            steps._exponential = lambda *given, own=rows.noise: own[:, :STRIDE] + 1  # as one kernel makes it
            short = kernels(lambda: steps._begin_stride(rows))  # noqa: B023
            norms = [number for number, name in enumerate(step) if name.startswith("native_layer_norm")]
            layer = norms[2] - norms[0]  # from one layer's first norm to the next one's
            layers = SHAPES[stage].n_layer
            counts[stage, in_place] = layer, len(step) - layers * layer, len(begin), len(short)
            twelve = counts[stage, in_place][1] + 12 * layer
            print(
                f"{stage}, products added in place {in_place}: {layer} a layer, {len(step) - layers * layer} "
                f"beside, {len(begin)} a stride, {len(short)} with noise in one; 12 layers "
                f"{twelve + len(begin) / STRIDE:.0f} and {twelve + len(short) / STRIDE:.0f} a step"
            )
    assert {count[0] for (_, in_place), count in counts.items() if in_place} == {9}
    assert max(count[1] for count in counts.values()) <= 32
    assert max(count[2] for count in counts.values()) <= 290  # for STRIDE steps
    assert max(count[3] for count in counts.values()) <= 20


def test_a_product_that_is_added_in_place_gives_the_same_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    own, tokens = Draws(5, 0, Sampling(0.7), (0,), 20), prefix(40)
    expected = alone("text", tokens, None, own)
    monkeypatch.setattr(torch_model, "adds_in_place", lambda x: True)
    assert alone("text", tokens, None, own) == expected


def test_arrivals_keep_what_was_there_and_give_rows() -> None:
    tokens = torch.arange(12).view(3, 4)
    arrival = Arrival(tokens)
    tokens.zero_()
    assert arrival[[2, 0]][1:].read().tolist() == [[0, 1, 2, 3]]
    assert arrival.read().shape == (3, 4)
