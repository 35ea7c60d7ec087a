"""Texts of different voices, lengths and options share steps, and each says what it says alone."""

from typing import Any

import pytest

from alrakis import Engine
from alrakis.sampling import Options
from tests.results import same

TEXTS: list[tuple[str, Any, Options]] = [
    ("Good morning.", "demo/slt", Options(max_gen_duration_s=0.6)),
    ("I like pizza.", "demo/rms", Options(max_gen_duration_s=0.3, text_temp=0.0, waveform_temp=1.0)),
    ("Yes.", None, Options(max_gen_duration_s=0.9, top_k=20, fine_temp=0.0)),
    ("It is late, and it rains.", "demo/slt", Options(max_gen_duration_s=0.2, top_p=0.8)),
]


@pytest.mark.parametrize("config", ["cpu-fp32", "cpu-int8", "cpu-int4", "torch-fp32"])
def test_voices_lengths_and_options_mix(config: str) -> None:
    with Engine("demo", config, threads=1, max_batch=4) as engine:
        alone = [
            engine.generate(text, voice, seed=seed, options=options, silent=True)
            for seed, (text, voice, options) in enumerate(TEXTS)
        ]
        handles = [
            engine.submit(text, voice, seed=seed, options=options)
            for seed, (text, voice, options) in enumerate(TEXTS)
        ]
        for handle, expected in zip(handles, alone, strict=True):
            assert same(handle.result(), expected), (config, expected.text)
