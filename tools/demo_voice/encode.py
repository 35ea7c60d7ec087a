"""Step `encode`: the samples of each shard to coarse codes, by the codec's encoder and first codebooks."""

import os
from pathlib import Path

import numpy as np
import torch

from demo_voice.codec import HOP, Codec, to_24k
from demo_voice.speech import read_shard

AT_ONCE = 16


def encode_shard(path: Path, codec: Codec) -> None:
    """Write `codes.npy` beside a shard's samples; one that is there already is kept."""
    if (path / "codes_ends.npy").exists():
        return
    utterances = read_shard(path)
    order = sorted(range(len(utterances)), key=lambda i: len(utterances[i].samples))
    codes: dict[int, np.ndarray] = {}
    for start in range(0, len(order), AT_ONCE):
        rows = order[start : start + AT_ONCE]
        samples = [to_24k(utterances[row].samples) for row in rows]
        padded = torch.nn.utils.rnn.pad_sequence(samples, batch_first=True)[:, None]
        with torch.no_grad():
            found = codec.coarse_codes(padded)
        for row, one, whole in zip(rows, found, samples, strict=True):
            codes[row] = one[:, : len(whole) // HOP].numpy().T.astype(np.int16)
    inorder = [codes[i] for i in range(len(utterances))]
    for name, array in (
        ("codes", np.concatenate(inorder)),
        ("codes_ends", np.cumsum([len(one) for one in inorder])),
    ):
        making = path / f"{name}.{os.getpid()}.npy"
        np.save(making, array)
        making.rename(path / f"{name}.npy")
