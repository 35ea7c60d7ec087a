"""Quantities with their units."""

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
    "mcg": ("microgram", "micrograms"),
    "t": ("tonne", "tonnes"),
    "fl oz": ("fluid ounce", "fluid ounces"),
    "fl. oz": ("fluid ounce", "fluid ounces"),
    "cc": ("cubic centimeter", "cubic centimeters"),
    "qt": ("quart", "quarts"),
    "qts": ("quart", "quarts"),
    "Tbsp": ("tablespoon", "tablespoons"),
    "sqft": ("square foot", "square feet"),
    "nmi": ("nautical mile", "nautical miles"),
    "ft/s": ("foot per second", "feet per second"),
    "bpm": ("beat per minute", "beats per minute"),
    "dpi": ("dot per inch", "dots per inch"),
    "ppi": ("pixel per inch", "pixels per inch"),
    "µs": ("microsecond", "microseconds"),
    "ns": ("nanosecond", "nanoseconds"),
    "wk": ("week", "weeks"),
    "wks": ("week", "weeks"),
    "mo": ("month", "months"),
    "mos": ("month", "months"),
    "HP": ("horsepower", "horsepower"),
    "hp": ("horsepower", "horsepower"),
    "mW": ("milliwatt", "milliwatts"),
    "TW": ("terawatt", "terawatts"),
    "Wh": ("watt hour", "watt hours"),
    "MWh": ("megawatt hour", "megawatt hours"),
    "GWh": ("gigawatt hour", "gigawatt hours"),
    "TWh": ("terawatt hour", "terawatt hours"),
    "mV": ("millivolt", "millivolts"),
    "mAh": ("milliamp hour", "milliamp hours"),
    "Ah": ("amp hour", "amp hours"),
    "Ω": ("ohm", "ohms"),
    "kΩ": ("kiloohm", "kiloohms"),
    "MΩ": ("megaohm", "megaohms"),
    "kN": ("kilonewton", "kilonewtons"),
    "MPa": ("megapascal", "megapascals"),
    "mmHg": ("millimeter of mercury", "millimeters of mercury"),
    "atm": ("atmosphere", "atmospheres"),
    "mbar": ("millibar", "millibars"),
    "MJ": ("megajoule", "megajoules"),
    "eV": ("electron volt", "electron volts"),
    "lm": ("lumen", "lumens"),
    "lx": ("lux", "lux"),
    "mol": ("mole", "moles"),
    "PB": ("petabyte", "petabytes"),
    "KiB": ("kibibyte", "kibibytes"),
    "MiB": ("mebibyte", "mebibytes"),
    "GiB": ("gibibyte", "gibibytes"),
    "TiB": ("tebibyte", "tebibytes"),
    "kbps": ("kilobit per second", "kilobits per second"),
    "kbit/s": ("kilobit per second", "kilobits per second"),
    "Mb/s": ("megabit per second", "megabits per second"),
    "Mbit/s": ("megabit per second", "megabits per second"),
    "Gb/s": ("gigabit per second", "gigabits per second"),
    "Gbit/s": ("gigabit per second", "gigabits per second"),
    "MP": ("megapixel", "megapixels"),
    "‰": ("per mille", "per mille"),
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
    "month": "month",
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
# After a quantity with an article: what is no noun that it belongs to.
_NO_NOUN = "(?:of|or|and|in|to|for|at|on|from|per|with|is|was|more|less|away|apart|long|wide|high|tall|deep)"


def either(names: Iterable[str]) -> str:
    """A pattern for any of some names, the longest first."""
    return "|".join(sorted(map(re.escape, names), key=len, reverse=True))


UNIT = either(_UNITS)
_LENGTH = "|".join(_LENGTHS)
AREA = rf"(?:(?:sq|cu)\.? (?:{_LENGTH})|(?:{_LENGTH})(?:[²³]|\^?[23]))"
_BEHIND = either([*_PER, *(unit for unit in _UNITS if unit.isalpha())])
RATE = rf"(?: ?/ ?(?P<per>{_BEHIND})(?P<square>²|\^?2)?(?![\w/]))?"
_INCHES_END = (
    r"(?=\s*[,;:)]|\s*$|\.(?:\s|$)| (?:wide|long|tall|high|deep|thick|across|by|x|×|of (?:rain|snow)))"
)
_DOTTED = r"(?:(?<=[A-Za-z])\.(?= [a-z0-9]))?"  # 5 lb. of flour: no sentence ends there


def one_thing(match: re.Match[str]) -> bool:
    """Whether the quantity says what a thing is like, as in "a 5 kg bag"."""
    article = re.search(r"(?:^|\W)[Aa]n? $", match.string[max(0, match.start() - 4) : match.start()])
    noun = re.match(rf" (?!{_NO_NOUN}\b)[a-z]", match.string[match.end() : match.end() + 12])
    return bool(article and noun)


def per(match: re.Match[str]) -> str:
    """What comes after a slash: " per hour", " per second squared"."""
    name = match["per"]
    if name is None:
        return ""
    return f" per {_PER.get(name) or _UNITS[name][0]}{' squared' if match['square'] else ''}"


def _quantity(match: re.Match[str]) -> str:
    number = match["number"]
    single = number == "1" or match["hyphen"] == "-" or one_thing(match)
    minus = "minus " if match["minus"] else ""
    return f"{minus}{words(number)} {_unit(match['unit'], single)}{per(match)}"


def _unit(unit: str, single: bool) -> str:
    """A unit in words, an area's or a volume's as well."""
    if unit in _UNITS:
        return _UNITS[unit][0 if single else 1]
    if unit[:2] in ("sq", "cu"):
        power, length = ("square " if unit.startswith("sq") else "cubic "), unit.split()[-1]
    else:
        power, length = _POWERS[unit[-1]], unit[:-1].rstrip("^")
    names = _INCH if length == "in" else _UNITS[length]
    return power + names[0 if single else 1]


def _part(match: re.Match[str]) -> str:
    """One and one half teaspoons, three quarters pound."""
    unit, single = match["unit"], not match["whole"]
    said = _INCH[not single] if unit == "in" else _unit(unit, single)
    return f"{match['whole'] or ''}{match['part']} {said}"


def _feet_and_inches(match: re.Match[str]) -> str:
    feet, inches = match.groups()
    said = f"{words(feet)} {'foot' if feet == '1' else 'feet'}"
    return f"{said} {words(inches)} {_INCH[inches != '1']}"


def _inches(match: re.Match[str]) -> str:
    one = match[1] == "1" or one_thing(match)
    return f"{words(match[1])} {_INCH[not one]}"


SIZES: tuple[Rule, ...] = (  # before fractions
    (r"\b0x(?=[0-9A-Fa-f])", lambda match: "0 ex "),
    (rf"(\d ?-?(?:{UNIT}|in|feet|foot|inch|inches)?) ?[x×] ?(?=\d)", lambda match: f"{match[1]} by "),
)
_PART = r"(?:quarter|third|fifth|sixth|seventh|eighth|ninth|tenth|sixteenth)"
UNITS: tuple[Rule, ...] = (
    (
        rf"\b(?P<whole>and )?(?P<part>one (?:half|{_PART})|[a-z]{{3,7}} {_PART}s)[ -]"
        rf"(?P<unit>{AREA}|{UNIT}|in(?=\.? [a-z]|\.?$|[,;)]){_INCHES_END})(?!\w){_DOTTED}",
        _part,
    ),
    (
        r"(?<![\w.])(\d{1,3})[ -]?(?:ft\.?|feet|foot) ?(\d{1,2}(?:\.\d+)?)[ -]?in\b\.?(?! the\b)",
        _feet_and_inches,
    ),
    (rf"(?<![\w.])({NUMBER})[ -]?in\b(?:\.(?= [a-z]))?{_INCHES_END}", _inches),
    (r"(?<=\d) ?(h|hr|hrs) ?(\d{1,2}) ?m(?:in)?\b", lambda match: f" {match[1]} {match[2]} min"),
    (r"(?<=\d)h(\d\d)\b", lambda match: f" h {match[1]} min"),
    (r"(?<=\d min) ?(\d{1,2}) ?s\b", lambda match: f" {match[1]} s"),
    (r"(?<=\d) ?×|(?<=\d)x(?![\w])", lambda match: " times"),
    (
        rf"(?<![\w.])(?P<minus>-?)(?P<number>{NUMBER})(?P<hyphen>[ -]?)"
        rf"(?P<unit>{AREA}|{UNIT})(?!\w)(?!\^\d){RATE}{_DOTTED}",
        _quantity,
    ),
)
