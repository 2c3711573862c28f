"""Reports about people, places and numbers that training never saw: who did what to whom, where, and how many.

One event is the news. It is told in one or two sentences, from either side ("a sells to b", "b buys from a"), sometimes
with a correction. The other sentences are about what is over, only hoped for, refused or denied, mostly of the same
people with their parts exchanged. Exchanging the two parts in the news alone gives a report of the same words with
another headline, so a bag of words cannot tell who did what to whom. The names and numbers of a test headline are not
in the training vocabulary: they have to be copied, from the right place.
"""

import re
from dataclasses import dataclass, field
from functools import cache
from random import Random

from course_utils.data.reports.events import pick
from course_utils.data.reports.invented import invent
from course_utils.data.reports.phrases import Word, Words, quiet
from course_utils.data.reports.reading import problems_of
from course_utils.data.reports.reports import SPLITS, Report, assemble, check_size, split_of

NAMED_SPLITS = (*SPLITS, "known names")
"""The last has headlines that training never saw, of names and numbers that are well known there."""
CAST = {"person": 3, "place": 2, "number": 7}
"""So many different names and numbers can occur in a report."""
DISTRACTIONS = (2, 3, 4)
"""How many there can be; each has one or two sentences."""


@dataclass(frozen=True)
class Frame:
    """A kind of event. In its texts a word in capitals stands for a part of the event, and a star follows the verb.

    Attributes:
        views: how it is told from both sides: subject, verb (present, past, infinitive), rest.
        quantity: how the number is said, and what is said instead where it is left out.
        goods: what is counted.
        where: how the third part is said; empty if the views say it themselves.
    """

    views: tuple[tuple[str, str, str], tuple[str, str, str]]
    quantity: tuple[str, str] = ("NUMBER GOODS", "some GOODS")
    goods: tuple[str, ...] = ("boats", "books", "chairs", "coins", "horses", "lamps", "maps", "stones", "trees")
    where: str = "in THIRD"

    def clause(self, view: int, form: int, *, number: bool = True, where: bool = True) -> str:
        """Verb and rest from side 0 or 1 in a verb form (0 to 2), with or without the number and the third part."""
        _, verbs, rest = self.views[view]
        words = f"{verbs.split()[form]}* {rest.replace('QUANTITY', self.quantity[not number])} {self.where * where}"
        return " ".join(words.split())


FRAMES = {
    "sale": Frame((("FIRST", "sells sold sell", "QUANTITY to SECOND"),
                   ("SECOND", "buys bought buy", "QUANTITY from FIRST"))),
    "loan": Frame((("FIRST", "lends lent lend", "QUANTITY to SECOND"),
                   ("SECOND", "borrows borrowed borrow", "QUANTITY from FIRST"))),
    "win": Frame((("FIRST", "beats beat beat", "SECOND QUANTITY"),
                  ("SECOND", "loses lost lose", "to FIRST QUANTITY")), ("by NUMBER GOODS", ""), ("points", "votes")),
    "office": Frame((("FIRST", "replaces replaced replace", "SECOND QUANTITY"),
                     ("SECOND", "makes made make", "room for FIRST QUANTITY")), ("after NUMBER GOODS", ""), ("days",)),
    "move": Frame((("THIRD", "moves moved move", "QUANTITY from FIRST to SECOND"),
                   ("THIRD", "brings brought bring", "QUANTITY to SECOND from FIRST")), where=""),
}  # fmt: skip
"""Kind of news → its frame; the headline is its first view in the present, with all parts."""

LEADS = ("", "", "today ", "this morning ", "in the end ")
TOLD = (
    "{past}",
    "{past}",
    "{vague} . in all it was NUMBER GOODS",
    "{vague} . some speak of OTHER GOODS , but it was NUMBER",
    "{nowhere} . it happened in THIRD",
    "some say that {turned} , but it was the other way round",
    "some say that {turned} . it was the other way round",
)
"""How the news is told; in `turned` the two parts are exchanged."""
NOT_NEWS = (
    "last year {past}",
    "long ago {past}",
    "long ago {vague} . in all it was NUMBER GOODS",
    "last year {nowhere} . it happened in THIRD",
    "{subject} hoped to {do}",
    "{subject} did not {do}",
    "{subject} refused to {do}",
    "nobody thinks that {subject} will {do}",
    "it is not true that {past}",
    "some say that {past} , but that is wrong",
    "some say that {past} . that is wrong",
)
SMALL_TALK = (
    "FIRST lives in THIRD with SECOND",
    "FIRST and SECOND talk about THIRD",
    "FIRST knows NUMBER songs",
    "THIRD has NUMBER houses",
    "NUMBER people like FIRST",
)


@dataclass(frozen=True)
class NewsEvent:
    """Who did what to whom: the story of a named report.

    Attributes:
        news: a key of `FRAMES`.
        first, second: the two whose parts can be exchanged: people, or places in "move".
        third: the place; the person in "move".
        number: in digits.
        goods: what is counted.
        cast: kind of word → the names and numbers that the report may mention, those of the news included.
    """

    news: str
    first: str
    second: str
    third: str
    number: str
    goods: str
    cast: dict[str, tuple[str, ...]] = field(repr=False, compare=False)

    @property
    def parts(self) -> dict[str, str]:
        """Name of a part → its word."""
        return {part: getattr(self, part) for part in ("first", "second", "third", "number", "goods")}

    @property
    def key(self) -> str:
        """The event as one line."""
        return " ".join([self.news, *self.parts.values()])


class NamedReport(Report):
    """A report about an `NewsEvent`."""

    @property
    def must_mention(self) -> tuple[str, ...]:
        """The parts of the event; which side the verb tells it from is free."""
        return tuple(self.story.parts.values())


def draw_event(random: Random, split: str) -> NewsEvent:
    """Sample a cast with the names and numbers of a split (of `NAMED_SPLITS`), and what some of it do."""
    cast = {}
    for kind, size in CAST.items():
        found: dict[str, None] = {}
        while len(found) < size:
            found[invent(random, kind, split)] = None
        cast[kind] = tuple(found)
    return _event(random, pick(random, tuple(FRAMES)), cast, cast["number"][0])


def _event(random: Random, news: str, cast: dict[str, tuple[str, ...]], number: str) -> NewsEvent:
    """What some of a cast could do."""
    two, one = ("person", "place") if FRAMES[news].where else ("place", "person")
    first = pick(random, cast[two])
    second = pick(random, [name for name in cast[two] if name != first])
    return NewsEvent(news, first, second, pick(random, cast[one]), number, pick(random, FRAMES[news].goods), cast)


def named_headline(event: NewsEvent) -> Words:
    """The headline, such as "dorka sells 37 boats to velan in maredal"."""
    frame = FRAMES[event.news]
    return _fill(f"{frame.views[0][0]} {frame.clause(0, 0)}", event)


def write_named_report(event: NewsEvent, seed: str | int = 0) -> NamedReport:
    """Word an event among distractions; events that differ in names and numbers alone are worded alike.

    Args:
        event: the news.
        seed: of the wording, and of what the cast does besides.
    """
    random = Random(f"named wording {seed}")
    numbers = iter([number for number in event.cast["number"] if number != event.number])
    units = [_fill(_tell(random, TOLD, event.news), event, next(numbers))]
    for _ in range(pick(random, DISTRACTIONS)):
        talk, alike = random.random() < 0.3, random.random() < 0.5
        news = "sale" if talk else event.news if alike else pick(random, tuple(FRAMES))
        text = pick(random, SMALL_TALK) if talk else _tell(random, NOT_NEWS, news)
        unit = quiet(_fill(text, _event(random, news, event.cast, next(numbers))))
        units.insert(pick(random, range(len(units) + 1)), unit)
    sentences: list[Words] = [[]]
    for word in [word for unit in units for word in (*unit, Word("."))]:
        sentences[-1].append(word)
        sentences += [[]] if word.text == "." else []
    return assemble(NamedReport, event, named_headline(event), sentences[:-1])


def _tell(random: Random, forms: tuple[str, ...], news: str) -> str:
    """Choose a way to tell an event, and a side to tell it from."""
    frame, view = FRAMES[news], pick(random, (0, 1))
    form = pick(random, [form for form in forms if frame.where or "{nowhere}" not in form])
    subject, lead = frame.views[view][0], pick(random, LEADS) if forms is TOLD and form[0] == "{" else ""
    past, exchange = f"{subject} {frame.clause(view, 1)}", {"FIRST": "SECOND", "SECOND": "FIRST"}
    return lead + form.format(
        subject=subject,
        past=past,
        turned=" ".join(exchange.get(word, word) for word in past.split()),
        vague=f"{subject} {frame.clause(view, 1, number=False)}",
        nowhere=f"{subject} {frame.clause(view, 1, where=False)}",
        do=frame.clause(view, 2),
    )


def _fill(text: str, event: NewsEvent, other: str = "") -> Words:
    """Words of a text; those in capitals are parts of the event, and a star marks the verb."""
    parts = {part.upper(): Word(word, ((part,),)) for part, word in event.parts.items()} | {"OTHER": Word(other)}
    return [parts.get(word) or Word(word.rstrip("*"), (("verb",),) * word.endswith("*")) for word in text.split()]


def make_named_reports(count: int, *, split: str = "train", seed: int = 0) -> list[NamedReport]:
    """Make reports with names and numbers of their own split.

    The same arguments give the same reports, and a smaller `count` the beginning of the same list.

    Args:
        count: how many.
        split: of `NAMED_SPLITS`.
        seed: any whole number.

    Raises:
        ValueError: if an argument is out of range.
    """
    check_size(count, split, NAMED_SPLITS)
    random = Random(f"named reports {split} {seed}")
    reports: list[NamedReport] = []
    while len(reports) < count:
        event = draw_event(random, split)
        apart = split_of([word.text for word in named_headline(event)]) != "train"
        if split in ("validation", "test") or apart == (split == "known names"):
            reports.append(write_named_report(event, f"{split} {seed} {len(reports)}"))
    return reports


@cache
def _patterns() -> list[tuple[str, re.Pattern]]:
    """Every way to say an event in a headline: from either side, in two tenses, with and without number and place."""
    found = {}
    for news, frame in FRAMES.items():
        for view, (subject, verbs, _) in enumerate(frame.views):
            for number, where in ((True, True), (True, False), (False, True), (False, False)):
                _, *rest = frame.clause(view, 0, number=number, where=where).split()
                text = " ".join([subject, f"(?:{'|'.join(verbs.split()[:2])})", *rest])
                pattern = re.sub("[A-Z]{3,}", lambda part: rf"(?P<{part[0].lower()}>\w+)", text)
                found[pattern.replace(r"<number>\w", r"<number>\d")] = news
    return [(news, re.compile(pattern)) for pattern, news in found.items()]


def read_event(words: tuple[str, ...]) -> tuple[str, dict[str, str]]:
    """Read a headline: the kind of news, and name of a part → its word for the parts that it states.

    Raises:
        ValueError: if it is not understood.
    """
    for news, pattern in _patterns():
        if match := pattern.fullmatch(" ".join(words)):
            return news, match.groupdict()
    raise ValueError(f"{' '.join(words)!r} is not understood; expected a headline like 'a sells 37 boats to b in c'.")


@problems_of.register
def _(event: NewsEvent, words: tuple[str, ...]) -> list[str]:
    news, said = read_event(words)
    if news != event.news:
        return [f"the news is the {event.news}, no {news}"]
    right = event.parts
    return [f"the {part} is {right[part]}, not {word}" for part, word in said.items() if word != right[part]]
