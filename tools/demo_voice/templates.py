"""Generated sentences: people, places, questions, and above all numbers, dates, times and money in words."""

import functools
import random
from collections.abc import Callable

import inflect

from demo_voice.words import (
    ASK,
    DAYS,
    DOES,
    KINDS,
    LETTERS,
    MONTHS,
    NAMES,
    ONES,
    PLACES,
    SHORT,
    STREETS,
    SURNAMES,
    TENS,
    THINGS,
    TITLES,
    UNITS,
    WHEN,
    WHERE,
    WHO,
)

COINS = (
    ("dollars", "cents"),
    ("dollars", "cents"),
    ("euros", "cents"),
    ("pounds", "pence"),
    ("yen", ""),
)

Random = random.Random


def sentence(r: Random) -> str:
    """One sentence of a kind drawn at random, from a capital letter to its end."""
    text = r.choice(KINDS_OF_SENTENCE)(r)
    return text[0].upper() + text[1:]


@functools.cache
def _inflect() -> inflect.engine:
    return inflect.engine()


def cardinal(n: int, with_and: bool) -> str:
    return str(_inflect().number_to_words(str(n), andword="and" if with_and else ""))


def ordinal(n: int) -> str:
    return str(_inflect().number_to_words(f"{n}th"))


def year(r: Random) -> str:
    first, last = r.choice((*range(11, 21), 19, 19, 20, 20)), r.randrange(100)
    if first == 20 and last < 10:
        return "two thousand" + (f" and {ONES[last]}" if last else "")
    if not last:
        return f"{cardinal(first, False)} hundred"
    return f"{cardinal(first, False)} " + (f"oh {ONES[last]}" if last < 10 else cardinal(last, False))


def number(r: Random) -> str:
    below = r.choice((20, 100, 100, 1000, 1000, 10_000, 100_000, 1_000_000, 100_000_000))
    n = r.randrange(below)
    if below > 100 and r.random() < 0.3:
        n -= n % r.choice((10, 100))
    text = cardinal(n, r.random() < 0.7)
    if r.random() < 0.2:
        text += " point " + " ".join(r.choice(ONES[:10]) for _ in range(r.choice((1, 1, 2, 3))))
    return ("minus " if r.random() < 0.05 else "") + text


def date(r: Random) -> str:
    month, day = r.choice(MONTHS), ordinal(r.randint(1, 31))
    text = r.choice((f"{month} {day}", f"the {day} of {month}", f"{month} the {day}", f"{day} {month}"))
    return text + (f", {year(r)}" if r.random() < 0.6 else "")


def time(r: Random) -> str:
    hour, minute = ONES[r.randint(1, 12)], r.randint(1, 59)
    if r.random() < 0.2:
        hour = cardinal(r.randint(13, 23), False)
    past = f"{hour} " + (f"oh {ONES[minute]}" if minute < 10 else cardinal(minute, False))
    half = r.choice(
        (f"half past {hour}", f"a quarter to {hour}", f"a quarter past {hour}", f"{hour} o'clock")
    )
    text = r.choice((past, past, hour, half))
    return text + r.choice(("", "", " ay em", " pee em", " in the evening"))


def money(r: Random) -> str:
    whole, part = r.choice(COINS)
    amount = cardinal(r.randrange(2, r.choice((20, 100, 1000, 10_000))), r.random() < 0.7)
    if r.random() < 0.2:
        amount += r.choice((" million", " billion", " point " + r.choice(ONES[1:10]) + " million"))
        return f"{amount} {whole}"
    more = f" and {cardinal(r.randint(2, 99), False)} {part}" if part and r.random() < 0.5 else ""
    return f"{amount} {whole}{more}"


def digits(r: Random) -> str:
    groups = [" ".join(r.choice(("oh", *ONES[:10])) for _ in range(r.choice((3, 3, 4)))) for _ in range(2)]
    return ", ".join(groups)


def spelled(r: Random) -> str:
    return " ".join(r.choice(LETTERS) for _ in range(r.randint(2, 5)))


def somebody(r: Random) -> str:
    return r.choice((f"{r.choice(TITLES)} {r.choice(SURNAMES)}", f"{r.choice(NAMES)} {r.choice(SURNAMES)}"))


def thing(r: Random) -> str:
    kind = f"{r.choice(KINDS)} " if r.random() < 0.6 else ""
    return (
        r.choice(("the", "a", "this", "that", "my", "your", "his", "her", "our"))
        + f" {kind}{r.choice(THINGS)}"
    )


def clause(r: Random) -> str:
    text = f"{r.choice(WHO)} {r.choice(DOES)} {thing(r)}"
    for more in (WHERE, WHEN):
        if r.random() < 0.4:
            text += f" {r.choice(more)}"
    return text


def told(r: Random) -> str:
    return clause(r) + "."


def asked(r: Random) -> str:
    return f"{r.choice(ASK)} {clause(r)}?"


def called(r: Random) -> str:
    return r.choice(
        (
            f"{somebody(r)} {r.choice(DOES)} {thing(r)}.",
            f"{r.choice(NAMES)}, {clause(r)}.",
            f"{r.choice(NAMES)} and {r.choice(NAMES)} moved from {r.choice(PLACES)} to {r.choice(PLACES)}.",
            f"{somebody(r)} of {r.choice(PLACES)} wrote to {somebody(r)}.",
            f"thanks, {r.choice(NAMES)}!",
            f"{r.choice(PLACES)} {r.choice(WHERE)}, {r.choice(WHEN)}.",
        )
    )


def counted(r: Random) -> str:
    return r.choice(
        (
            f"{number(r)} {r.choice(UNITS)}.",
            f"it is {number(r)} {r.choice(UNITS)} from {r.choice(PLACES)} to {r.choice(PLACES)}.",
            f"{r.choice(WHO)} {r.choice(DOES)} {number(r)} of {r.choice(THINGS)}s.",
            f"{number(r)}, {number(r)} and {number(r)}.",
            f"{r.choice(WHO)} came {ordinal(r.randint(1, 99))} of {number(r)}.",
            f"page {number(r)} of volume {number(r)}, {r.choice(SHORT)} {number(r)} {r.choice(UNITS)}.",
            f"{number(r)} {r.choice(('times', 'plus', 'minus', 'divided by', 'and', 'to'))} {number(r)}.",
            f"in {number(r)} {r.choice(UNITS)}, {clause(r)}.",
            f"{r.choice(KINDS)}: {number(r)} {r.choice(UNITS)} per hour.",
        )
    )


def dated(r: Random) -> str:
    return r.choice(
        (
            f"{date(r)}.",
            f"on {date(r)}, {clause(r)}.",
            f"{clause(r)} on {r.choice(DAYS)}, {date(r)}.",
            f"in {year(r)}, {clause(r)}.",
            f"{clause(r)} in {r.choice(MONTHS)} {year(r)}.",
            f"from {year(r)} to {year(r)}.",
            f"{r.choice(DAYS)}s and {r.choice(DAYS)}s, {r.choice(MONTHS)} to {r.choice(MONTHS)}.",
            f"the {r.choice(('eighteen', 'nineteen'))} {r.choice(TENS)[:-1]}ies.",
        )
    )


def timed(r: Random) -> str:
    return r.choice(
        (
            f"{clause(r)} at {time(r)}.",
            f"{time(r)}, {time(r)} and {time(r)}.",
            f"from {time(r)} until {time(r)} {r.choice(WHO)} worked.",
            f"{r.choice(DAYS)} at {time(r)}, {r.choice(PLACES)}.",
        )
    )


def paid(r: Random) -> str:
    return r.choice(
        (
            f"{money(r)}.",
            f"{r.choice(WHO)} sold {thing(r)} for {money(r)}.",
            f"{thing(r)} is worth {money(r)}.",
            f"{money(r)} {r.choice(SHORT)} {money(r)}.",
        )
    )


def named(r: Random) -> str:
    return r.choice(
        (
            f"{spelled(r)}.",
            f"the {spelled(r)} is in {r.choice(PLACES)}.",
            f"{digits(r)}.",
            f"{number(r)} {r.choice(SURNAMES)} {r.choice(STREETS)}, {r.choice(PLACES)}.",
            f"room {number(r)}, {r.choice(SURNAMES)} {r.choice(STREETS)}.",
            f"dial {digits(r)}, {somebody(r)}.",
            f"{somebody(r)} {r.choice(SHORT)} {somebody(r)}.",
            f"{clause(r)}, {r.choice(SHORT)} {thing(r)}.",
        )
    )


KINDS_OF_SENTENCE: tuple[Callable[[Random], str], ...] = (
    (told,) * 5 + (asked,) * 2 + (called,) * 2 + (counted, counted, dated, timed, paid, named)
)
