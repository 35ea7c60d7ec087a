"""Ways to damage a file: its bytes, text, a JSON tree, the opcodes of a pickle, headers of zips and .npy.

All take a random generator, so that an input can be made again from its number.
"""

import io
import json
import pickletools
import struct
import warnings
import zipfile
from collections.abc import Callable
from random import Random
from typing import Any

Mutate = Callable[[Random, bytes], bytes]

SIZES = [
    0,
    1,
    2,
    7,
    127,
    128,
    255,
    256,
    32767,
    65535,
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**40,
    2**63 - 1,
    2**64 - 1,
]
NUMBERS: list[Any] = [
    0,
    -1,
    1,
    2,
    10**9,
    2**31,
    2**63,
    2**64,
    -(2**63),
    1e-9,
    1e308,
    float("nan"),
    float("inf"),
    0.5,
]
TEXTS = [
    "",
    "\0",
    "\ud800",
    "\u202e",
    "\x9b31m",
    "a" * 5000,
    "../../x",
    "/etc/passwd",
    "é" * 50,
    "1" * 5000,
    "~nobody",
    "\n",
]
RAW = [
    "1" * 5000,
    "-" + "9" * 400,
    "[" * 5000,
    '{"a":' * 3000,
    "1e999",
    "NaN",
    "-Infinity",
    '"\\ud800"',
    "0x1",
    "[" * 40 + "]" * 40,
]
WORDS = [
    "MAN: ",
    "WOMAN:",
    "[laughs]",
    "♪",
    "“",
    '"',
    "1,000",
    "$5",
    "\n\n",
    "\r",
    "\u2028",
    "\ufeff",
    "，",
    "。",
    "\u0301",
    "\u200d",
    *TEXTS,
]
MARKUP = [
    "<p>", "</p>", "<div>", "</div>", "<h1>", "<h2>x</h2>", "<table><tr><td>", "<script>", "<style>", "<svg>",
    "<!--", "-->", "<![CDATA[", "]]>", "<?xml version='1.0' encoding='utf-16'?>", "<?xml encoding=\"idna\"?>",
    "<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]>", "<!DOCTYPE a [<!ENTITY b '&c;&c;'>]>", "&b;",
    "<!DOCTYPE a SYSTEM 'http://127.0.0.1:9/x.dtd'>", "&nbsp;", "&#0;", "&#xd800;", "&#x10ffff;",
    "&#999999999;", "<meta charset=\"punycode\">-", "<meta charset=\"idna\">xn--",
    "<a href='../../../etc/passwd'>", "<img src='http://127.0.0.1:9/'>", "<meta charset=\"zip\">",
    "<meta charset=\"unicode_escape\">", "<iframe src='x'>",
    "<ol start='99999999999'>", "<td colspan='999999'>",
    "<aside epub:type='footnote'>", "<a epub:type='noteref'>*</a>", "<ruby>", "<rt>", "<template>", "<br/>",
    "full-path='/etc/passwd'", "href='%2e%2e/x'", "properties='nav cover-image'", "linear='no'",
    "media-type='image/png'", "idref='p0'", "xmlns:a='b'", "<itemref idref='p0'/>", "<dc:title>", *TEXTS[:8],
]  # fmt: skip
TRAP = b"ctests.fuzz.trap\nspring\n"
OPCODES = [
    TRAP, b"cos\nsystem\n", b"cbuiltins\neval\n", b"ctorch\nFloatStorage\n",
    b"ctorch._utils\n_rebuild_tensor_v2\n", b"ccollections\nOrderedDict\n", b"cnumpy\ndtype\n",
    b"itests.fuzz.trap\nspring\n", b"(" + TRAP + b"o", b"R", b"b", b"\x81", b"Q", b"(", b"t", b")", b"}",
    b"]", b"s", b"u", b"a", b"e", b"0", b"2", b"1", b"N", b"\x88", b"q\x00", b"h\x00", b"h\x05",
    b"j\xff\xff\xff\xff", b"K\x01", b"M\xff\xff", b"J\xff\xff\xff\x7f", b"J\x00\x00\x00\x80",
    b"\x8a\x08" + b"\xff" * 7 + b"\x7f", b"\x8b\xff\xff\xff\x7f", b"X\xff\xff\xff\x7f",
    b"\x8e" + b"\xff" * 7 + b"\x7f", b"B\xff\xff\xff\x7f", b"\x82\x01", b"\x94", b".", b"P1\n", b"I1\n",
    b"\x85", b"\x86", b"\x87", b"X\x05\x00\x00\x00_size", b"X\x07\x00\x00\x00strides", b"\x8f",
    b"\x96" + b"\xff" * 8, b"G" + struct.pack(">d", float("nan")),
]  # fmt: skip


def repeats(random: Random, some: int, many: int) -> int:
    """How often something is put in: mostly once, now and then so often that it must cost what it costs."""
    return many if random.random() < 0.02 else random.choice((1, 1, 2, some))


def damage_bytes(random: Random, data: bytes) -> bytes:
    """A few bits, bytes, numbers or slices changed, put in or taken out."""
    out = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 4, 8))):
        at, kind = random.randrange(len(out) + 1), random.randrange(8)
        some = slice(at, at + random.choice((1, 2, 4, 16, 256)))
        if kind == 0 and at < len(out):
            out[at] ^= 1 << random.randrange(8)
        elif kind == 1 and at < len(out):
            out[at] = random.randrange(256)
        elif kind == 2:
            size = random.choice((2, 4, 8))
            value = random.choice(SIZES) % (1 << 8 * size)
            out[at : at + size] = value.to_bytes(size, random.choice(("little", "big")))  # type: ignore[arg-type]
        elif kind == 3:
            del out[some]
        elif kind == 4:
            out[at:at] = out[some]
        elif kind == 5:
            out[at:at] = random.randbytes(random.choice((1, 4, 64)))
        elif kind == 6 and random.random() < 0.2:
            del out[at:]
        else:
            other = random.randrange(len(out) + 1)
            out[some] = out[other : other + some.stop - some.start]
    return bytes(out)


def damage_text(random: Random, data: bytes) -> bytes:
    """Odd words put into lines, pieces moved or repeated."""
    text = data.decode("utf-8", "replace")
    for _ in range(random.choice((1, 2, 5))):
        at = random.randrange(len(text) + 1)
        end = min(len(text), at + random.choice((0, 1, 5, 40)))
        word = random.choice(
            (random.choice(WORDS), random.choice(RAW), text[at:end] * repeats(random, 50, 5000))
        )
        text = text[:at] + word * random.choice((1, 1, 1, 30)) + text[end:]
    text = text[:200_000]
    made = text.encode("utf-8", "surrogatepass" if random.random() < 0.1 else "replace")
    return damage_bytes(random, made) if random.random() < 0.2 else made


def damage_markup(random: Random, data: bytes) -> bytes:
    """HTML or XML with tags, attributes and entities put in, and names changed; or text damaged."""
    if random.random() < 0.4:
        return damage_text(random, data)
    text = data.decode("utf-8", "replace")
    for _ in range(random.choice((1, 2, 5))):
        places = [at for at, letter in enumerate(text) if letter in "<>&\"'=/"] or [0]
        at = random.choice(places)
        if random.random() < 0.3:
            end = text.find(">", at) + 1
            text = text[:at] + text[max(at, end) :]
        else:
            text = text[:at] + random.choice(MARKUP) * repeats(random, 300, 9000) + text[at:]
    return text[:200_000].encode("utf-8", "replace")


def odd_value(random: Random, depth: int = 0) -> Any:
    kind = random.randrange(8)
    if kind < 3:
        return random.choice(NUMBERS)
    if kind < 5:
        return random.choice(TEXTS)
    if kind == 5 or depth > 3:
        return random.choice((None, True, False, [], {}))
    values = [odd_value(random, depth + 1) for _ in range(random.choice((1, 2, 300 if not depth else 3)))]
    return values if kind == 6 else {str(value)[:40]: value for value in values}


def damage_tree(random: Random, value: Any) -> Any:
    """A JSON value with one place in its tree changed."""
    if isinstance(value, dict) and value and random.random() < 0.85:
        key = random.choice(list(value))
        kind = random.randrange(12)
        if kind == 0:
            return {k: v for k, v in value.items() if k != key}
        if kind == 1:
            return {**value, random.choice(TEXTS): odd_value(random)}
        if kind == 2:
            return {(random.choice(TEXTS) if k == key else k): v for k, v in value.items()}
        if kind == 3:
            return {**value, key: random.choice(list(value.values()))}
        return {**value, key: damage_tree(random, value[key])}
    if isinstance(value, list) and value and random.random() < 0.85:
        at = random.randrange(len(value))
        kind = random.randrange(8)
        if kind == 0:
            return value[:at] + value[at + 1 :]
        if kind == 1:
            return value[:at] + [value[at]] * random.choice((2, 50)) + value[at:]
        return [*value[:at], damage_tree(random, value[at]), *value[at + 1 :]]
    return odd_value(random)


def damage_json(random: Random, data: bytes) -> bytes:
    """JSON, or lines of JSON, changed in its tree; some numbers and texts become what no writer writes."""
    lines = data.split(b"\n")
    at = random.randrange(len(lines)) if _is_json(lines[0]) else 0
    part = lines[at] if _is_json(lines[0]) else data
    try:
        value = json.loads(part)
    except ValueError:
        return damage_text(random, data)
    for _ in range(random.choice((1, 1, 2, 5))):
        value = damage_tree(random, value)
    made = json.dumps(value, ensure_ascii=random.random() < 0.5)
    if random.random() < 0.15:
        made = made.replace(random.choice(("1", "0", "null", '""', "true")), random.choice(RAW), 1)
    if random.random() < 0.05:
        made = made.replace("{", '{"a":1,"a":2,', 1)
    lines[at:] = [made.encode("utf-8", "surrogatepass"), *(lines[at + 1 :] if part is not data else [])]
    made_bytes = b"\n".join(lines)
    return damage_bytes(random, made_bytes) if random.random() < 0.1 else made_bytes


def _is_json(line: bytes) -> bool:
    return line.startswith(b"{") and line.rstrip().endswith(b"}")


def damage_safetensors(random: Random, data: bytes) -> bytes:
    if random.random() < 0.3:
        return damage_bytes(random, data)
    size = int.from_bytes(data[:8], "little")
    header = damage_json(random, data[8 : 8 + size])
    length = len(header) if random.random() < 0.9 else random.choice(SIZES)
    return length.to_bytes(8, "little") + header + data[8 + size :]


def damage_pickle(random: Random, data: bytes) -> bytes:
    """Opcodes taken out, doubled, swapped, and put in."""
    try:
        starts = [at for _, _, at in pickletools.genops(data)]
    except Exception:
        return damage_bytes(random, data)
    end = starts[-1] + 1
    parts = [data[a:b] for a, b in zip(starts, [*starts[1:], end], strict=True)]
    for _ in range(random.choice((1, 1, 2, 4, 10))):
        at, kind = random.randrange(len(parts)), random.randrange(6)
        if kind == 0 and len(parts) > 1:
            del parts[at]
        elif kind == 1:
            parts[at:at] = parts[at : at + random.choice((1, 5))] * repeats(random, 40, 9000)
        elif kind == 2:
            other = random.randrange(len(parts))
            parts[at], parts[other] = parts[other], parts[at]
        elif kind == 3:
            parts[at] = damage_bytes(random, parts[at])
        else:
            parts[at:at] = [random.choice(OPCODES) for _ in range(random.choice((1, 2, 3)))]
    if random.random() < 0.05:
        parts[-1:-1] = [TRAP, b")R"]
    return b"".join(parts) + data[end:]


def damage_npy(random: Random, data: bytes) -> bytes:
    """The text of a .npy's header changed, or its bytes."""
    size = int.from_bytes(data[8:10], "little")
    header = data[10 : 10 + size]
    if random.random() < 0.3 or not data.startswith(b"\x93NUMPY"):
        return damage_bytes(random, data)
    word = str(
        random.choice((*SIZES, *NUMBERS, "'|O'", "'<f8'", "'<i8'", "'V1000000'", "[('a', '<f4')]", *RAW))
    ).encode()
    old = random.choice((b"'<i8'", b"'<f4'", b"20", b"30", b"2", b"8", b",", b"False", b"(", b"}"))
    header = (
        header.replace(old, word, random.choice((1, 3)))
        if random.random() < 0.8
        else damage_bytes(random, header)
    )
    length = len(header) if random.random() < 0.9 else random.choice(SIZES)
    return data[:8] + (length % 65536).to_bytes(2, "little") + header + data[10 + size :]


def in_zip(members: Callable[[str], Mutate]) -> Mutate:
    """Damage one member of a zip and write the zip anew, or damage the zip's own bytes."""

    def damage(random: Random, data: bytes) -> bytes:
        if random.random() < 0.25:
            return damage_bytes(random, data)
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            content = [(entry.filename, archive.read(entry)) for entry in archive.infolist()]
        at = random.randrange(len(content))
        pickles = [i for i, (name, _) in enumerate(content) if name.endswith("data.pkl")]
        if pickles and random.random() < 0.6:
            at = pickles[0]
        name, inside = content[at]
        kind = random.randrange(12)
        if kind == 0:
            del content[at]
        elif kind == 1 and random.random() < 0.05:
            content += [(f"{number}", b"") for number in range(10_000)]
        elif kind == 1:
            content.append(random.choice(content))
        elif kind == 2:
            content[at] = random.choice(TEXTS).replace("\ud800", "") or "x", inside
        elif kind == 3:
            content[at] = (
                name,
                b"\0" * random.choice((0, 10**5, 2 * 10**7 if random.random() < 0.02 else 10**4)),
            )
        else:
            content[at] = name, members(name)(random, inside)
        how = zipfile.ZIP_DEFLATED if random.random() < 0.1 else zipfile.ZIP_STORED
        file = io.BytesIO()
        with warnings.catch_warnings(), zipfile.ZipFile(file, "w", how) as archive:
            warnings.simplefilter("ignore")  # a name twice
            for name, inside in content:
                archive.writestr(zipfile.ZipInfo(name), inside, how)
        made = file.getvalue()
        return damage_bytes(random, made) if random.random() < 0.1 else made

    return damage


def damage_torch(random: Random, data: bytes) -> bytes:
    """Either format of torch.save."""
    if not data.startswith(b"PK"):  # a series of pickles: one of them is damaged
        ends, at = [0], 0
        for _ in range(4):
            file = io.BytesIO(data[at:])
            for _, _, _ in pickletools.genops(file):
                pass
            at += file.tell()
            ends.append(at)
        which = random.randrange(len(ends) - 1)
        begin, end = ends[which], ends[which + 1]
        return data[:begin] + damage_pickle(random, data[begin:end]) + data[end:]
    return in_zip(lambda name: damage_pickle if name.endswith(".pkl") else damage_bytes)(random, data)


damage_npz = in_zip(lambda name: damage_npy)
