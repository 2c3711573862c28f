"""The page around every explorer: its choices, its style and script, its table for where these may not run.

How it works: each target is a radio button over its word. A style rule per target sets custom properties, `--s3:.82`
for the light of source 3, and the sources draw themselves from their own. So choosing and hovering need no script, and
no word ever stands inside one. The script adds the sentence under the words, threads, the slider and the sound.
"""

import hashlib
import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from course_utils.teaching.plots import GOLD_COLOUR

MOST_BYTES = 150_000
"""No explorer is larger, so that a notebook with several stays small."""

_ID = "\0"  # stands for the explorer's name until its content is known; `escape` lets no word contain it
_FOLDER = Path(__file__).parent


@dataclass(frozen=True, repr=False)
class Explorer:
    """An explorer, ready to be shown.

    Attributes:
        title: the finding.
        html: all of it, for `IPython.display.HTML` or a page.
        description: the same in words, one line per target.
    """

    title: str
    html: str
    description: str

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return f"{self.title}\n{self.description}"


@dataclass
class Target:
    """What a reader can choose: a word, a phoneme, a glimpse.

    Attributes:
        label: on the button.
        says: what it attends to, as a sentence.
        truth: the gold, as a sentence; "" if that is not known.
        properties: custom properties that hold while it is chosen, without the leading dashes: value.
        image: HTML of the same for the table that needs no style.
        masked: whether there are no weights.
    """

    label: str
    says: str
    truth: str = ""
    properties: dict[str, str] = field(default_factory=dict)
    image: str = ""
    masked: bool = False

    @classmethod
    def without_weights(cls, label: str, name: str = "", properties: dict[str, str] | None = None) -> "Target":
        """Return a target that was masked."""
        says = f"{name or quoted(label)} was masked: it has no attention weights."
        return cls(label, says, properties=properties or {}, masked=True)


def escape(text: str) -> str:
    """Return text for HTML, safe between tags and in quoted attributes."""
    return html.escape(str(text).replace("\0", "\ufffd"), quote=True)


def number(value: float) -> str:
    """Return a weight as a short number: ".82", "1", "0"."""
    return f"{value:.2f}".rstrip("0").rstrip(".").removeprefix("0") or "0"


def quoted(word: str) -> str:
    """Return a word in quotation marks; an empty one as a blank."""
    return f"“{word or ' '}”"


def percent(value: float) -> str:
    """Return a share of the whole as a length in CSS."""
    return f"{100 * value:.2f}".rstrip("0").rstrip(".") + "%"


def box_style(box: Sequence[float], width: int, height: int) -> str:
    """Return the place of a box (x0, y0, x1, y1 in pixels) over an image, in CSS."""
    x0, y0, x1, y1 = (float(value) for value in box)
    place = f"left:{percent(x0 / width)};top:{percent(y0 / height)}"
    return f"{place};width:{percent((x1 - x0) / width)};height:{percent((y1 - y0) / height)}"


def chip(text: str, weight: float) -> str:
    """Return a word on a ground as blue as its weight, for the table."""
    red, green, blue = (round(255 + weight * (full - 255)) for full in (107, 174, 214))
    colour = f"#{red:02x}{green:02x}{blue:02x}"
    return f'<span style="background-color:{colour};color:#111111;padding:1px 5px">{escape(text)}</span>'


@cache
def _file(name: str) -> str:
    text = (_FOLDER / name).read_text(encoding="utf-8")
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    lines = [re.sub(r"^\s*//.*", "", line).strip() for line in text.splitlines()]
    text = "\n".join(line for line in lines if line)
    return re.sub(r"\s*([{};,])\s*", r"\1", text) if name.endswith(".css") else text


@cache
def _style() -> str:
    variables, rules = _file("explorer.css").split("@rules", 1)
    light, dark = (block.split("}")[0].replace("GOLD", GOLD_COLOUR) for block in variables.split("{")[1:3])
    return (
        f".wtl{{{light}}}"
        "@media(prefers-color-scheme:dark){:root:not([data-theme=light],[theme=light]) "
        f"body:not([data-jp-theme-light=true],.vscode-light) .wtl{{{dark}}}}}"
        f":is([data-theme=dark],[theme=dark],[data-jp-theme-light=false],.vscode-dark) .wtl{{{dark}}}" + rules.strip()
    )


def _rule(index: int, properties: dict[str, str]) -> str:
    """Return the style that holds while a target is chosen; `:is` forgives a browser that lacks `:has`."""
    without_script = f"#{_ID}:not([data-on])"
    when = (
        f'#{_ID}[data-on="{index}"]',
        f"{without_script}:has(.t{index}:hover)",
        f"{without_script}:not(:has(.t:hover)):has(.t{index}>:checked)",
    )
    return f":is({','.join(when)}){{{';'.join(f'--{name}:{value}' for name, value in properties.items())}}}"


def choices(targets: Sequence[Target], name: str, between: str = "") -> str:
    """Return the targets as a group of radio buttons under their words, and the sentence on what is chosen.

    Args:
        targets: in order.
        name: of the group, for screen readers, which also read changes of the sentence aloud.
        between: HTML.
    """
    first = next((index for index, target in enumerate(targets) if not target.masked), 0)
    buttons = []
    for index, target in enumerate(targets):
        truth = f' data-truth="{escape(target.truth)}"' if target.truth else ""
        checked = " checked" if index == first else ""
        masked = " masked" if target.masked else ""
        buttons.append(
            f'<label class="t t{index}{masked}" style="--k:var(--k{index},0)"><input type="radio" name="{_ID}" '
            f'title="{escape(target.says)}"{truth}{checked}><span>{escape(target.label) or "&nbsp;"}</span></label>'
        )
    group = f'<div class="targets" role="radiogroup" aria-label="{escape(name)}">{"".join(buttons)}</div>'
    return f'{group}{between}<p class="says" aria-live="polite">{escape(targets[first].says)}</p>'


def live(content: str, kind: str = "") -> str:
    """Return a part that is hidden where styles are not allowed, because it would make no sense there.

    JupyterLab drops `hidden` from what it does not trust unless it has a value.
    """
    return f'<div class="live {kind}" hidden="hidden">{content}</div>'


def _table(targets: Sequence[Target], columns: tuple[str, str], title: str) -> str:
    truth = any(target.truth for target in targets)
    names = [*columns, "in words"] + ["the truth"] * truth
    rows = []
    for target in targets:
        cells = [target.image, escape(target.says)] + [escape(target.truth)] * truth
        head = f'<th scope="row" title="{escape(target.says)}">{escape(target.label)}</th>'
        rows.append(f"<tr>{head}" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in names)
    return (
        f'<div class="numbers"><table><caption>{escape(title)}</caption><thead><tr>{head}</tr></thead><tbody>'
        f"{''.join(rows)}</tbody></table></div>"
    )


def assemble(
    kind: str,
    *,
    title: str,
    hint: str,
    stage: str,
    targets: Sequence[Target],
    columns: tuple[str, str],
    scale: str,
    gold_name: str = "",
    data: dict[str, str] | None = None,
    advice: str = "Show fewer words.",
) -> Explorer:
    """Put an explorer together.

    Args:
        kind: its class: words, image, speech or glimpses.
        title, hint: the finding, and one sentence on how to use the explorer.
        stage: HTML of the sources and, by `choices`, of the targets, most of it in `live`.
        targets: what the reader can choose.
        columns: names of the table's first two columns.
        scale: HTML that explains the light.
        gold_name: what the outlines are; "" = there is no gold.
        data: attributes for the script, without "data-".
        advice: what to do if all this is too large.

    Raises:
        ValueError: if there is no title, or it is larger than `MOST_BYTES`.
    """
    if not isinstance(title, str) or not title.strip():
        raise ValueError(
            f"title is {title!r}; expected the finding in a few words: it is what a screen reader says first."
        )
    title = title.strip()
    gold = f'<label class="switch"><input type="checkbox" class="gold"><i></i>{escape(gold_name)}</label>'
    attributes = "".join(f' data-{name}="{escape(value)}"' for name, value in (data or {}).items())
    rules = "".join(_rule(index, {f"k{index}": "1"} | target.properties) for index, target in enumerate(targets))
    body = (
        f'<div class="wtl {kind} mathjax_ignore tex2jax_ignore" id="{_ID}" role="group" aria-label="{escape(title)}"'
        f' data-lm-suppress-shortcuts="true"{attributes}>'
        f"<style>{_style()}{rules}</style>"
        f'<p class="title"><strong>{escape(title)}</strong></p>'
        '<p class="plain">This is the view for a notebook that is not trusted or not running: run the cell, or trust '
        "the notebook, and it can be explored with mouse and keyboard.</p>"
        + live(f'<p class="hint">{hint}</p>')
        + stage
        + live(
            f'<span class="scale">{scale}</span>{gold if gold_name else ""}'
            '<label class="switch"><input type="checkbox" class="all"><i></i>all of it as a table</label>',
            "keys",
        )
        + _table(targets, columns, title)
        + f"<script>{_file('explorer.js')}</script></div>"
    )
    name = "wtl-" + hashlib.sha256(body.encode()).hexdigest()[:10]
    page = body.replace(_ID, name)
    size = len(page.encode())
    if size > MOST_BYTES:
        raise ValueError(
            f"the explorer {title!r} has {size / 1000:.0f} KB; expected at most {MOST_BYTES // 1000} KB, so that a "
            f"notebook with several of them stays small. {advice}"
        )
    description = "\n".join(" ".join(filter(None, (target.says, target.truth))) for target in targets)
    return Explorer(title, page, description)
