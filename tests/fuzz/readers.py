"""All that reads a file or a text of somebody else's: how its files are damaged, and how they are read."""

from pathlib import Path
from typing import Any

from alrakis.bench.record.schema import load_results
from alrakis.cli.arguments import parse_cast, parse_overrides
from alrakis.config import load_config
from alrakis.errors import InputError
from alrakis.export.accuracy.report import report_from_json
from alrakis.export.store import Store
from alrakis.jobs.batch_folder import BatchFolder
from alrakis.jobs.batch_texts import read_items
from alrakis.jobs.reading_folder import ReadingFolder
from alrakis.jobs.reading_manifest import TakeState
from alrakis.spec import STAGES, Layout
from alrakis.text.encoder import bert_tokenizer
from alrakis.text.lexicon import read_lexicon
from alrakis.text.speakers import check_cast
from alrakis.text.splitting import split_text
from alrakis.voices import load_voice
from alrakis.weights import open_weights
from alrakis.weights.codec import read_codec
from alrakis.weights.folder_voices import folder_voices
from alrakis.weights.safetensors_file import read_safetensors
from alrakis.weights.suno import read_checkpoint
from alrakis.weights.torch_file import read_torch_file, tensors_as_arrays
from alrakis.weights.transformers_folder import TransformersFolder
from tests.fuzz import mutate
from tests.fuzz.book_readers import BOOK_READERS
from tests.fuzz.cache_readers import CACHE_READERS
from tests.fuzz.reader import Reader, attempt, only
from tests.fuzz.seeds import TINY_CODEC
from tests.fuzz.server_readers import SERVER_READERS

LAYOUT = Layout()
CODEC_LAYOUT = Layout(codebook_size=TINY_CODEC.codebook_size)
DEMO = open_weights("demo")
TOKENIZER = DEMO.tokenizer()
TOKENIZER.encode("5")  # imports what reads numbers


def touch(arrays: dict[str, Any]) -> None:
    """Read every byte of some arrays: those outside of a file end the process."""
    for array in arrays.values():
        array.tobytes()


def read_torch(folder: Path) -> None:
    path = only(folder)
    state = read_torch_file(path)
    touch(tensors_as_arrays(path, state.get("model", state) if isinstance(state, dict) else state))
    read_checkpoint(path, "coarse", LAYOUT)


def read_transformers(folder: Path) -> None:
    weights = TransformersFolder(folder)
    each = [
        lambda: weights.layout,
        weights.fetch,
        *(lambda stage=stage: weights.stage(stage) for stage in STAGES),
    ]
    attempt(*each[:1], *each[2:])


def read_codec_file(folder: Path) -> None:
    touch(dict(read_codec(only(folder), CODEC_LAYOUT).arrays))


def read_folder_voices(folder: Path) -> None:
    """Every voice that a folder of weights says it has."""
    voices = folder_voices(folder)
    attempt(*(lambda name=name: load_voice(name, LAYOUT, weights_voices=voices) for name in voices))


def read_work(folder: Path) -> None:
    work = ReadingFolder(folder)
    manifest = work.load()
    if manifest is None:
        return
    for chunk in manifest.chunks:
        attempt(
            lambda chunk=chunk: work.audio(chunk),
            lambda chunk=chunk: work.chunk_voice(chunk, LAYOUT),
            lambda chunk=chunk: read_tokens(work, chunk.chosen),
        )
    work.kept_voices(manifest, LAYOUT)


def read_tokens(work: ReadingFolder, take: TakeState) -> None:
    """As `read` does, which makes a chunk again whose tokens are damaged."""
    try:
        work.known(take, LAYOUT)
    except (OSError, ValueError) as error:
        raise InputError(str(error)) from None


def read_rows(folder: Path) -> None:
    path = only(folder)
    read_items(path.read_bytes().decode("utf-8", "replace"), path.name, ".wav")


def read_settings(folder: Path) -> None:
    items = only(folder).read_bytes().decode("utf-8", "surrogateescape").split("\n")
    for item in items[:100]:
        load_config("cpu-int8", parse_overrides([item]))


def read_cast(folder: Path) -> None:
    cast, _, text = only(folder).read_bytes().decode("utf-8", "surrogateescape").partition("\n\n")
    check_cast(parse_cast(cast.split("\n")), [text])


def read_long(folder: Path) -> None:
    text = only(folder).read_bytes().decode("utf-8", "surrogateescape")[:1000]
    attempt(
        lambda: split_text(text, TOKENIZER, cast=["MAN", "WOMAN"]),
        lambda: TOKENIZER.encode(text),
        lambda: TOKENIZER.remarks(text),  # type: ignore[attr-defined]
    )


def read_words(folder: Path) -> None:
    read_lexicon(only(folder)).parts("Hermione paid 300 kr, said Dr. Who. " * 20, "de", "MAN")


def read_artifacts(folder: Path) -> None:
    for artifact in Store(folder).artifacts():
        report = report_from_json(artifact.notes.get("report"))
        if report:
            report.lines()


READERS = [
    Reader("torch checkpoint", {".pt": mutate.damage_torch}, read_torch, 12),
    Reader(
        "safetensors",
        {"": mutate.damage_safetensors},
        lambda folder: touch(read_safetensors(only(folder))),
        10,
    ),
    Reader(
        "transformers folder",
        {".json": mutate.damage_json, ".safetensors": mutate.damage_safetensors},
        read_transformers,
        8,
    ),
    Reader(
        "vocabulary",
        {".txt": mutate.damage_text, ".json": mutate.damage_json},
        lambda folder: bert_tokenizer(only(folder)).encode("Hello, 中 world"),
        8,
    ),
    Reader("voice", {".npz": mutate.damage_npz}, lambda folder: load_voice(str(only(folder)), LAYOUT), 6),
    Reader(
        "voices of a folder",
        {".json": mutate.damage_json, ".npy": mutate.damage_npy},
        read_folder_voices,
        4,
    ),
    Reader(
        "codec",
        {".safetensors": mutate.damage_safetensors, ".th": mutate.damage_torch},
        read_codec_file,
        4,
    ),
    Reader("read manifest", {"manifest.json": mutate.damage_json}, read_work, 8),
    Reader(
        "files of work",
        {".npy": mutate.damage_npy, ".npz": mutate.damage_npz, ".flac": mutate.damage_bytes},
        read_work,
        4,
    ),
    Reader(
        "batch manifest", {".jsonl": mutate.damage_json}, lambda folder: BatchFolder(folder).settings(), 16
    ),
    Reader("rows", {".jsonl": mutate.damage_json, "": mutate.damage_text}, read_rows, 10),
    Reader("config", {".toml": mutate.damage_text}, lambda folder: load_config(only(folder)), 14),
    Reader("lexicon", {"": mutate.damage_text}, read_words, 8),
    Reader("--set", {"": mutate.damage_text}, read_settings, 8),
    Reader("cast", {"": mutate.damage_text}, read_cast, 12),
    Reader("long text", {"": mutate.damage_text}, read_long, 1),
    Reader(
        "artifact", {"manifest.json": mutate.damage_json, ".onnx": mutate.damage_bytes}, read_artifacts, 12
    ),
    Reader("bench result", {"": mutate.damage_json}, lambda folder: load_results(only(folder)), 10),
    *BOOK_READERS,
    *SERVER_READERS,
    *CACHE_READERS,
]
