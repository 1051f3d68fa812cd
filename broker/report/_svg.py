"""A matplotlib figure as SVG that can stand inside a page: small, text as text, and no names that clash."""

import io
import re
import xml.etree.ElementTree as ET

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.figure import Figure

NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))
SVG = "{http://www.w3.org/2000/svg}"
HREF = "{http://www.w3.org/1999/xlink}href"
DECIMALS = re.compile(r"(\.\d\d)\d+")
REFERENCE = re.compile(r"#(\w+)")
FONT_FAMILY = re.compile(r"font-family: [^;]*;?")
GEOMETRY = ("d", "x", "y", "width", "height", "transform")


def inline_svg(figure: Figure, name: str, label: str, dpi: int = 100) -> Markup:
    """Draw a figure; the same figure gives the same text.

    Parameters
    ----------
    figure : what to draw; made without pyplot.
    name : put before every name within the SVG; a word that no other figure of the page has.
    label : what the figure shows, for those who can't see it.
    dpi : pixels per inch of what is rasterised.
    """
    text = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "boreal", "svg.fonttype": "none"}):
        figure.savefig(text, format="svg", transparent=True, metadata=NO_METADATA, dpi=dpi)
    root = ET.fromstring(text.getvalue())  # noqa: S314  drawn on the line above, not read from anywhere
    _drop_styles(root)
    _rename(root, name)
    for element in root.iter():
        _shorten(element)
        _share_style(element)
    for size in ("width", "height"):  # the page scales it by its viewBox
        root.attrib.pop(size)
    root.attrib.update({"role": "img", "aria-label": label})
    return Markup(ET.tostring(root, encoding="unicode"))  # noqa: S704  ElementTree has escaped it


def _drop_styles(root: ET.Element) -> None:
    """Remove style sheets: inside a page they would hold for all of it."""
    for parent in root.iter():
        for child in parent.findall(f"{SVG}style"):
            parent.remove(child)


def _rename(root: ET.Element, name: str) -> None:
    """Put `name` before the names that something refers to; drop the others."""
    values = [value for element in root.iter() for value in element.attrib.values() if not value.startswith("data:")]
    used = {found for value in values for found in REFERENCE.findall(value)}
    for element in root.iter():
        if element.attrib.get("id") not in used:
            element.attrib.pop("id", None)
        else:
            element.attrib["id"] = f"{name}-{element.attrib['id']}"
        for key in (HREF, "clip-path"):
            if "#" in element.attrib.get(key, "") and not element.attrib[key].startswith("data:"):
                element.attrib[key] = element.attrib[key].replace("#", f"#{name}-")


def _shorten(element: ET.Element) -> None:
    """Plain tags, short numbers, the page's font, no white space between elements."""
    element.tag = element.tag.removeprefix(SVG)
    for key in GEOMETRY:
        if key in element.attrib:
            element.attrib[key] = " ".join(DECIMALS.sub(r"\1", element.attrib[key]).split())
    if "style" in element.attrib:
        element.attrib["style"] = FONT_FAMILY.sub("", element.attrib["style"]).strip(" ;")
    if HREF in element.attrib:
        element.attrib["href"] = element.attrib.pop(HREF)
    if element.tag != "text":
        element.text = None
    element.tail = None


def _share_style(group: ET.Element) -> None:
    """Let a group of equal markers carry their style once."""
    styles = {child.attrib.get("style") for child in group}
    if len(group) > 1 and len(styles) == 1 and None not in styles and "style" not in group.attrib:
        group.attrib["style"] = str(group[0].attrib["style"])
        for child in group:
            del child.attrib["style"]
