"""A bound on seconds of audio, and an honest time to wait."""

import pytest

from alrakis.serve.queue import FullError, Queue, Rate


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_what_fits_comes_in_and_what_does_not_is_told_when() -> None:
    queue = Queue(100)
    first = queue.enter(60)
    queue.enter(40)
    with pytest.raises(FullError) as full:
        queue.enter(30)
    assert full.value.after_s == pytest.approx(30)  # nothing was measured: as fast as it is heard
    first.move("codec", 30)
    assert queue.seconds == pytest.approx(70)
    queue.enter(30)


def test_an_empty_queue_takes_anything() -> None:
    queue = Queue(10)
    long = queue.enter(1000)
    with pytest.raises(FullError) as full:
        queue.enter(1)
    assert full.value.after_s <= 1000
    long.leave()
    long.leave()
    assert (len(queue), queue.seconds) == (0, 0)
    queue.enter(1)


def test_tiny_texts_count_too() -> None:
    queue = Queue(10)
    for _ in range(10):
        queue.enter(0.01)
    with pytest.raises(FullError):
        queue.enter(0.01)


def test_only_the_codec_makes_audio() -> None:
    queue = Queue(10)
    ticket = queue.enter(10)
    for part in ("text", "coarse", "fine"):
        ticket.move(part, 10)
    assert queue.seconds == 10
    ticket.move("codec", 25)  # longer than it was expected to be
    assert queue.seconds == 0


def test_the_rate_is_that_of_work_and_of_late() -> None:
    clock = Clock()
    rate = Rate(clock)
    assert rate.value == 1
    for _ in range(30):
        clock.now += 1
        rate.move("text", 5)
        clock.now += 1
        rate.move("codec", 4)
    assert rate.value == pytest.approx(2, rel=0.1)
    clock.now += 1000  # nobody asked for anything
    rate.move("text", 1)
    assert rate.value > 1.2
    for _ in range(1000):
        clock.now += 1
        rate.move("codec", 0.5)
    assert rate.value == pytest.approx(0.5, rel=0.1)


def test_the_time_to_wait_follows_the_rate() -> None:
    queue = Queue(10)
    clock = Clock()
    queue.rate = Rate(clock)
    ticket = queue.enter(10)
    clock.now += 4
    queue.rate.move("codec", 1)  # a quarter of a second in a second
    with pytest.raises(FullError) as full:
        queue.enter(5)
    assert full.value.after_s == pytest.approx(20)
    ticket.leave()
