"""Roman numerals: of rulers, parts, centuries and years."""

import re

from alrakis.text.english.numbers import Rule, ordinal, words, year

_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
_IS_ROMAN = re.compile("M{0,3}(?:CM|CD|DC{0,3}|C{0,3})(?:XC|XL|LX{0,3}|X{0,3})(?:IX|IV|VI{0,3}|I{0,3})")
_PARTS = (
    "Chapter|CHAPTER|Part|PART|Book|BOOK|Volume|VOLUME|Act|ACT|Scene|SCENE|Canto|CANTO|Section|SECTION|"
    "Article|ARTICLE|Appendix|Phase|Stage|Type|Class|Level|Tier|Title|Table|Figure|Episode|EPISODE|Season|Bowl|"
    "Mark|War|WAR|Symphony|Sonata|Olympiad|Psalm|Vatican"
)
_SURE = ("War", "WAR", "Type", "Phase", "Stage", "Class", "Level", "Tier", "Bowl", "Volume", "Act", "ACT")
_PARTS_AS_WORDS = "chapter|part|book|volume|act|scene|canto|section|article|page|pages|stanza|verse"
# Who reigns, or is called after his father: "Henry VIII", "John D. Rockefeller III".
_NAMES = (
    "Abdul|Adrian|Ahmed|Albert|Alexander|Alfonso|Amenhotep|Antiochus|Artaxerxes|Baldwin|Benedict|Boniface|"
    "Boris|Carl|Carlos|Catherine|Charles|Christian|Clement|Constantine|Cyrus|Darius|David|Edmund|Edward|"
    "Elizabeth|Emmanuel|Eric|Eugene|Felipe|Ferdinand|Francis|Franz|Frederick|Friedrich|George|Gregory|Gustav|"
    "Gustavus|Haakon|Hamid|Harald|Harold|Henry|Honorius|Hugh|Innocent|Isabella|Ivan|James|Jean|Jerome|John|"
    "Joseph|Juan|Juliana|Julius|Justinian|Karl|Kenneth|Leo|Leopold|Louis|Malcolm|Margaret|Margrethe|Martin|"
    "Mary|Matthias|Maximilian|Mehmed|Michael|Mohammed|Murad|Napoleon|Nicholas|Olav|Osman|Otto|Paul|Pedro|"
    "Peter|Philip|Pius|Ptolemy|Ramesses|Ramses|Richard|Robert|Rudolf|Selim|Seti|Sigismund|Sixtus|Stephen|"
    "Suleiman|Sylvester|Theodosius|Thomas|Thutmose|Umberto|Urban|Victor|Victoria|Vittorio|Wilhelm|William|Xerxes"
)
_RULERS = "King|Queen|Pope|Emperor|Empress|Tsar|Czar|Kaiser|Sultan|Pharaoh|Prince|Duke|Shah|Saint|St"
# What follows "Charles I" where that is the king; "Charles I know" is somebody's.
_OF_A_KING = r"(?=[,.;:!?)]|'s\b|$| (?:was|is|of|and|reigned|ruled|died|became|who|in|from|to|by)\b)"


def value(numeral: str) -> int | None:
    """What a Roman numeral in capitals is worth, None for letters that are none."""
    if not _IS_ROMAN.fullmatch(numeral):
        return None
    values = [_VALUES[letter] for letter in numeral]
    return sum(-own if own < after else own for own, after in zip(values, [*values[1:], 0], strict=True))


def _part(match: re.Match[str]) -> str:
    numeral, number = match[2], value(match[2].upper())
    somebody = (
        numeral == "I"
        and match[1] not in _SURE
        and re.match(" [a-z]", match.string[match.end() : match.end() + 2])
    )
    if number is None or somebody or numeral in ("C", "L", "D", "M"):  # Part C
        return match[0]
    return f"{match[1]} {words(str(number))}"


def _ruler(match: re.Match[str]) -> str:
    number = value(match[2])
    return match[0] if number is None else f"{match[1]} the {ordinal(str(number))}"


def _another(match: re.Match[str]) -> str:
    number = value(match[2])
    return match[0] if number is None else f"{match[1]} {words(str(number))}"


def _century(match: re.Match[str]) -> str:
    number = value(match[1])
    return match[0] if number is None else f"{ordinal(str(number))}{match[2]}{match[3]}"


def _alone(match: re.Match[str]) -> str:
    number = value(match[0])
    return match[0] if number is None else words(str(number))


def _range(match: re.Match[str]) -> str:
    first, last = value(match[2].upper()), value(match[3].upper())
    if first is None or last is None:
        return match[0]
    named = {"p.": "page", "pp.": "pages"}.get(match[1], match[1])
    return f"{named} {words(str(first))} to {words(str(last))}"


def _year(match: re.Match[str]) -> str:
    number = value(match[0])
    return match[0] if number is None or not 1100 <= number < 2100 else year(str(number))


ROMAN: tuple[Rule, ...] = (
    (r"\bWW(I{1,3})\b", lambda match: f"World War {words(str(len(match[1])))}"),
    (r"\b([IVX]{1,7})(?:st|nd|rd|th)?( |-)(century|centuries)\b", _century),
    (rf"\b((?:{_PARTS})s?) ([IVXLC]{{1,9}})-([IVXLC]{{1,9}})\b", _range),
    (rf"\b(pp?\.|(?i:{_PARTS_AS_WORDS})s?) ([ivxl]{{1,9}})-([ivxl]{{1,9}})\b", _range),
    (rf"\b({_PARTS}) ([IVXLC]{{1,9}})\b", _part),
    (rf"\b((?i:{_PARTS_AS_WORDS})) ([ivxl]{{2,9}})\b", _part),
    (rf"\b((?:{_RULERS})\.? (?:{_NAMES})) ([IVX]{{1,7}})\b", _ruler),
    (rf"\b({_NAMES}) ([IVX]{{2,7}}|(?<!Malcolm )[VX])\b", _ruler),
    (rf"\b({_NAMES}) (I){_OF_A_KING}", _ruler),
    (rf"\b((?:{_NAMES})(?: [A-Z][a-z.'-]{{0,30}}){{1,2}},?) (II|III|IV)\b", _ruler),
    (r"\b([A-Z][a-z]{1,30}) ([IVX]{2,7})\b", _another),
    (r"\b(?:II|(?!XXX\b)[IVX]{3,7})\b", _alone),
    (r"\bM[CDXLVIM]{3,12}\b", _year),
)
