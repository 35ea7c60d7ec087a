"""Where the period of an abbreviation ends the sentence as well."""

import re

# What begins a sentence, and hardly ever a name: "in the U.S. He left", but "the U.S. Army".
BEGINS = (
    "He|She|It|They|We|I|You|The|This|That|These|Those|There|Then|But|And|Or|In|On|At|By|For|From|With|When|"
    "While|After|Before|If|My|His|Her|Our|Their|Its|As|So|No|Not|Yes|What|Who|How|Why|Where|All|Some|Many|One|"
    "An|To|Nobody|Everybody|Everyone|Now|Later|Next"
)
_NEXT = re.compile(rf"\s*[\"'”’)]*\s*$|[\"'”’)]*\s+[\"'“‘(]?(?:{BEGINS})\b")
_LOOK = 40  # characters ahead


def ends_sentence(match: re.Match[str]) -> bool:
    """Whether a match that ends in a period is followed by nothing, or by what begins a sentence."""
    behind = match.string[match.end() : match.end() + _LOOK]
    return match[0].endswith(".") and _NEXT.match(behind) is not None


def end_after(match: re.Match[str]) -> str:
    """The period that is said after an abbreviation: one where it ends the sentence."""
    return "." if ends_sentence(match) else ""
