"""Both listeners are what the protocol asks for."""

from alrakis.listening.listener import Listener
from alrakis.listening.plain import PlainListener
from alrakis.listening.recogniser import Recogniser


def test_listeners_have_what_is_asked_of_them() -> None:
    plain: Listener = PlainListener()
    plain.check("en")
    for name in ("check", "score"):
        assert callable(getattr(Listener, name))
        assert callable(getattr(Recogniser, name))
