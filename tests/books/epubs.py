"""EPUB files for tests: whole ones, and hostile ones."""

import io
import zipfile
from collections.abc import Mapping

PAGES = {
    "a.xhtml": "<html><head><title/></head><body><h1>Part One</h1></body></html>",
    "b.xhtml": '<html xmlns:epub="e"><body><h2>Chapter 1</h2><p>Hello&nbsp;there<a id="x"/> world'
    '<sup><a href="#n">3</a></sup>, m<sup>2</sup>.</p><pre>x = 1</pre><table><tr><td>a</td> <td>b</td></tr>'
    '</table><hr/><p>More<a epub:type="noteref" href="#n">*</a></p>'
    '<aside epub:type="footnote">A note.</aside>'
    "</body></html>",
    "c.xhtml": "<html><body><p>No heading here.</p></body></html>",
}
CONTAINER = (
    '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="OEBPS/c.opf"/></rootfiles></container>'
)


def epub(
    pages: Mapping[str, str | bytes] = PAGES,
    *,
    more: Mapping[str, str | bytes] | None = None,
    container: str = CONTAINER,
    package: str | None = None,
    items: str = "",
    guide: str = "",
) -> bytes:
    """An EPUB of these pages. more: further files by their whole names. items, guide: more of the package."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("mimetype", "application/epub+zip")
        file.writestr("META-INF/container.xml", container)
        listed = "".join(
            f'<item id="p{number}" href="{name}" media-type="application/xhtml+xml"/>'
            for number, name in enumerate(pages)
        )
        spine = "".join(f'<itemref idref="p{number}"/>' for number in range(len(pages)))
        file.writestr(
            "OEBPS/c.opf",
            package
            or '<package xmlns:dc="d"><metadata><dc:title>The Book</dc:title><dc:creator>Ann</dc:creator>'
            f"<dc:language>en-GB</dc:language></metadata><manifest>{listed}{items}</manifest>"
            f"<spine>{spine}</spine>{guide}</package>",
        )
        for name, page in pages.items():
            file.writestr(f"OEBPS/{name}", page)
        for name, content in (more or {}).items():
            file.writestr(name, content)
    return buffer.getvalue()


def nav(*lists: str) -> dict[str, str]:
    """Contents as EPUB 3 has them, of these `nav` elements."""
    return {"OEBPS/nav.xhtml": f'<html xmlns:epub="e"><body>{"".join(lists)}</body></html>'}


def ncx(*points: str) -> dict[str, str]:
    """Contents as EPUB 2 has them: `title>href` each."""
    made = "".join(
        f"<navPoint><navLabel><text>{title}</text></navLabel><content src='{href}'/></navPoint>"
        for title, _, href in (point.partition(">") for point in points)
    )
    return {"OEBPS/t.ncx": f"<ncx><navMap>{made}</navMap></ncx>"}


NAV_ITEM = '<item id="n" href="nav.xhtml" properties="nav" media-type="application/xhtml+xml"/>'
NCX_ITEM = '<item id="t" href="t.ncx" media-type="application/x-dtbncx+xml"/>'
BOMB = '<!DOCTYPE h [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
HOSTILE = {
    "no text": (epub({"a.xhtml": "<html><body><p/></body></html>"}), "has no text"),
    "no pages": (epub({}), "names no page"),
    "no package": (epub(container="<container/>"), "names no package"),
    "broken container": (epub(container="<container"), "broken XML"),
    "broken package": (epub(package="<package><spine>"), "broken XML"),
    "broken page": (epub({"a.xhtml": "<html><p>x"}), "broken XML"),
    "entities in a page": (epub({"a.xhtml": f"{BOMB}<p>&b;</p>"}), "declares entities"),
    "entities in the package": (epub(package=f"{BOMB}<package>&b;</package>"), "declares entities"),
    "page too large": (epub({"a.xhtml": f"<p>{'a' * (9 << 20)}</p>"}), "unpacks to more"),
    "pages too many bytes": (
        epub({f"{number}.xhtml": f"<p>{'a' * (7 << 20)}</p>" for number in range(12)}),
        "unpacks to more",
    ),
    "package too large": (epub(package=f"<package>{' ' * (9 << 20)}</package>"), "unpacks to more"),
    "too many tags": (epub({"a.xhtml": f"<p>{'<b/>' * 400_000}</p>"}), "more elements|more than .* tags"),
    "too deep": (epub(package="<b>" * 5000 + "</b>" * 5000), "deeper"),
    "leaves by a name": (epub(more={"../evil": "x"}), "leads out"),
    "leaves by an absolute name": (epub(more={"/etc/evil": "x"}), "leads out"),
    "leaves by a page": (
        epub(
            package='<package><manifest><item id="a" href="../../x.xhtml" media-type="text/html"/></manifest>'
            '<spine><itemref idref="a"/></spine></package>'
        ),
        "leads out",
    ),
    "a page that is not there": (
        epub(
            package='<package><manifest><item id="a" href="x.xhtml" media-type="text/html"/></manifest>'
            '<spine><itemref idref="a"/></spine></package>'
        ),
        "has no OEBPS/x.xhtml",
    ),
    "no zip": (b"PK\x03\x04 and nothing", "not a whole EPUB"),
    "cut off": (epub()[:-40], "not a whole EPUB"),
    "another encoding": (
        epub(
            {"a.xhtml": b'<?xml version="1.0" encoding="latin-1"?><p>\xe9</p>'.replace(b"latin-1", b"koi9")}
        ),
        "convert it",
    ),
}
