"""True files to damage, small ones: a folder a case, for each reader."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from alrakis.config import load_config, preset_names
from alrakis.spec import CodecShape, Layout
from alrakis.stages.coarse import coarse_steps
from alrakis.weights.names import codec_arrays
from tests.fuzz.book_seeds import LEXICON, TEXT, write_book_seeds
from tests.fuzz.cases import case_folder
from tests.fuzz.server_seeds import write_server_seeds
from tests.small_voices import small_voice

TINY_CODEC = CodecShape(n_filters=2, dimension=2, codebook_size=4, lstm_layers=1)


def write_seeds(root: Path) -> None:
    """Write the cases of all readers: `root/reader/case/files`."""
    _torch(root)
    _safetensors(root)
    _transformers(root)
    _codecs(root)
    _vocabularies(root)
    _voices(root)
    _work(root)
    _settings(root)
    _rows(root)
    _batch(root)
    _artifacts(root)
    _texts(root)
    _bench(root)
    write_book_seeds(root)
    write_server_seeds(root)


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
    torch.save(checkpoint, case_folder(root, "torch checkpoint", "zip") / "coarse.pt")
    torch.save(state, case_folder(root, "torch checkpoint", "state") / "coarse.pt")
    old = case_folder(root, "torch checkpoint", "old") / "coarse.pt"
    torch.save(checkpoint, old, _use_new_zipfile_serialization=False)


def _safetensors(root: Path) -> None:
    from safetensors.numpy import save

    arrays = {"a.weight": np.ones((3, 4), np.float32), "b": np.arange(5), "c": np.float16([1, 2])}
    (case_folder(root, "safetensors", "plain") / "model.safetensors").write_bytes(
        save(arrays, {"format": "pt"})
    )


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
        folder = case_folder(root, "transformers folder", case)
        (folder / "config.json").write_text(json.dumps(config))
        (folder / "generation_config.json").write_text(json.dumps(generation))
        (folder / names[0]).write_bytes(
            save({"semantic.lm_head.weight": np.ones((3, 4), np.float32)}, {"format": "pt"})
        )
        if len(names) > 1:
            (folder / names[1]).write_text(json.dumps(index))


def _codecs(root: Path) -> None:
    import torch
    from safetensors.numpy import save

    shapes = codec_arrays(TINY_CODEC)
    arrays = {name: np.full(shape, 0.5, np.float32) for name, shape in shapes.items()}
    (case_folder(root, "codec", "folded") / "codec.safetensors").write_bytes(save(arrays))
    state = {}
    for name, array in arrays.items():
        if array.ndim == 3:  # weight norm: a length and a direction
            state[f"{name}_g"] = torch.ones(array.shape[0], 1, 1)
        state[f"{name}_v" if array.ndim == 3 else name] = torch.from_numpy(array)
    torch.save(state, case_folder(root, "codec", "encodec") / "codec.th")


def _vocabularies(root: Path) -> None:
    from tokenizers import Tokenizer, normalizers, pre_tokenizers
    from tokenizers.models import WordPiece

    lines = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghij", "hello", "##s", "中"]
    (case_folder(root, "vocabulary", "vocab") / "vocab.txt").write_text("\n".join(lines))
    tokenizer = Tokenizer(WordPiece({token: i for i, token in enumerate(lines)}, unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = (
        normalizers.BertNormalizer(),
        pre_tokenizers.BertPreTokenizer(),
    )
    tokenizer.save(str(case_folder(root, "vocabulary", "json") / "tokenizer.json"), pretty=False)


def _voices(root: Path) -> None:
    np.savez(case_folder(root, "voice", "npz") / "voice.npz", **small_voice())
    np.savez_compressed(case_folder(root, "voice", "packed") / "voice.npz", **small_voice())
    folder = case_folder(root, "voices of a folder", "embeddings")
    names = {key: f"speaker_embeddings/a_{key}.npy" for key in small_voice()}
    (folder / "speaker_embeddings").mkdir()
    for key, array in small_voice().items():
        np.save(folder / names[key], array)
    index = {"repo_or_path": "suno/bark", "v2/en_speaker_0": names, "other": names}
    (folder / "speaker_embeddings_path.json").write_text(json.dumps(index))


def _work(root: Path) -> None:
    """The folder of work of `alrakis read`, with a chunk in each state."""
    from alrakis.audio import save_audio
    from alrakis.files.parsing import parse_toml
    from alrakis.jobs.reading_manifest import ChunkState, KeptVoice, Manifest, TakeState
    from alrakis.sampling import Options
    from tests.jobs.books import job

    for reader in ("read manifest", "files of work"):
        folder = case_folder(root, reader, "work")
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
        settings = job(options=Options(lexicon=parse_toml(LEXICON), normalise=True))
        kept = {"MAN": KeptVoice(name="chunk 1", file=chunks[0].takes[0].file)}
        Manifest(settings=settings, kept=kept, chunks=chunks).save(folder)


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
        (case_folder(root, "config", name) / "own.toml").write_text("\n".join(lines))
    lines = [
        "threads=4",
        "precision=int8",
        "cpu_parts=['text', 'codec']",
        "trim_silence_db=-40.5",
        "artifacts=a b",
        "loudness_lufs=-20",
    ]
    (case_folder(root, "--set", "lines") / "items").write_text("\n".join(lines))
    cast = ["MAN=v2/en_speaker_6", "WOMAN = v2/en_speaker_9", "OLD MAN=~/voice.npz"]
    (case_folder(root, "cast", "lines") / "items").write_text(
        "\n".join(cast) + "\n\n" + TEXT + "OLD MAN: Yes.\n"
    )


def _rows(root: Path) -> None:
    rows = [
        {"text": "Hello.", "id": "a", "seed": 5, "voice": "v2/en_speaker_6"},
        {"text": "你好", "lang": "zh", "file": "b.wav"},
    ]
    (case_folder(root, "rows", "jsonl") / "t.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (case_folder(root, "rows", "csv") / "t.csv").write_text(
        'id,text,seed,voice\na,"Hello,\n""you""",5,v2/en_speaker_6\n\n,Bye,,\n'
    )
    (case_folder(root, "rows", "txt") / "t.txt").write_text("Hello.\n\nBye.\n")


def _batch(root: Path) -> None:
    from alrakis.jobs.batch_folder import BatchFolder, Finished
    from alrakis.jobs.batch_texts import BatchItem
    from tests.jobs.books import job

    folder = BatchFolder(case_folder(root, "batch manifest", "two"))
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

    Store(case_folder(root, "artifact", "one")).make(facts, build, 0)


def _texts(root: Path) -> None:
    (case_folder(root, "long text", "mixed") / "text").write_text(TEXT)
    (case_folder(root, "long text", "plain") / "text").write_text("It was a day. " * 30)


def _bench(root: Path) -> None:
    from alrakis.bench.record.schema import save_results
    from tests.bench.results import results

    save_results(results({"cpu-int8": [1.0, 1.1]}), case_folder(root, "bench result", "one") / "result.json")
