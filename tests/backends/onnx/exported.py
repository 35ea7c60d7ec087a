"""What the tests of ONNX Runtime's networks share."""

from collections.abc import Callable
from typing import Any

import torch

from tests.backends.tiny import COARSE_HEADS, TEXT_HEADS

CPU, PROVIDERS = torch.device("cpu"), ["CPUExecutionProvider"]
SLOTS = 4
HEADS = {"text": TEXT_HEADS, "coarse": COARSE_HEADS, "fine": (range(1024),)}

Make = Callable[..., Any]
