"""What Ray costs on one machine, by runs with it and without it."""

from alrakis.bench.cluster.overhead import Ran, summary


def test_starting_is_told_apart_from_what_each_row_takes() -> None:
    alone = [Ran(11, 1.0, 11.0, 11.1), Ran(11, 2.0, 12.0, 12.1), Ran(11, 1.0, 90.0, 90.0)]
    ray = [Ran(11, 5.0, 15.5, 17.0), Ran(11, 5.0, 15.4, 16.9), Ran(11, 5.0, 16.0, 17.5)]
    assert summary(alone, ray) == (
        "Ray: the first row +4.0 s, then +5.0% a row (1000 and 1050 ms), and 1.5 s at the end"
    )
