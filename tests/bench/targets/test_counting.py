"""Counting the steps of an engine from outside."""

from typing import Any

from alrakis.bench.targets.counting import counted
from alrakis.engine import Engine


def test_counting_changes_nothing_and_leaves_no_trace() -> None:
    def say(engine: Engine) -> Any:
        return engine.generate("Hello", seed=1, max_gen_duration_s=0.3, allow_early_stop=False, silent=True)

    with Engine("synthetic-tiny", "cpu-fp32", threads=1) as engine:
        plain, parts = say(engine), dict(vars(engine.backend))
        with counted(engine.backend) as counts:
            under = say(engine)
        assert (under.fine_tokens == plain.fine_tokens).all()
        assert vars(engine.backend).keys() == parts.keys()
    assert counts.text.steps + counts.text.prefills == len(plain.semantic_tokens)
    assert counts.coarse.steps + counts.coarse.prefills == plain.coarse_tokens.size
    assert (counts.fine, counts.codec) == (6, 1)
