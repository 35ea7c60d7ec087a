"""A picture of how the voice sounds: log-mel spectrograms of flite and of packed weights."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt

from alrakis import Engine
from alrakis.weights.demo.weights import DemoVoice
from demo_voice.codec import RATE_HZ, to_24k
from demo_voice.evaluate import HOP, SEED, log_mel, mel_distance
from demo_voice.flite import Flite

TEXT = "The old man was walking slowly down the road."


def draw_spectrograms(folders: Sequence[Path], out: Path) -> list[float]:
    """Write a PNG with flite on top and each folder's voice below it; gives their log-mel distances."""
    matplotlib.use("Agg")
    true = to_24k(Flite("slt").speak(TEXT).samples).numpy()
    made = [("flite", true)]
    for folder in folders:
        with Engine(DemoVoice(folder), "cpu-fp32", threads=1) as engine:
            said = engine.generate(TEXT, seed=SEED, silent=True, text_temp=0.0)
        made.append((str(folder), said.audio))
    distances = [mel_distance(audio, true) for _, audio in made[1:]]
    figure, panels = plt.subplots(len(made), 1, figsize=(9, 2.4 * len(made)), layout="constrained")
    for panel, (name, audio) in zip(panels, made, strict=True):
        image = log_mel(audio).T
        length_s = image.shape[1] * HOP / RATE_HZ
        panel.imshow(
            image, origin="lower", aspect="auto", vmin=-7, vmax=4, extent=(0, length_s, 0, len(image))
        )
        panel.set(title=name, xlabel="s", ylabel="mel band")
    figure.savefig(out, dpi=90)
    return distances
