"""Reports about people, places and numbers that training never saw: who did what to whom, where, and how many.

One event is the news. It is told in one or two sentences, from either side ("a sells to b", "b buys from a"), sometimes
with a correction. The other sentences are about what is over, only hoped for, refused or denied, mostly of the same
people with their parts exchanged. Exchanging the two parts in the news alone gives a report of the same words with
another headline, so a bag of words cannot tell who did what to whom. The names and numbers of a test headline are not
in the training vocabulary: they have to be copied, from the right place.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import product
from random import Random
from typing import NamedTuple

from course_utils.data.reports.headlines import pattern_of
from course_utils.data.reports.reports import SPLITS, Report, assemble, check_size
from course_utils.data.reports.wording import Word, Words, quiet, text_of
from course_utils.data.words_of_things import pick, split_of

NAMED_SPLITS = (*SPLITS, "known names")  # the last: new headlines of names and numbers that training knows well
CAST = {"person": 3, "place": 2, "number": 7}  # so many different names and numbers can occur in a report
DISTRACTIONS = (2, 3, 4)  # how many there can be; each has one or two sentences
WELL_KNOWN = 40  # words of each kind in the training split; the others come up once or a few times
_ONSETS = ("b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z", "br", "dr", "gr", "kr", "st", "tr")
_VOWELS = ("a", "e", "i", "o", "u")
SYLLABLES = {
    "person": (_ONSETS, _VOWELS, ("", "l", "n", "r", "s"), _ONSETS, ("a", "an", "el", "i", "ik", "o", "us")),
    "place": (_ONSETS, _VOWELS, _ONSETS, _VOWELS, ("burg", "by", "dal", "holm", "mar", "ton", "wick")),
    "number": (tuple(str(number) for number in range(11, 10_000)),),
}
"""Kind → the parts that a word of it is put together from; no person is called like a place."""
_GOODS = ("boats", "books", "chairs", "coins", "horses", "lamps", "maps", "stones", "trees")


class Frame(NamedTuple):
    """A kind of event: how it is told from both sides, how its number is said or left out, and what is counted.

    The words in capitals stand for parts of the event; the verb has present, past and infinitive.
    """

    views: tuple[str, str]
    quantity: tuple[str, str] = ("NUMBER GOODS", "some GOODS")
    goods: tuple[str, ...] = _GOODS

    def clause(self, view: int, verb: str, *, number: bool = True, where: bool = True) -> str:
        """The sentence from side 0 or 1, with or without some parts; `verb` says what becomes of its three forms."""
        text = re.sub(r"(\w+)/(\w+)/(\w+)", verb, self.views[view]).replace("QUANTITY", self.quantity[not number])
        return " ".join((text if where else text.replace(" in THIRD", "")).split())


FRAMES = {
    "sale": Frame(("FIRST sells/sold/sell QUANTITY to SECOND in THIRD",
                   "SECOND buys/bought/buy QUANTITY from FIRST in THIRD")),
    "loan": Frame(("FIRST lends/lent/lend QUANTITY to SECOND in THIRD",
                   "SECOND borrows/borrowed/borrow QUANTITY from FIRST in THIRD")),
    "win": Frame(("FIRST beats/beat/beat SECOND QUANTITY in THIRD",
                  "SECOND loses/lost/lose to FIRST QUANTITY in THIRD"), ("by NUMBER GOODS", ""), ("points", "votes")),
    "office": Frame(("FIRST replaces/replaced/replace SECOND QUANTITY in THIRD",
                     "SECOND makes/made/make room for FIRST QUANTITY in THIRD"), ("after NUMBER GOODS", ""), ("days",)),
    "move": Frame(("THIRD moves/moved/move QUANTITY from FIRST to SECOND",
                   "THIRD brings/brought/bring QUANTITY to SECOND from FIRST")),
}  # fmt: skip
"""Kind of news → its frame; the headline is its first view in the present, with all parts."""
PRESENT, PAST, INFINITIVE = (rf"\{form}*" for form in (1, 2, 3))  # a star marks the verb

LEADS = ("", "", "today ", "this morning ", "in the end ")
TOLD = (
    "{past}", "{past}", "{vague} . in all it was NUMBER GOODS",
    "{vague} . some speak of OTHER GOODS , but it was NUMBER", "{nowhere} . it happened in THIRD",
    "some say that {turned} , but it was the other way round", "some say that {turned} . it was the other way round",
)  # fmt: skip
"""How the news is told; in `turned` the two parts are exchanged."""
NOT_NEWS = (
    "last year {past}", "long ago {past}", "long ago {vague} . in all it was NUMBER GOODS",
    "last year {nowhere} . it happened in THIRD", "{subject} hoped to {do}", "{subject} did not {do}",
    "{subject} refused to {do}", "nobody thinks that {subject} will {do}", "it is not true that {past}",
    "some say that {past} , but that is wrong", "some say that {past} . that is wrong",
)  # fmt: skip
SMALL_TALK = (
    "FIRST lives in THIRD with SECOND", "FIRST and SECOND talk about THIRD", "FIRST knows NUMBER songs",
    "THIRD has NUMBER houses", "NUMBER people like FIRST",
)  # fmt: skip


@dataclass(frozen=True)
class NewsEvent:
    """Who did what to whom: the story of a named report."""

    news: str
    first: str  # `first` and `second` can be exchanged: people, or places in "move"
    second: str
    third: str  # the place, or the person in "move"
    number: str
    goods: str
    cast: dict[str, tuple[str, ...]] = field(repr=False, compare=False)  # kind → all that the report may mention

    @property
    def parts(self) -> dict[str, str]:
        """Name of a part → its word."""
        return {part: getattr(self, part) for part in ("first", "second", "third", "number", "goods")}


class NamedReport(Report):
    """A report about a `NewsEvent`."""

    @property
    def must_mention(self) -> tuple[str, ...]:
        """The parts of the event; which side the verb tells it from is free."""
        return tuple(self.story.parts.values())

    def problems_of(self, words: Sequence[str]) -> list[str]:
        """What a headline states that is not so."""
        (news, said), right = read_event(words), self.story.parts
        if news != self.story.news:
            return [f"the news is the {self.story.news}, no {news}"]
        return [f"the {part} is {right[part]}, not {word}" for part, word in said.items() if word != right[part]]


def invent(random: Random, kind: str, split: str) -> str:
    """Sample a name or a number (a key of `SYLLABLES`) of one split; in training half of them are well known."""
    known = split == "known names" or (split == "train" and random.random() < 0.5)
    return pick(random, well_known(kind)) if known else _of_split(random, kind, split)


@cache
def well_known(kind: str) -> tuple[str, ...]:
    """The well-known words of a kind; they belong to the training split."""
    random = Random(f"well known {kind}")
    return _different(WELL_KNOWN, lambda: _of_split(random, kind, "train"))


def _of_split(random: Random, kind: str, split: str) -> str:
    while split_of([word := "".join(pick(random, part) for part in SYLLABLES[kind])]) != split:
        pass
    return word


def _different(count: int, sample: Callable[[], str]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    while len(found) < count:
        found[sample()] = None
    return tuple(found)


def sample_event(random: Random, split: str) -> NewsEvent:
    """Sample a cast with the names and numbers of a split (of `NAMED_SPLITS`), and what some of it do."""
    cast = {kind: _different(size, partial(invent, random, kind, split)) for kind, size in CAST.items()}
    return _event(random, pick(random, tuple(FRAMES)), cast, cast["number"][0])


def _event(random: Random, news: str, cast: dict[str, tuple[str, ...]], number: str) -> NewsEvent:
    """What some of a cast could do."""
    two, one = ("place", "person") if news == "move" else ("person", "place")
    first = pick(random, cast[two])
    second = pick(random, [name for name in cast[two] if name != first])
    return NewsEvent(news, first, second, pick(random, cast[one]), number, pick(random, FRAMES[news].goods), cast)


def named_headline(event: NewsEvent) -> Words:
    """The headline, such as "dorka sells 37 boats to velan in maredal"."""
    return _fill(FRAMES[event.news].clause(0, PRESENT), event)


def write_named_report(event: NewsEvent, seed: str | int = 0) -> NamedReport:
    """Word an event among distractions; events that differ in names and numbers alone are worded alike."""
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
    view, clause = pick(random, (0, 1)), FRAMES[news].clause
    form = pick(random, [form for form in forms if news != "move" or "{nowhere}" not in form])
    lead = pick(random, LEADS) if forms is TOLD and form[0] == "{" else ""
    past, exchange = clause(view, PAST), {"FIRST": "SECOND", "SECOND": "FIRST"}
    subject, do = clause(view, INFINITIVE).split(" ", 1)
    vague, nowhere = clause(view, PAST, number=False), clause(view, PAST, where=False)
    turned = " ".join(exchange.get(word, word) for word in past.split())
    return lead + form.format(subject=subject, do=do, past=past, turned=turned, vague=vague, nowhere=nowhere)


def _fill(text: str, event: NewsEvent, other: str = "") -> Words:
    """Words of a text; those in capitals are parts of the event, and a star marks the verb."""
    parts = {part.upper(): Word(word, ((part,),)) for part, word in event.parts.items()} | {"OTHER": Word(other)}
    return [parts.get(word) or Word(word.rstrip("*"), (("verb",),) * word.endswith("*")) for word in text.split()]


def make_named_reports(count: int, *, split: str = "train", seed: int = 0) -> list[NamedReport]:
    """Make reports with names and numbers of their own split (of `NAMED_SPLITS`); otherwise as `make_reports`."""
    check_size(count, split, NAMED_SPLITS)
    random = Random(f"named reports {split} {seed}")
    reports: list[NamedReport] = []
    while len(reports) < count:
        event = sample_event(random, split)
        apart = split_of(text_of(named_headline(event)).split()) != "train"
        if split in ("validation", "test") or apart == (split == "known names"):
            reports.append(write_named_report(event, f"{split} {seed} {len(reports)}"))
    return reports


@cache
def _patterns() -> list[tuple[str, re.Pattern]]:
    """Every way to say an event in a headline: from either side, in two tenses, with and without number and place."""
    parts = dict.fromkeys(("FIRST", "SECOND", "THIRD", "GOODS"), r"\w+") | {"NUMBER": r"\d+"}
    ways = product(FRAMES, (0, 1), (True, False), (True, False))
    texts = [(news, FRAMES[news].clause(view, r"(?:\1|\2)", number=n, where=w)) for news, view, n, w in ways]
    return [(news, pattern_of(text, parts)) for news, text in texts]


def read_event(words: Sequence[str]) -> tuple[str, dict[str, str]]:
    """Read a headline: the kind of news, and part → its word for those that it states; or a `ValueError`."""
    for news, pattern in _patterns():
        if match := pattern.fullmatch(" ".join(words)):
            return news, {part.lower(): word for part, word in match.groupdict().items()}
    raise ValueError(f"{' '.join(words)!r} is not understood; expected a headline like 'a sells 37 boats to b in c'.")
