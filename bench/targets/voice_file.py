"""The voice of a run as a file, which all targets read."""

from pathlib import Path

import numpy as np

from alrakis.spec import N_COARSE_CODEBOOKS, N_FINE_CODEBOOKS
from alrakis.voices import load_voice, save_voice
from alrakis.weights.types import Weights


def voice_file(voice: str | None, weights: Weights, folder: Path) -> str:
    """Save a voice as the one file that all targets read. None: 10 s of random codes. Raises VoiceError."""
    layout, path = weights.layout, folder / "voice.npz"
    loaded = load_voice(voice, layout, weights_voices=weights.voices)
    if loaded is not None:
        return str(save_voice(path, loaded.semantic, loaded.coarse, loaded.fine))
    random = np.random.default_rng(0)
    fine = random.integers(0, layout.codebook_size, (N_FINE_CODEBOOKS, 10 * layout.coarse_rate_hz))
    semantic = random.integers(0, layout.semantic_vocab, int(10 * layout.semantic_rate_hz))
    return str(save_voice(path, semantic, fine[:N_COARSE_CODEBOOKS], fine))
