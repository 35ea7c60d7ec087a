"""Money with its magnitudes, and quantities with their units."""

import re
from collections.abc import Iterable

from alrakis.text.english.numbers import NUMBER, Rule, words

_UNITS = {  # after a number: singular, plural
    "kg": ("kilogram", "kilograms"),
    "g": ("gram", "grams"),
    "mg": ("milligram", "milligrams"),
    "µg": ("microgram", "micrograms"),
    "lb": ("pound", "pounds"),
    "lbs": ("pound", "pounds"),
    "oz": ("ounce", "ounces"),
    "km": ("kilometer", "kilometers"),
    "m": ("meter", "meters"),
    "cm": ("centimeter", "centimeters"),
    "mm": ("millimeter", "millimeters"),
    "µm": ("micrometer", "micrometers"),
    "nm": ("nanometer", "nanometers"),
    "ft": ("foot", "feet"),
    "yd": ("yard", "yards"),
    "yds": ("yard", "yards"),
    "mi": ("mile", "miles"),
    "ha": ("hectare", "hectares"),
    "l": ("liter", "liters"),
    "L": ("liter", "liters"),
    "ml": ("milliliter", "milliliters"),
    "mL": ("milliliter", "milliliters"),
    "cl": ("centiliter", "centiliters"),
    "dl": ("deciliter", "deciliters"),
    "gal": ("gallon", "gallons"),
    "tsp": ("teaspoon", "teaspoons"),
    "tbsp": ("tablespoon", "tablespoons"),
    "km/h": ("kilometer per hour", "kilometers per hour"),
    "kph": ("kilometer per hour", "kilometers per hour"),
    "mph": ("mile per hour", "miles per hour"),
    "mpg": ("mile per gallon", "miles per gallon"),
    "rpm": ("revolution per minute", "revolutions per minute"),
    "fps": ("frame per second", "frames per second"),
    "min": ("minute", "minutes"),
    "mins": ("minute", "minutes"),
    "h": ("hour", "hours"),
    "hr": ("hour", "hours"),
    "hrs": ("hour", "hours"),
    "s": ("second", "seconds"),
    "sec": ("second", "seconds"),
    "secs": ("second", "seconds"),
    "ms": ("millisecond", "milliseconds"),
    "yr": ("year", "years"),
    "yrs": ("year", "years"),
    "Hz": ("hertz", "hertz"),
    "kHz": ("kilohertz", "kilohertz"),
    "MHz": ("megahertz", "megahertz"),
    "GHz": ("gigahertz", "gigahertz"),
    "W": ("watt", "watts"),
    "kW": ("kilowatt", "kilowatts"),
    "MW": ("megawatt", "megawatts"),
    "GW": ("gigawatt", "gigawatts"),
    "kWh": ("kilowatt hour", "kilowatt hours"),
    "V": ("volt", "volts"),
    "kV": ("kilovolt", "kilovolts"),
    "mA": ("milliamp", "milliamps"),
    "Pa": ("pascal", "pascals"),
    "kPa": ("kilopascal", "kilopascals"),
    "hPa": ("hectopascal", "hectopascals"),
    "psi": ("pound per square inch", "pounds per square inch"),
    "dB": ("decibel", "decibels"),
    "cal": ("calorie", "calories"),
    "kcal": ("kilocalorie", "kilocalories"),
    "kJ": ("kilojoule", "kilojoules"),
    "kB": ("kilobyte", "kilobytes"),
    "KB": ("kilobyte", "kilobytes"),
    "MB": ("megabyte", "megabytes"),
    "GB": ("gigabyte", "gigabytes"),
    "TB": ("terabyte", "terabytes"),
    "Mbps": ("megabit per second", "megabits per second"),
    "Gbps": ("gigabit per second", "gigabits per second"),
    "px": ("pixel", "pixels"),
    "°C": ("degree Celsius", "degrees Celsius"),
    "°F": ("degree Fahrenheit", "degrees Fahrenheit"),
    "°": ("degree", "degrees"),
    "%": ("percent", "percent"),
}
_INCH = ("inch", "inches")
_LENGTHS = ("km", "m", "cm", "mm", "ft", "yd", "mi", "in")
_POWERS = {"²": "square ", "³": "cubic ", "2": "square ", "3": "cubic "}
_PER = {  # after a slash, besides units
    "day": "day",
    "night": "night",
    "week": "week",
    "wk": "week",
    "month": "month",
    "mo": "month",
    "year": "year",
    "hour": "hour",
    "minute": "minute",
    "second": "second",
    "person": "person",
    "unit": "unit",
    "piece": "piece",
    "page": "page",
    "word": "word",
}
_COINS = {
    "$": (("dollar", "dollars"), ("cent", "cents")),
    "€": (("euro", "euros"), ("cent", "cents")),
    "£": (("pound", "pounds"), ("penny", "pence")),
    "¥": (("yen", "yen"), ("sen", "sen")),
    "₹": (("rupee", "rupees"), ("paisa", "paise")),
}
_DOLLARS = {
    "US": "US ",
    "A": "Australian ",
    "AU": "Australian ",
    "C": "Canadian ",
    "CA": "Canadian ",
    "HK": "Hong Kong ",
    "NZ": "New Zealand ",
}
_MAGNITUDES = {  # right after an amount of money
    **dict.fromkeys(("k", "K"), "thousand"),
    **dict.fromkeys(("m", "M", "MM", "mn", "mil", "mio"), "million"),
    **dict.fromkeys(("b", "B", "bn", "Bn", "BN"), "billion"),
    **dict.fromkeys(("t", "T", "tn"), "trillion"),
}
_COUNTS = {"mn": "million", "bn": "billion", "tn": "trillion", "M": "million", "B": "billion"}
_SCALE = r"(?:hundred|thousand|million|billion|trillion)"
_NO_NOUN = "(?:of|or|and|in|to|for|at|on|from|per|with|is|was|more|less)"  # after a quantity with an article
SIGNS = "".join(_COINS)


def _either(names: Iterable[str]) -> str:
    return "|".join(sorted(map(re.escape, names), key=len, reverse=True))


_UNIT = _either(_UNITS)
_LENGTH = "|".join(_LENGTHS)
_AREA = rf"(?:(?:sq|cu)\.? (?:{_LENGTH})|(?:{_LENGTH})[²³]|(?:km|m|cm|mm)[23])"
_BEHIND = _either([*_PER, *(unit for unit in _UNITS if unit.isalpha())])
_RATE = rf"(?: ?/ ?(?P<per>{_BEHIND})(?![\w/]))?"
_MAGNITUDE = (
    rf"(?:[ -]?(?P<scale>{_SCALE})\b|(?P<letters>k|K|m|M|MM|b|B|t|T)(?!\w)"
    r"| ?(?P<short>mn|mil|mio|bn|Bn|BN|tn)\b)?"
)
AMOUNT_BEFORE_DASH = rf"[{SIGNS}]{NUMBER}(?:{_either(_MAGNITUDES)})|\d ?(?:{_AREA}|{_UNIT})"
_INCHES_END = (
    r"(?=\s*[,;:)]|\s*$|\.(?:\s|$)| (?:wide|long|tall|high|deep|thick|across|by|x|×|of (?:rain|snow)))"
)


def _one_thing(match: re.Match[str]) -> bool:
    """Whether the quantity says what a thing is like, as in "a 5 kg bag"."""
    article = re.search(r"(?:^|\W)[Aa]n? $", match.string[max(0, match.start() - 4) : match.start()])
    noun = re.match(rf" (?!{_NO_NOUN}\b)[a-z]", match.string[match.end() : match.end() + 12])
    return bool(article and noun)


def _per(match: re.Match[str]) -> str:
    name = match["per"]
    if name is None:
        return ""
    return f" per {_PER.get(name) or _UNITS[name][0]}"


def _magnitude(match: re.Match[str]) -> str:
    letters = match["letters"] or match["short"]
    return match["scale"] or (_MAGNITUDES[letters] if letters else "")


def _money(match: re.Match[str]) -> str:
    number, last, scale = match["number"], match["last"], _magnitude(match)
    coins, parts = _COINS[match["sign"]]
    country = _DOLLARS[match["country"]] if match["country"] else ""
    one = _one_thing(match)
    coin = f"{country}{coins[0 if one else 1]}{_per(match)}"
    if last:
        return f"{words(number)} to {words(last)} {f'{scale} ' if scale else ''}{coin}"
    whole, _, part = number.replace(",", "").partition(".")
    if scale or (part and len(part) != 2):
        return f"{words(number)} {f'{scale} ' if scale else ''}{coin}"
    amount = whole.lstrip("0")  # not as an int: it may have thousands of digits
    said = [f"{words(whole)} {country}{coins[amount != '1' and not one]}"] if amount or not part else []
    if part and (int(part) or not said):
        said.append(f"{words(str(int(part)))} {parts[int(part) != 1]}")
    return " and ".join(said) + _per(match)


def _cents(match: re.Match[str]) -> str:
    return f"{words(match[1])} {'cent' if match[1] == '1' or _one_thing(match) else 'cents'}"


def _quantity(match: re.Match[str]) -> str:
    number = match["number"]
    single = number == "1" or match["hyphen"] == "-" or _one_thing(match)
    minus = "minus " if match["minus"] else ""
    return f"{minus}{words(number)} {_unit(match['unit'], single)}{_per(match)}"


def _unit(unit: str, single: bool) -> str:
    """A unit in words, an area's or a volume's as well."""
    if unit in _UNITS:
        return _UNITS[unit][0 if single else 1]
    if unit[:2] in ("sq", "cu"):
        power, length = ("square " if unit.startswith("sq") else "cubic "), unit.split()[-1]
    else:
        power, length = _POWERS[unit[-1]], unit[:-1]
    names = _INCH if length == "in" else _UNITS[length]
    return power + names[0 if single else 1]


def _feet_and_inches(match: re.Match[str]) -> str:
    feet, inches = match.groups()
    said = f"{words(feet)} {'foot' if feet == '1' else 'feet'}"
    return f"{said} {words(inches)} {_INCH[inches != '1']}"


def _inches(match: re.Match[str]) -> str:
    one = match[1] == "1" or _one_thing(match)
    return f"{words(match[1])} {_INCH[not one]}"


def _counted(match: re.Match[str]) -> str:
    return f"{words(match[1])} {_COUNTS[match[2] or match[3]]}"


MONEY: tuple[Rule, ...] = (
    (rf"(?<![\w-])-(?=[{SIGNS}]\d)", lambda match: "minus "),
    (
        rf"(?:\b(?P<country>{_either(_DOLLARS)})(?=\$))?(?P<sign>[{SIGNS}]) ?(?P<number>{NUMBER})"
        rf"(?:-(?P<last>{NUMBER})(?![\d:-]))?{_MAGNITUDE}{_RATE}",
        _money,
    ),
    (
        rf"(?<![\w.,])(?P<number>{NUMBER})(?P<last>)(?P<country>)"
        rf"(?:[ -]?(?P<scale>{_SCALE})|(?P<letters>[kKM])| ?(?P<short>mn|bn|tn))?"
        rf" ?(?P<sign>[{SIGNS}])(?P<per>(?!))?(?!\d)",
        _money,
    ),
    (r"(?<![\w.])(\d{1,6}) ?¢", _cents),
    (rf"(?<![\w.])({NUMBER})(?: ?(mn|bn|tn)\b|(M|B)(?= [a-z]))", _counted),
)


UNITS: tuple[Rule, ...] = (
    (
        r"(?<![\w.])(\d{1,3})[ -]?(?:ft\.?|feet|foot) (\d{1,2}(?:\.\d+)?)[ -]?in\b\.?(?! the\b)",
        _feet_and_inches,
    ),
    (rf"(?<![\w.])({NUMBER})[ -]?in\b(?:\.(?= [a-z]))?{_INCHES_END}", _inches),
    (r"(?<=\d) ?(h|hr|hrs) ?(\d{1,2}) ?m(?:in)?\b", lambda match: f" {match[1]} {match[2]} min"),
    (r"(?<=\d min) ?(\d{1,2}) ?s\b", lambda match: f" {match[1]} s"),
    (r"(?<=\d) ?[x×] ?(?=\d)", lambda match: " by "),
    (r"(?<=\d) ?×|(?<=\d)x(?![\w])", lambda match: " times"),
    (
        rf"(?<![\w.])(?P<minus>-?)(?P<number>{NUMBER})(?P<hyphen>[ -]?)"
        rf"(?P<unit>{_AREA}|{_UNIT})(?!\w){_RATE}",
        _quantity,
    ),
)
