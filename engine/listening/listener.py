"""Who listens to takes."""

from typing import TYPE_CHECKING, Protocol

from alrakis.listening.score import Score

if TYPE_CHECKING:
    from alrakis.result import Result


class Listener(Protocol):
    """Who listens to takes. It is asked from several threads, one at a time."""

    def check(self, language: str) -> None:
        """Raises InputError if it does not know the language."""

    def score(self, result: "Result", language: str) -> Score:
        """How good a take is. `result.text` is what should have been said."""
