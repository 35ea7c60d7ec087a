"""Money with its magnitudes."""

import re

from alrakis.text.english.numbers import NUMBER, Rule, words
from alrakis.text.english.units import AREA, RATE, UNIT, either, one_thing, per

_COINS = {
    "$": (("dollar", "dollars"), ("cent", "cents")),
    "€": (("euro", "euros"), ("cent", "cents")),
    "£": (("pound", "pounds"), ("penny", "pence")),
    "¥": (("yen", "yen"), ("sen", "sen")),
    "₹": (("rupee", "rupees"), ("paisa", "paise")),
    "₽": (("ruble", "rubles"), ("kopeck", "kopecks")),
    "₩": (("won", "won"), ("jeon", "jeon")),
    "₪": (("shekel", "shekels"), ("agora", "agorot")),
    "₺": (("lira", "lira"), ("kurush", "kurush")),
    "₴": (("hryvnia", "hryvnias"), ("kopiyka", "kopiykas")),
    "₫": (("dong", "dong"), ("xu", "xu")),
    "฿": (("baht", "baht"), ("satang", "satang")),
    "₱": (("peso", "pesos"), ("centavo", "centavos")),
    "₿": (("bitcoin", "bitcoins"), ("cent", "cents")),
}
_COUNTRIES = {  # before a sign of dollars; with the others it is a currency of its own
    "US": "US ",
    "USD": "US ",
    "A": "Australian ",
    "AU": "Australian ",
    "AUD": "Australian ",
    "C": "Canadian ",
    "CA": "Canadian ",
    "CAD": "Canadian ",
    "HK": "Hong Kong ",
    "NZ": "New Zealand ",
    "NZD": "New Zealand ",
    "S": "Singapore ",
    "SG": "Singapore ",
    "NT": "Taiwan ",
}
_CODES = {  # ISO 4217: as a sign, or as a country's dollars
    "EUR": "€",
    "GBP": "£",
    "JPY": "¥",
    "INR": "₹",
    "USD": "US$",
    "AUD": "A$",
    "CAD": "C$",
    "NZD": "NZ$",
    "SGD": "S$",
    "HKD": "HK$",
}
_MAGNITUDES = {  # right after an amount of money
    **dict.fromkeys(("k", "K"), "thousand"),
    **dict.fromkeys(("m", "M", "MM", "mn", "mil", "mio"), "million"),
    **dict.fromkeys(("b", "B", "bn", "Bn", "BN"), "billion"),
    **dict.fromkeys(("t", "T", "tn"), "trillion"),
}
_COUNTS = {"mn": "million", "bn": "billion", "tn": "trillion", "M": "million", "B": "billion"}
_SCALE = r"(?:hundred|thousand|million|billion|trillion|lakh|crore)"
SIGNS = "".join(_COINS)
_COUNTRY = either(_COUNTRIES)
_MAGNITUDE = (
    rf"(?:[ -]?(?P<scale>{_SCALE})\b|(?P<letters>k|K|m|M|MM|b|B|t|T)(?!\w)"
    r"| ?(?P<short>mn|mil|mio|bn|Bn|BN|tn)\b| (?P<apart>[kKmMbB])(?![\w'&-]))?"
)
_AGAIN = "(?: (?:dollars|euros|pounds|yen|rupees)\\b)?"  # $5 million dollars
AMOUNT_BEFORE_DASH = rf"[{SIGNS}]{NUMBER}(?:{either(_MAGNITUDES)})|\d ?(?:{AREA}|{UNIT})|\d[ -]{_SCALE}"


def _magnitude(match: re.Match[str]) -> str:
    letters = match["letters"] or match["short"] or match["apart"]
    return match["scale"] or (_MAGNITUDES[letters] if letters else "")


def _money(match: re.Match[str]) -> str:
    number, last, scale = match["number"], match["last"], _magnitude(match)
    coins, parts = _COINS[match["sign"]]
    country = _COUNTRIES[match["country"]] if match["country"] else ""
    bill = re.match(r" (?:bill|note|coin)s?\b", match.string[match.end() : match.end() + 8])
    one = bool(bill) or one_thing(match)
    coin = f"{country}{coins[0 if one else 1]}{per(match)}"
    apart = " " if match.string[max(0, match.start() - 1) : match.start()].isalpha() else ""  # R$5
    if last:
        return f"{apart}{words(number)} to {words(last)} {f'{scale} ' if scale else ''}{coin}"
    whole, _, part = number.replace(",", "").partition(".")
    if scale or (part and len(part) != 2):
        return f"{apart}{words(number)} {f'{scale} ' if scale else ''}{coin}"
    amount = whole.lstrip("0")  # not as an int: it may have thousands of digits
    said = [f"{words(whole)} {country}{coins[amount != '1' and not one]}"] if amount or not part else []
    if part and (int(part) or not said):
        said.append(f"{words(str(int(part)))} {parts[int(part) != 1]}")
    return apart + " and ".join(said) + per(match)


def _pieces(match: re.Match[str]) -> str:
    """Two $20s."""
    said = words(match[1]).removeprefix("one ") if match[1] != "1" else "one"
    return f"{said[:-1]}ies" if said.endswith("y") else f"{said}{'es' if said.endswith('x') else 's'}"


def _cents(match: re.Match[str]) -> str:
    return f"{words(match[1])} {'cent' if match[1] == '1' or one_thing(match) else 'cents'}"


def _counted(match: re.Match[str]) -> str:
    return f"{words(match[1])} {_COUNTS[match[2] or match[3]]}"


def _as_point(match: re.Match[str]) -> str:
    """Euros as the continent writes them: 1.000,50 €."""
    return match[0].replace(".", "").replace(" ", "").replace(",", ".")


_CODE = either(_CODES)
_CONTINENTAL = r"(?:\d{1,3}(?:[. ]\d{3}){1,4}(?:,\d{1,2})?|\d{1,9},\d{1,2})(?![\d.,]\d)"
MONEY: tuple[Rule, ...] = (
    (rf"(?<![\w/])({_CODE}) ?(?=\d)", lambda match: _CODES[match[1]]),
    (rf"(?<=\d) ?({_CODE})(?![\w/])", lambda match: f" {_CODES[match[1]]}"),
    (rf"(?<=€){_CONTINENTAL}|(?<=€ ){_CONTINENTAL}|(?<![\d.,]){_CONTINENTAL}(?= ?€)", _as_point),
    (rf"(?<![\w-])-(?=[{SIGNS}]\d)", lambda match: "minus "),
    (rf"([{SIGNS}])-(?=\d)", lambda match: f"minus {match[1]}"),
    (rf"[{SIGNS}](\d{{1,3}})s\b", _pieces),
    (
        rf"(?:\b(?P<country>{_COUNTRY})(?=\$))?(?P<sign>[{SIGNS}]) ?(?P<number>{NUMBER})"
        rf"(?:-(?P<last>{NUMBER})(?![\d:-]))?{_MAGNITUDE}{RATE}{_AGAIN}",
        _money,
    ),
    (
        rf"(?<![\w.,])(?P<number>{NUMBER})(?P<last>)"
        rf"(?:[ -]?(?P<scale>{_SCALE})|(?P<letters>[kKM])| ?(?P<short>mn|bn|tn))?(?P<apart>(?!))?"
        rf" ?(?:\b(?P<country>{_COUNTRY})(?=\$))?(?P<sign>[{SIGNS}])(?P<per>(?!))?(?P<square>(?!))?(?!\d)",
        _money,
    ),
    (r"(?<![\w.])(\d{1,6}) ?¢", _cents),
    (rf"(?<![\w.])({NUMBER})(?: ?(mn|bn|tn)\b|(M|B)(?= [a-z]))", _counted),
    (r"(?<=\d)k(?= (?!run|race|walk|video|screen|monitor|tv|display)[a-z])", lambda match: " thousand"),
)
