"""A tone to be written to files, and its tags."""

import numpy as np
import numpy.typing as npt

EXTENSIONS = ["wav", "flac", "ogg", "mp3"]
RATE_HZ = 24_000
TAGS = {
    "title": "Hello, my name is Suno",
    "software": "alrakis 0.1.0",
    "text": "Hello, my name is Suno. [laughs]",
    "seed": "18446744073709551615",
    "voice": "v2/en_speaker_6",
    "config": "cpu-int8",
}


def tone(seconds: float = 1.0, peak: float = 0.5) -> npt.NDArray[np.float32]:
    time_s = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    return (peak * np.sin(2 * np.pi * 440 * time_s)).astype(np.float32)
