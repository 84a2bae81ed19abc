"""How wide text is, without asking a browser: never less than what it will take."""

from __future__ import annotations

FONT = (
    'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", "DejaVu Sans",'
    " sans-serif"
)
"""Fonts that are there without a download, on every system one."""

# Advance widths of the letters from " " to "~" in hundredths of the font size, each the widest
# among Liberation Sans (as wide as Arial and Helvetica) and DejaVu Sans (wider than most).
_REGULAR = (
    *(32, 40, 46, 84, 64, 95, 78, 28, 39, 39, 50, 84, 32, 36, 32, 34, 64, 64, 64),
    *(64, 64, 64, 64, 64, 64, 64, 34, 34, 84, 84, 84, 56, 102, 69, 69, 72, 77, 67),
    *(61, 78, 76, 30, 50, 67, 56, 87, 75, 79, 67, 79, 72, 67, 61, 74, 69, 99, 69),
    *(67, 69, 39, 34, 39, 84, 56, 50, 61, 64, 55, 64, 62, 36, 64, 64, 28, 28, 58),
    *(28, 98, 64, 61, 64, 64, 41, 52, 40, 64, 59, 82, 59, 59, 53, 64, 34, 64, 84),
)
_BOLD = (
    *(35, 46, 52, 84, 70, 100, 88, 31, 46, 46, 53, 84, 38, 42, 38, 37, 70, 70, 70),
    *(70, 70, 70, 70, 70, 70, 70, 40, 40, 84, 84, 84, 61, 100, 78, 77, 74, 83, 69),
    *(69, 82, 84, 38, 56, 78, 64, 100, 84, 85, 74, 85, 77, 72, 69, 82, 78, 111, 78),
    *(73, 73, 46, 37, 46, 84, 56, 50, 68, 72, 60, 72, 68, 44, 72, 72, 35, 35, 67),
    *(35, 105, 72, 69, 72, 72, 50, 60, 48, 72, 66, 93, 65, 66, 59, 72, 37, 72, 84),
)


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Return how wide a text is at most, in the unit of the font size.

    Examples
    --------
    >>> round(text_width("x = 2", 10.0), 1)
    27.1
    """
    table = _BOLD if bold else _REGULAR
    hundredths = sum(
        table[ord(letter) - 32] if " " <= letter <= "~" else _other(letter) for letter in text
    )
    return hundredths * size / 100.0


def _other(letter: str) -> int:
    """Return the width of a letter that is not ASCII."""
    from unicodedata import category, east_asian_width

    if category(letter) in ("Mn", "Me"):
        return 0
    return 136 if east_asian_width(letter) in "WF" else 110 if letter in "…→—" else 92


def clipped(text: str, width: float, size: float, *, bold: bool = False) -> str:
    """Return a text that is not wider than ``width``: its middle makes room for ``…``.

    Examples
    --------
    >>> clipped("a_very_long_name_of_a_variable", 120.0, 12.0)
    'a_very_l…_variable'
    """
    if text_width(text, size, bold=bold) <= width:
        return text
    left, right = text[: len(text) // 2], text[len(text) // 2 :]
    while left or right:
        if len(left) >= len(right):
            left = left[:-1]
        else:
            right = right[1:]
        shorter = f"{left}…{right}"
        # Very long texts are cut roughly first: measuring takes time.
        if len(shorter) < 400 and text_width(shorter, size, bold=bold) <= width:
            return shorter
    return "…"
