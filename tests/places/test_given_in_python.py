"""Every public function that takes a path knows `~`; new ones are found by their annotations."""

import asyncio
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import alrakis
from alrakis import Engine, LongResult, Result, Timings, api, generation
from alrakis.bench.record.runs import load_runs
from alrakis.bench.record.schema import load_results
from alrakis.errors import AlrakisError
from alrakis.files.writing import check_unwritten, file_stamp, replace_file
from tests.places.test_given import TOLD
from tests.small_voices import small_voice

NOBODYS = "~nobody-has-this/x.npz"
TINY = {"weights": "synthetic-tiny", "config": "torch-fp32"}
PATHS = ("voice", "history_prompt", "weights", "config")  # whatever their annotation says
NEEDED = {
    "text": "Hi.",
    "semantic_tokens": np.arange(20),
    "x_semantic": np.arange(20),
    "x_coarse_gen": np.arange(20).reshape(2, 10),
    "fine_tokens": np.arange(80).reshape(8, 10),
    "full_generation": small_voice(),
}


def functions() -> Iterator[Callable[..., Any]]:
    """All that `import alrakis` hands out, and what it hands out can do."""
    for name in alrakis.__all__:
        value = getattr(alrakis, name)
        if inspect.isclass(value) and not issubclass(value, AlrakisError):
            yield value
            methods = inspect.getmembers(value, inspect.isfunction)
            yield from (method for called, method in methods if not called.startswith("_"))
    for module in (api, generation):
        for name in dir(module):
            value = getattr(module, name)
            if inspect.isfunction(value) and value.__module__ == module.__name__ and name[0] != "_":
                yield value


def cases() -> dict[str, tuple[Callable[..., Any], str]]:
    found = {}
    for function in functions():
        if function is Result or not str(function.__module__).startswith("alrakis"):
            continue  # a Result's own fields are names
        for name, parameter in inspect.signature(function).parameters.items():
            if "PathLike" in str(parameter.annotation) or name in PATHS:
                found[f"{function.__qualname__}, {name}"] = (function, name)
    return found


def subject(function: Callable[..., Any]) -> list[Any]:
    """What a method is called on."""
    kind = function.__qualname__.partition(".")[0]
    if "." not in function.__qualname__:
        return []
    arrays = small_voice()
    tokens = arrays["semantic_prompt"], arrays["coarse_prompt"], arrays["fine_prompt"]
    made = Result("x", np.zeros(10, np.float32), 24_000, *tokens, 1, None, "c", "w", Timings())
    piece = alrakis.Piece(0, None, made.audio, made)  # type: ignore[arg-type]
    long = LongResult("x", made.audio, 24_000, [piece])
    return [{"Result": made, "LongResult": long}.get(kind) or Engine(**TINY)]


async def begin(function: Callable[..., Any], arguments: dict[str, Any]) -> None:
    """Call a function, up to the first of what it gives."""
    made = function(*subject(function), **arguments)
    if inspect.isawaitable(made):
        await made
    elif inspect.isasyncgen(made):
        await made.__anext__()
    elif inspect.isgenerator(made):
        next(made)


def test_these_are_known() -> None:
    assert {"Result.save, path", "save_as_prompt, filepath", "generate_fine, weights"} <= set(cases())
    assert len(cases()) > 20


@pytest.mark.parametrize("kind", [str, Path])
@pytest.mark.parametrize("case", cases())
def test_a_home_that_nobody_has_is_told(case: str, kind: type, here: Path) -> None:
    function, name = cases()[case]
    parameters = inspect.signature(function).parameters
    given = {key: value for key, value in NEEDED.items() if key in parameters}
    given |= {key: value for key, value in TINY.items() if key in parameters}
    path = kind(NOBODYS.replace(".npz", ".wav") if "save, " in case else NOBODYS)
    try:
        with pytest.raises(AlrakisError, match=TOLD):
            asyncio.run(begin(function, {**given, name: path}))
    finally:
        generation.clean_models()
    assert not list(here.iterdir())


@pytest.mark.parametrize(
    "use",
    [
        load_results,
        lambda path: load_runs([path]),
        lambda path: replace_file(path, b""),
    ],
)
def test_and_by_what_the_commands_use(use: Callable[[Any], object]) -> None:
    with pytest.raises(AlrakisError, match=TOLD):
        use(NOBODYS)
    assert file_stamp(NOBODYS) is None


def test_files_are_saved_and_found_at_home(monkeypatch: pytest.MonkeyPatch, here: Path) -> None:
    home = here / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    api.save_as_prompt("~/me.npz", small_voice())
    voice = Engine(**TINY).load_voice("~/me.npz")
    assert voice is not None
    stamp = file_stamp("~/me.npz")
    assert stamp == file_stamp(home / "me.npz") != None  # noqa: E711
    check_unwritten("~/me.npz", stamp)
    assert replace_file(Path("~/other.npz"), b"x") == home / "other.npz"
    assert [path.name for path in here.iterdir()] == ["home"]
