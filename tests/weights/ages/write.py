"""Files as torch of any age writes them: `python write.py FOLDER` there, with torch and numpy alone.

What is in this folder was written so, on a CPU under Python 3.11, by the wheels of torch that its names tell.
"""

import sys
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import torch


def content() -> "dict[str, Any]":
    """What a checkpoint of suno's may hold, a few numbers of each kind."""
    weight = torch.arange(24.0).reshape(4, 6)
    linear = torch.nn.Linear(3, 2)
    with torch.no_grad():
        linear.weight.copy_(torch.arange(6.0).reshape(2, 3))
        linear.bias.fill_(0.5)
    optimizer = torch.optim.AdamW(linear.parameters(), lr=0.25, weight_decay=0.0)
    linear(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    model = OrderedDict(
        [
            ("transformer.wte.weight", weight),
            ("lm_head.weight", weight),  # tied, as suno's are
            ("transposed", weight.t()),
            ("a part", weight[1:3, ::2]),
            ("half", weight.half()),
            ("bfloat16", weight.bfloat16()),
            ("ids", torch.arange(5)),
            ("flags", torch.tensor([True, False])),
            ("scalar", torch.tensor(2.5)),
            ("empty", torch.empty(0, 3)),
            ("parameter", torch.nn.Parameter(2 * weight[0])),
        ]
    )
    return {
        "model_args": {"n_layer": 1, "n_head": 2, "n_embd": 6, "bias": False, "dropout": 0.0},
        "model": model,
        "module": linear.state_dict(),  # an OrderedDict with an attribute
        "optimizer": optimizer.state_dict(),
        "best_val_loss": np.float32(2.5),
        "iter_num": 1000,
    }


def write(folder: Path) -> None:
    version = torch.__version__.split("+")[0]
    for kind, zipped in (("zip", True), ("legacy", False)):
        torch.save(content(), folder / f"torch-{version}-{kind}.pt", _use_new_zipfile_serialization=zipped)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
