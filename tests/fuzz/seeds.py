"""True files to damage, small ones: a folder a case, for each reader."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from alrakis.config import load_config, preset_names
from alrakis.spec import Layout
from alrakis.stages.coarse import coarse_steps
from tests.books.epubs import HOSTILE, PAGES, epub
from tests.small_voices import small_voice

TEXT = """\
MAN: Dr. No paid $1,250.50 on May 3, 2021 — “what a day!” he said. [laughs] ♪ La la ♪

WOMAN: 10:30 a.m. (at least)… 今天，很好。 क्या हुआ। Привет! No. 5 is 1/2 kg; NASA's 20°C.
"""


LEXICON = """\
[words]
Hermione = "her my oh nee"
"Dr. Who" = "Doctor Hermione"
[patterns]
'(\\d+) ?kr' = '\\1 crowns'
[language.de.words]
Boot = "Boht"
[speaker.MAN.words]
hello = "howdy"
"""


def write_seeds(root: Path) -> None:
    """Write the cases of all readers: `root/reader/case/files`."""
    for write in (
        _torch,
        _safetensors,
        _transformers,
        _vocabularies,
        _voices,
        _work,
        _settings,
        _rows,
        _batch,
    ):
        write(root)
    _artifacts(root)
    _texts(root)
    _books(root)
    _lexicons(root)
    _bench(root)


def _case(root: Path, reader: str, case: str) -> Path:
    folder = root / reader / case
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _torch(root: Path) -> None:
    import torch

    head = torch.arange(48, dtype=torch.float32).reshape(8, 6)
    state = {
        "lm_head.weight": head,
        "transformer.wte.weight": head,
        "x.bias": head[2:, ::2].half(),
        "n": torch.tensor(7),
    }
    args = {"n_layer": 1, "n_head": 1, "n_embd": 4, "block_size": 1024, "bias": False}
    args |= {"input_vocab_size": 12_096, "output_vocab_size": 12_096, "dropout": 0.0}
    checkpoint = {"model_args": args, "model": state, "best_val_loss": np.float32(2.5), "iter_num": 1000}
    torch.save(checkpoint, _case(root, "torch checkpoint", "zip") / "coarse.pt")
    torch.save(state, _case(root, "torch checkpoint", "state") / "coarse.pt")
    old = _case(root, "torch checkpoint", "old") / "coarse.pt"
    torch.save(checkpoint, old, _use_new_zipfile_serialization=False)


def _safetensors(root: Path) -> None:
    from safetensors.numpy import save

    arrays = {"a.weight": np.ones((3, 4), np.float32), "b": np.arange(5), "c": np.float16([1, 2])}
    (_case(root, "safetensors", "plain") / "model.safetensors").write_bytes(save(arrays, {"format": "pt"}))


def _transformers(root: Path) -> None:
    from safetensors.numpy import save

    sizes = {"num_layers": 1, "num_heads": 1, "hidden_size": 4, "block_size": 1024, "bias": False}
    sizes |= {"input_vocab_size": 12_096, "output_vocab_size": 12_096, "n_codes_total": 8, "n_codes_given": 1}
    sections = ("semantic_config", "coarse_acoustics_config", "fine_acoustics_config")
    config = {
        "model_type": "bark",
        **dict.fromkeys(sections, sizes),
        "codec_config": {"model_type": "encodec"},
    }
    semantic = {"semantic_vocab_size": 10_000, "text_encoding_offset": 10_048, "semantic_pad_token": 10_000}
    semantic |= {"text_pad_token": 129_595, "semantic_infer_token": 129_599, "semantic_rate_hz": 49.9}
    coarse = {"coarse_semantic_pad_token": 12_048, "coarse_infer_token": 12_050, "coarse_rate_hz": 75}
    generation = {"semantic_config": semantic, "coarse_acoustics_config": coarse, "codebook_size": 1024}
    index = {"metadata": {}, "weight_map": {"semantic.lm_head.weight": "a.safetensors"}}
    for case, names in (
        ("whole", ["model.safetensors"]),
        ("sharded", ["a.safetensors", "model.safetensors.index.json"]),
    ):
        folder = _case(root, "transformers folder", case)
        (folder / "config.json").write_text(json.dumps(config))
        (folder / "generation_config.json").write_text(json.dumps(generation))
        (folder / names[0]).write_bytes(
            save({"semantic.lm_head.weight": np.ones((3, 4), np.float32)}, {"format": "pt"})
        )
        if len(names) > 1:
            (folder / names[1]).write_text(json.dumps(index))


def _vocabularies(root: Path) -> None:
    from tokenizers import Tokenizer, normalizers, pre_tokenizers
    from tokenizers.models import WordPiece

    lines = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghij", "hello", "##s", "中"]
    (_case(root, "vocabulary", "vocab") / "vocab.txt").write_text("\n".join(lines))
    tokenizer = Tokenizer(WordPiece({token: i for i, token in enumerate(lines)}, unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = (
        normalizers.BertNormalizer(),
        pre_tokenizers.BertPreTokenizer(),
    )
    tokenizer.save(str(_case(root, "vocabulary", "json") / "tokenizer.json"), pretty=False)


def _voices(root: Path) -> None:
    np.savez(_case(root, "voice", "npz") / "voice.npz", **small_voice())
    np.savez_compressed(_case(root, "voice", "packed") / "voice.npz", **small_voice())


def _work(root: Path) -> None:
    """The folder of work of `alrakis read`, with a chunk in each state."""
    from alrakis.audio import save_audio
    from alrakis.jobs.reading_manifest import ChunkState, KeptVoice, Manifest, TakeState
    from tests.jobs.books import job

    for reader in ("read manifest", "files of work"):
        folder = _case(root, reader, "work")
        chunks = []
        for number, state in enumerate(("done", "spoken", "waiting", "failed"), 1):
            take = TakeState(text=f"Text {number}.", speaker="MAN", seed=number, state=state, seconds=0.0)  # type: ignore[arg-type]
            if state == "done":
                take.seconds = 0.1
                audio = np.zeros(2400, np.float32)
                tags = {"text": take.text, "seed": str(take.seed), "voice": ""}
                save_audio(folder / f"{take.file}.flac", audio, 24_000, tags, bits=24)
                np.savez(folder / f"{take.file}.npz", **small_voice())
            np.save(folder / f"{take.file}.npy", np.arange(30))
            if state == "spoken":
                frames = coarse_steps(30, Layout()) // 2
                np.save(folder / f"{take.file}-coarse.npy", np.ones((2, frames), np.int64))
            chunks.append(
                ChunkState(chunk=number, text=take.text, pause="end", speaker="MAN", take=1, takes=[take])
            )
        kept = {"MAN": KeptVoice(name="chunk 1", file=chunks[0].takes[0].file)}
        Manifest(settings=job(), kept=kept, chunks=chunks).save(folder)


def _settings(root: Path) -> None:
    for name in preset_names():
        source = load_config(name)
        values = {
            key: value for key, value in source.model_dump().items() if value is not None and key != "name"
        }
        lines = [
            f"{key} = {json.dumps(list(value) if isinstance(value, tuple) else value)}"
            for key, value in values.items()
        ]
        (_case(root, "config", name) / "own.toml").write_text("\n".join(lines))
    lines = [
        "threads=4",
        "precision=int8",
        "cpu_parts=['text', 'codec']",
        "trim_silence_db=-40.5",
        "artifacts=a b",
        "loudness_lufs=-20",
    ]
    (_case(root, "--set", "lines") / "items").write_text("\n".join(lines))
    cast = ["MAN=v2/en_speaker_6", "WOMAN = v2/en_speaker_9", "OLD MAN=~/voice.npz"]
    (_case(root, "cast", "lines") / "items").write_text("\n".join(cast) + "\n\n" + TEXT)


def _rows(root: Path) -> None:
    rows = [
        {"text": "Hello.", "id": "a", "seed": 5, "voice": "v2/en_speaker_6"},
        {"text": "你好", "lang": "zh", "file": "b.wav"},
    ]
    (_case(root, "rows", "jsonl") / "t.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (_case(root, "rows", "csv") / "t.csv").write_text(
        'id,text,seed,voice\na,"Hello,\n""you""",5,v2/en_speaker_6\n\n,Bye,,\n'
    )
    (_case(root, "rows", "txt") / "t.txt").write_text("Hello.\n\nBye.\n")


def _batch(root: Path) -> None:
    from alrakis.jobs.batch_folder import BatchFolder, Finished
    from alrakis.jobs.batch_texts import BatchItem
    from tests.jobs.books import job

    folder = BatchFolder(_case(root, "batch manifest", "two"))
    items = [
        BatchItem(line=i, id=name, file=f"{name}.wav", text=f"Text {name}.") for i, name in enumerate("ab", 1)
    ]
    folder.begin(job(), items)
    done = [
        Finished(id=i.id, file=i.file, state="done", text=i.text, voice=i.voice, seed=i.line, lang=i.lang)
        for i in items
    ]
    folder.add(done)


def _artifacts(root: Path) -> None:
    from alrakis.export.store import Store

    report = {
        "part": "coarse",
        "precision": "int8",
        "tokens": "spoken",
        "positions": 9,
        "top1": 0.9,
        "kl_mean": 0.1,
    }
    report |= {"kl_max": 1.0, "layers": {"step": {"a": 0.1, "b": 0.2}}, "kept": ["a"]}
    facts: dict[str, Any] = {
        "part": "coarse",
        "identity": "0" * 64,
        "exporter": 11,
        "precision": "int8",
        "heads": [[0, 9]],
    }

    def build(folder: Path) -> dict[str, Any]:
        (folder / "step.onnx").write_bytes(b"graph" * 20)
        (folder / "tokens.npy").write_bytes(b"table" * 20)
        return {"weights": "small", "source": "here", "alrakis": "0.1", "report": report}

    Store(_case(root, "artifact", "one")).make(facts, build, 0)


def _texts(root: Path) -> None:
    (_case(root, "long text", "mixed") / "text").write_text(TEXT)
    (_case(root, "long text", "plain") / "text").write_text("It was a day. " * 30)


def _books(root: Path) -> None:
    (_case(root, "book", "whole") / "book.epub").write_bytes(epub())
    for name, (data, _) in HOSTILE.items():
        if len(data) < 20_000 and name not in ("no zip", "cut off"):
            (_case(root, "book", name) / "book.epub").write_bytes(data)
    (_case(root, "book", "html") / "book.html").write_text(PAGES["b.xhtml"])
    (_case(root, "book", "markdown") / "book.md").write_text(
        "---\ntitle: A\n---\n# One\n\nSome *text*[^1].\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n[^1]: Note\n"
    )
    (_case(root, "book", "plain") / "book.txt").write_text("Chapter 1\n\nA.\n\nChapter 2\n\nB.\n")


def _lexicons(root: Path) -> None:
    (_case(root, "lexicon", "all") / "names.toml").write_text(LEXICON)


def _bench(root: Path) -> None:
    from alrakis.bench.record.schema import save_results
    from tests.bench.results import results

    save_results(results({"cpu-int8": [1.0, 1.1]}), _case(root, "bench result", "one") / "result.json")
