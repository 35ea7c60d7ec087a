"""XML of other people: no entities of its own, nothing from elsewhere, and only so deep and so much of it."""

import re
from dataclasses import dataclass, field
from xml.parsers import expat

from alrakis.errors import InputError

_MOST_ELEMENTS = 300_000
_MOST_LEVELS = 256


@dataclass
class Element:
    """An element: its name without a prefix, attributes by name with theirs, and what is in it."""

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list["Element"] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """What is in it outside of other elements."""
        return "".join(self.texts)

    def all(self, name: str) -> list["Element"]:
        """All elements of a name, however deep, in order."""
        found, left = [], [self]
        while left:
            element = left.pop()
            if element.name == name:
                found.append(element)
            left += reversed(element.children)
        return found

    def first_text(self, name: str) -> str:
        """The text of the first element of a name that has some, with single spaces."""
        texts = (" ".join(element.text.split()) for element in self.all(name))
        return next(filter(None, texts), "")


class _Builder:
    def __init__(self, name: str) -> None:
        self._name = name
        self.root = Element("")
        self._open = [self.root]
        self._count = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > _MOST_ELEMENTS or len(self._open) > _MOST_LEVELS:
            raise InputError(f"{self._name} has more elements, or deeper ones, than are read")
        element = Element(name.split(":")[-1], attributes)
        self._open[-1].children.append(element)
        self._open.append(element)

    def end(self, name: str) -> None:
        self._open.pop()

    def data(self, text: str) -> None:
        self._open[-1].texts.append(text)

    def declared(self, *what: object) -> None:
        raise InputError(
            f"{self._name} declares entities or attributes of its own, which are not read: they can be "
            "endless"
        )


def read_xml(data: bytes, name: str) -> Element:
    """The root of some XML, whose name is `name` in messages. Raises InputError."""
    builder = _Builder(name)
    parser = _parser(builder)
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    _parse(parser, data, name)
    return builder.root.children[0]


def check_xml(text: str, name: str) -> None:
    """Raises InputError for what is no XML; entities of HTML, such as &nbsp;, are."""
    parser = _parser(_Builder(name), "utf-8")  # whatever the page says of itself: it is text by now
    parser.UseForeignDTD(True)
    _parse(parser, text.encode(errors="replace"), name)


def _parser(builder: _Builder, encoding: str | None = None) -> expat.XMLParserType:
    parser = expat.ParserCreate(encoding)
    parser.buffer_text = True
    parser.EntityDeclHandler = builder.declared
    parser.AttlistDeclHandler = builder.declared  # each element would have those that have a default
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    return parser


def _parse(parser: expat.XMLParserType, data: bytes, name: str) -> None:
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        what = expat.errors.messages.get(error.code, str(error))
        raise InputError(f"{name} is broken XML: {what} (line {error.lineno}); repair it first") from None
    except InputError:
        raise
    except (LookupError, ValueError) as error:
        raise InputError(f"{name} cannot be read as XML: {error}") from None


def encoding_of(data: bytes) -> str | None:
    """The encoding that XML or HTML declares in its head, None if none."""
    for mark, name in ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return name
    declared = re.search(rb"""<\?xml[^>]{0,200}?encoding=["']([\w.-]{1,40})""", data[:1024]) or re.search(
        rb"""<meta[^>]{0,200}?charset=["']?([\w.-]{1,40})""", data[:4096], re.IGNORECASE
    )
    return declared[1].decode("ascii") if declared else None
