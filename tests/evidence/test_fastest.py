"""The table of what was fastest."""

from alrakis.config import preset_names
from alrakis.evidence.fastest import CLOSE, Row, evidence, fastest
from alrakis.evidence.kinds import kind_of

ROW = {"kind": "x86 with AMX", "work": "13 s", "machine": "one", "measured": "2026-11-26"}


def test_the_fastest_comes_first_and_others_do_not_count() -> None:
    rtfs = {"cpu-int8": 2.0, "cpu-fp32": 1.5, "cpu-realtime": 0.5}
    rows = tuple(Row(config=name, rtf=rtf, **ROW) for name, rtf in rtfs.items())
    assert [row.config for row in fastest("x86 with AMX", CLOSE, rows)] == ["cpu-fp32", "cpu-int8"]
    assert fastest("ARM with NEON", CLOSE, rows) == []


def test_the_table_that_ships_can_be_read() -> None:
    for row in evidence().rows:
        assert row.config in preset_names()
        assert row.kind != kind_of([])
    assert set(CLOSE) <= set(preset_names())
