"""The colours and fonts of pictures, on light and on dark ground.

Whether dark colours are used is up to the reader's system (``prefers-color-scheme``), or to the
page around an inline picture: JupyterLab's theme, or a ``data-theme`` of ``light`` or ``dark`` on
any element around it.
"""

from __future__ import annotations

import re

from autograd_lite.drawing.text import FONT

LIGHT = {
    "paper": "#ffffff",
    "box": "#ffffff",
    "behind": "#eef1f4",
    "ink": "#1c2128",
    "quiet": "#57606a",
    "border": "#57606a",
    "edge": "#6e7781",
    "partial": "#0a4f9e",
    "highlight": "#b03a00",
    "frame": "#f4f6f8",
    "frame-border": "#c4cbd3",
    "zero": "#e3e6ea",
    "p1": "#fdf3ea",
    "p2": "#fce6d2",
    "p3": "#fad4ae",
    "n1": "#eef5fc",
    "n2": "#dceafa",
    "n3": "#c6dff8",
}
DARK = {
    "paper": "#15191f",
    "box": "#1d232b",
    "behind": "#2b333d",
    "ink": "#e8ecf1",
    "quiet": "#a9b3bf",
    "border": "#8b96a3",
    "edge": "#8b96a3",
    "partial": "#8cc2ff",
    "highlight": "#ffa45c",
    "frame": "#1a1f26",
    "frame-border": "#46505c",
    "zero": "#39414c",
    "p1": "#35281c",
    "p2": "#4a3117",
    "p3": "#61390d",
    "n1": "#1c2a3a",
    "n2": "#1c3652",
    "n3": "#1b456c",
}
"""Colours by name: p1 to p3 are for positive gradients from small to large, n1 to n3 for negative
ones. On each of them text in ``ink`` and ``quiet`` has a contrast of 4.5 : 1 and more."""

_RULES = f"""
.autograd-graph {{ font: 13px {FONT}; font-variant-numeric: tabular-nums; }}
.autograd-graph .paper {{ fill: @paper; }}
.autograd-graph text {{ fill: @ink; }}
.autograd-graph .shape {{ fill: @box; stroke: @border; stroke-width: 1.2; }}
.autograd-graph .inner {{ fill: none; stroke: @border; }}
.autograd-graph .mark {{ fill: @ink; }}
.autograd-graph .constant .mark {{ fill: none; stroke: @ink; stroke-width: 1.4; }}
.autograd-graph .constant .shape {{ stroke-dasharray: 5 3; }}
.autograd-graph .product .shape {{ stroke-dasharray: 1.5 3; }}
.autograd-graph .rest .shape {{ stroke-dasharray: 1.5 4; stroke-linecap: round; }}
.autograd-graph .module .shape, .autograd-graph .alike .shape {{ fill: @behind; }}
.autograd-graph .result .shape {{ stroke: @ink; stroke-width: 3; }}
.autograd-graph .name {{ font-weight: 700; }}
.autograd-graph .op, .autograd-graph .data, .autograd-graph .grad {{ text-anchor: end; }}
.autograd-graph .what, .autograd-graph .note {{ fill: @quiet; }}
.autograd-graph .note, .autograd-graph .frame-title text {{ font-size: 12px; }}
.autograd-graph .line {{ fill: none; stroke: @edge; stroke-width: 1.4; }}
.autograd-graph .several .line {{ stroke-width: 2.6; }}
.autograd-graph .head {{ fill: @edge; }}
.autograd-graph .partial {{ font-size: 12px; text-anchor: middle; fill: @partial;
 paint-order: stroke; stroke: @paper; stroke-width: 3; stroke-linejoin: round; }}
.autograd-graph .several .partial {{ fill: @quiet; }}
.autograd-graph .frame rect {{ fill: @frame; stroke: @frame-border; }}
.autograd-graph .frame-title text {{ font-weight: 700; fill: @quiet;
 paint-order: stroke; stroke: @frame; stroke-width: 5; stroke-linejoin: round; }}
.autograd-graph .frame ~ .edge .partial {{ stroke-opacity: 0; }}
.autograd-graph .highlighted .line {{ stroke: @highlight; stroke-width: 4; }}
.autograd-graph .highlighted .head {{ fill: @highlight; stroke: @highlight; stroke-width: 2; }}
.autograd-graph .highlighted .partial {{ fill: @highlight; text-decoration: underline; }}
.autograd-graph .highlighted .shape {{ stroke: @highlight; stroke-width: 3; }}
.autograd-graph .tint {{ fill: none; }}
.autograd-graph .zero {{ fill: @zero; }}
"""


def _style() -> str:
    rules = _RULES.strip() + "".join(
        f"\n.autograd-graph .{name} {{ fill: @{name}; }}"
        for name in ("p1", "p2", "p3", "n1", "n2", "n3")
    )

    def declared(match: re.Match[str]) -> str:
        """A plain colour first, for programs that do not know variables."""
        what, name = match.groups()
        return f"{what}: {LIGHT[name]}; {what}: var(--{name})"

    rules = re.sub(r"([\w-]+): @([\w-]+)", declared, rules)
    light, dark = (
        " ".join(f"--{name}: {colour};" for name, colour in colours.items())
        for colours in (LIGHT, DARK)
    )
    themes = (
        f".autograd-graph {{ {light} }}\n"
        f"@media (prefers-color-scheme: dark) {{ .autograd-graph {{ {dark} }} }}\n"
        f'[data-jp-theme-light="true"] .autograd-graph, [data-theme="light"] .autograd-graph'
        f" {{ {light} }}\n"
        f'[data-jp-theme-light="false"] .autograd-graph, [data-theme="dark"] .autograd-graph'
        f" {{ {dark} }}\n"
    )
    return themes + rules


STYLE = _style()
"""The content of the picture's ``<style>``."""
