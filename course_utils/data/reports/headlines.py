"""Headlines of reports: one grammar by which they are written and read back, and a judge who knows the facts.

A headline, also one that a model wrote, can be true and still beside the point, or well made and wrong.
"""

import re
from collections import Counter
from collections.abc import Sequence
from functools import cache, partial
from itertools import pairwise, product
from typing import Any, NamedTuple

from course_utils.data.reports import wording
from course_utils.data.reports.events import CHANGING, VALUES, Group, Story, majority, net_changes
from course_utils.data.reports.wording import CLAIMS, HEADLINE_SIDES, Words, fact, fill, name_group, say, text_of
from course_utils.data.words_of_things import COLOURS, KINDS, NUMBERS, PLACE_PHRASES, SIZES, noun, verb

HEADLINES = {
    "move": "THING moves/move from BEFORE to AFTER",
    "swap": "THING and OTHER SWAP",
    "colour": "THING turns/turn COLOUR PLACE",
    "size": "THING turns/turn SIZE PLACE",
    "count": "THINGS increase/decrease from FEW to MANY",
    "order": "THING DIRECTION OTHER SAME LAST",
    "most": "most say CLAIM",
}
"""Kind of news → its headline. The words in capitals are parts of it; what texts they can have: `_meanings`."""
THINGS = ("THING", "THINGS", "OTHER", "LAST")  # the parts that name a group


class Judgement(NamedTuple):
    """What in a headline is not understood or not true, and which words it must mention and does not."""

    problems: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def true(self) -> bool:
        """Whether it is understood and everything that it states is so."""
        return not self.problems

    @property
    def complete(self) -> bool:
        """Whether it is true and states all that matters."""
        return not self.problems and not self.missing


def headline_words(story: Story) -> Words:
    """The headline: what matters, in five to ten words, and nothing else."""
    if story.news == "most":
        parts = {"most": say("most", marks=(("voter",),)), "say": say("say", marks=(("voice",),))}
        return fill(HEADLINES["most"], {**parts, "CLAIM": wording.claim_words(story, story.claims[majority(story)])})
    changes = net_changes(story)
    order = story.ranks or [group for group, _ in changes]
    parts = {part: _titled(story, group) for part, group in zip(("THING", "OTHER", "LAST"), order, strict=False)}
    for part, ends in zip(("DIRECTION", "SAME"), pairwise(story.ranks), strict=False):
        parts[part] = say(HEADLINE_SIDES[story.line], marks=(("direction", *ends),))
    if story.news == "order":
        return fill(HEADLINES["order"], parts)
    (group, aspect), (before, after) = next(iter(changes.items()))
    done, form = tuple(("verb", *what) for what in changes), story.groups[group].count > 1
    if aspect == "place":
        parts["SWAP"] = say("swap places", marks=done)
        parts |= {"BEFORE": fact(aspect, group, before, before), "AFTER": fact(aspect, group, after, after)}
    elif aspect == "count":
        parts |= {"FEW": fact(aspect, group, before), "MANY": fact(aspect, group, after)}
        parts["THINGS"], form = _titled(story, group, counted=False), after < before
    else:
        parts |= {aspect.upper(): fact(aspect, group, after), "PLACE": fact("place", group, story.groups[group].place)}
    return fill(HEADLINES[story.news], parts, form, done)


def _titled(story: Story, group: int, *, counted: bool = True) -> Words:
    """ "small dog", "two red cars": as headlines name a group; "red cars" if not counted."""
    state, news = story.groups[group], story.news
    size = news == "size" or (news != "order" and not state.colour)
    state, number = (state, "brief") if counted else (state._replace(count=2), "")
    return name_group(group, state, number, size=size, colour=news not in ("size", "order"))


@cache
def _meanings() -> dict[str, dict[str, Any]]:
    """Name of a part → its texts and what they mean."""
    things, plurals = {}, {}
    for kind, count, size, colour in product(KINDS, NUMBERS, (None, *SIZES), (None, *COLOURS)):
        group = Group(kind, count, size, colour, None)
        name = partial(name_group, 0, group, size=bool(size), colour=True)
        things[text_of(name("brief"))] = group
        if count > 1:
            plurals[text_of(name())] = group._replace(count=None)
    same = {aspect: {value: value for value in VALUES[aspect]} for aspect in ("place", "colour", "size")}
    places = {" ".join(words): place for place, words in PLACE_PHRASES.items()}
    sides, numbers = {text: line for line, text in HEADLINE_SIDES.items()}, {word: n for n, word in NUMBERS.items()}
    several = {word: number for word, number in numbers.items() if number > 1}
    return {
        "THING": things, "OTHER": things, "LAST": things, "THINGS": plurals, "DIRECTION": sides, "SAME": sides,
        "COLOUR": same["colour"], "SIZE": same["size"], "COUNT": several, "FEW": numbers, "MANY": numbers,
        "PLACE": places, "BEFORE": same["place"], "AFTER": same["place"], "SWAP": {"swap places": True},
    }  # fmt: skip


def pattern_of(text: str, parts: dict[str, str]) -> re.Pattern:
    """The pattern of a text. Its groups are the parts, whose patterns are given, and "first": of a verb's two forms."""
    pattern = re.sub("[A-Z]{2,}", lambda part: f"(?P<{part[0]}>{parts[part[0]]})", text)
    return re.compile(re.sub(r"(\w+)/(\w+)", r"(?:(?P<first>\1)|\2)", pattern))


@cache
def _patterns() -> list[tuple[str, str, re.Pattern]]:
    """News, the aspect that most speak of where they do, and pattern of each form of headline."""
    parts = {part: ".+?" if part in THINGS else "|".join(texts) for part, texts in _meanings().items()}
    forms = {text.replace("CLAIM", claim): (news, aspect)
             for news, text in HEADLINES.items() for aspect, claim in CLAIMS.items()}  # fmt: skip
    return [(*what, pattern_of(text, parts)) for text, what in forms.items()]


def read_headline(words: Sequence[str]) -> tuple[str, str, dict[str, Any]]:
    """Read a headline: its news, aspect that most speak of (if they do), meaning of each part; or a `ValueError`."""
    for news, aspect, pattern in _patterns():
        if match := pattern.fullmatch(" ".join(words)):
            texts = match.groupdict()
            first = texts.pop("first", None) is not None
            said = {part: _meanings()[part].get(text) for part, text in texts.items()}
            if None not in said.values() and _agrees(news, said, first):
                return news, aspect, said
    text = " ".join(words)
    raise ValueError(f"{text!r} is not understood; expected a headline like 'small dog turns big at the top'.")


def _agrees(news: str, said: dict[str, Any], first: bool) -> bool:
    """Whether the form of the verb, if there is one, fits; and whether an order has one direction."""
    if news == "count":
        return said["FEW"] != said["MANY"] and first == (said["MANY"] > said["FEW"])
    if news in ("swap", "order"):
        return said.get("DIRECTION") == said.get("SAME")
    return "COUNT" in said or first == (said["THING"].count == 1)


def judge_headline(report: Any, words: Sequence[str]) -> Judgement:
    """Compare a headline, without begin and end symbols, with the facts of a `Report`."""
    if isinstance(words, str):
        raise TypeError(f"words is the string {words!r}; expected a sequence of words. Split it first.")
    try:
        problems = report.problems_of(words)
    except ValueError as error:
        problems = [str(error)]
    missing = Counter(report.must_mention) - Counter(words)
    return Judgement(tuple(problems), tuple(missing.elements()))


def problems_of(story: Story, words: Sequence[str]) -> list[str]:
    """What a headline states that is not so; a `ValueError` if it is not understood."""
    news, aspect, said = read_headline(words)
    things = [said[part] for part in THINGS if part in said]
    index_of = {group.kind: index for index, group in enumerate(story.groups)}
    if absent := [thing.kind for thing in things if thing.kind not in index_of]:
        return [f"there is no {kind} in the report" for kind in absent]
    groups = [index_of[thing.kind] for thing in things]
    if len(set(groups)) < len(groups):
        return ["a group is named twice"]
    problems = [text for thing, group in zip(things, groups, strict=True) for text in _described(story, thing, group)]
    if news == "swap":
        first, second = (net_changes(story).get((group, "place")) for group in groups)
        swapped = first and second and first == second[::-1]
        return problems + ([] if swapped else ["they do not end in each other's place"])
    if news == "most":
        return problems + _judge_most(story, (aspect, groups[0], said[aspect.upper()], *groups[1:]))
    if news == "order":
        return problems + _judge_order(story, said["DIRECTION"], groups)
    return problems + _judge_change(story, CHANGING[news], said, groups[0])


def _described(story: Story, thing: Group, group: int) -> list[str]:
    """What is wrong with number, size and colour: each must be that of the beginning or the end."""
    ends = story.groups[group], story.end[group]
    disputed = {claim.aspect for claim in story.claims if claim.group == group}
    told = {aspect: getattr(thing, aspect) for aspect in ("count", "size", "colour")}
    return [
        f"the {noun(thing.kind, ends[0].count)} {verb(ends[0].count)} not said to be {said}"
        for aspect, said in told.items()
        if said is not None and (aspect in disputed or all(getattr(end, aspect) != said for end in ends))
    ]


def _judge_change(story: Story, aspect: str, said: dict[str, Any], group: int) -> list[str]:
    """The change must be the difference between beginning and end."""
    if (group, aspect) not in net_changes(story):
        return [f"the {aspect} of the {noun(*story.groups[group][:2])} is the same in the end"]
    before, after = net_changes(story)[group, aspect]
    if aspect in ("place", "count"):
        told = (said["BEFORE"], said["AFTER"]) if aspect == "place" else (said["FEW"], said["MANY"])
        return [] if told == (before, after) else [f"it changes from {before} to {after}"]
    value, was, place = said[aspect.upper()], getattr(said["THING"], aspect), story.end[group].place
    problems = [] if value == after else [f"it turns {after}, not {value}"]
    problems += [] if was in (None, before) else [f"it was {before}, not {was}"]
    return problems + ([] if said["PLACE"] == place else [f"its place is {place}, not {said['PLACE']}"])


def _judge_most(story: Story, said: tuple) -> list[str]:
    if not story.claims:
        return ["nobody is at odds about anything"]
    held = tuple(part for part in story.claims[majority(story)] if part is not None)
    return [] if said == held else ["most do not say so"]


def _judge_order(story: Story, line: str, groups: list[int]) -> list[str]:
    if any(claim.aspect in ("direction", "place") for claim in story.claims):
        return ["the report does not say where they all are"]
    cells = [divmod(VALUES["place"].index(story.end[group].place), 3) for group in groups]  # row and column
    steps = [(end[0] - start[0], end[1] - start[1]) for start, end in pairwise(cells)]
    ahead = [(down, across) if line == "above" else (across, down) for down, across in steps]
    return [] if all(far > abs(aside) for far, aside in ahead) else ["they do not stand in this order"]
