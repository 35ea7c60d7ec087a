"""Text from files, arguments and other programs, made so that it can be shown.

A terminal obeys control characters (C0, C1), and marks of direction make a line read as what it is not.
"""

import unicodedata

_JOINERS = "\u200c\u200d"  # Hindi is written with them, and emoji


def printable(text: object) -> str:
    """The text in one line, with everything that is not printed as an escape, as `\\x1b` or `\\u202e`."""
    return "".join(map(_shown, str(text)))


def printable_lines(text: object) -> str:
    """The same, but lines stay lines; each after the first is indented, so that none looks like a message."""
    first, *others = (printable(line) for line in str(text).split("\n"))
    return "\n".join([first, *(line if line[:1] in ("", " ") else f"  {line}" for line in others)])


def _shown(letter: str) -> str:
    if letter.isprintable() or letter in _JOINERS:
        return letter
    if unicodedata.category(letter) == "Zs":  # such as the wide space of Chinese and Japanese
        return " "
    return repr(letter)[1:-1]
