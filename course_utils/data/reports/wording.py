"""The English of reports: a story to sentences with repetition, detail and distraction.

Each word knows what it says about the facts. A headline word is supported by the source words that share a mark with
it; words of sentences that only distract carry no marks.
"""

from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from random import Random
from typing import NamedTuple

from course_utils.data.reports import events
from course_utils.data.reports.events import CHILDREN, VALUES, Claim, Group, Step, Story
from course_utils.data.words_of_things import KINDS, NUMBERS, PLACE_PHRASES, article, noun, pick, plural, verb

SIDES = {"above": ("above", "above", "below", "under"),
         "left": ("to the left of", "to the left of", "to the right of", "to the right of")}  # fmt: skip
"""Direction → its wordings; the last two are told from the other group."""
HEADLINE_SIDES = {"above": "above", "left": "left of"}  # direction → its words in a headline
CLAIMS = {aspect: f"THING is/are {aspect.upper()}" for aspect in ("place", "colour", "size")}
CLAIMS |= {"count": "there are COUNT THINGS", "direction": "THING is/are DIRECTION OTHER"}
"""Aspect → how a claim is said; the words in capitals are parts of it."""
MOVES = (("moves", "move"), ("goes", "go"), ("jumps", "jump"))
TURNS = (("turns", "turn"), ("becomes", "become"))  # verbs for one and for several
OPENERS = ("then", "later", "soon", "after that", "a little later")
TRIVIA = (
    "it is a sunny day", "it rains a little", "the background has stripes", "the background is full of dots",
    "the picture hangs on the wall", "the children look at the picture", "this is the picture of the day",
    "everybody is talking about the picture",
)  # fmt: skip
PAST = ("yesterday", "last week", "some days ago")
COMES = ("another", "one more")
SAYS = ("says that", "thinks that", "is sure that")
LIKES = ("likes", "looks at", "talks about", "paints")
HOPES = ("hopes that", "dreams that")

Mark = tuple[str | int, ...]  # what a word says, such as `("colour", 0, "red")`: group 0 is red


class Word(NamedTuple):
    """A word and what it says about the facts that matter."""

    text: str
    marks: tuple[Mark, ...] = ()


Words = list[Word]


def say(*parts: str | Word | Words, marks: tuple[Mark, ...] = ()) -> Words:
    """Parts in a row; texts are split into words, which get the marks."""
    words: Words = []
    for part in parts:
        if isinstance(part, str):
            words += [Word(text, marks) for text in part.split()]
        else:
            words += [part] if isinstance(part, Word) else part
    return words


def fill(text: str, parts: dict[str, Words], form: int = 0, marks: tuple[Mark, ...] = ()) -> Words:
    """The words of a text, some of them replaced; of "moves/move" one form, which gets the marks."""
    forms = {word: say(word.split("/")[form], marks=marks) for word in text.split() if "/" in word}
    return say(*({**parts, **forms}.get(word, word) for word in text.split()))


def text_of(words: Words) -> str:
    """The words without their marks, with blanks between them."""
    return " ".join(word.text for word in words)


def quiet(words: Words) -> Words:
    """The same words without marks: they only distract."""
    return say(text_of(words))


def fact(aspect: str, group: int, value: str | int, text: str = "") -> Words:
    """The word or words that say the value of a group's aspect, unless another text is given."""
    if aspect == "place":
        words = PLACE_PHRASES[value] if not text else text.split()
        return [Word(word, (("place", group, value, word),) if word in value.split() else ()) for word in words]
    return say(text or (NUMBERS[value] if aspect == "count" else value), marks=((aspect, group, value),))


def towards(group: int, place: str, way: str) -> Words:
    """ "to the top left corner"."""
    return fact("place", group, place, " ".join((way, *PLACE_PHRASES[place][1:])))


def join_parts(parts: Sequence[Words]) -> Words:
    """ "a , b and c"."""
    *first, last = parts
    return say(*[say(",", part) for part in first], "and", last)[1:] if first else last


def name_group(group: int, state: Group, number: str = "", *, size: bool = False, colour: bool = False) -> Words:
    """A noun phrase for a group (its index, and how it is now), with or without size and colour.

    The number is "the", "a" for "a" or "two", "one" for "one" or "two", "brief" for none or "two", or "" for none.
    """
    words = fact("size", group, state.size) if size else []
    words += fact("colour", group, state.colour) if colour and state.colour else []
    words += say(noun(state.kind, state.count), marks=(("noun", group),))
    if number == "the":
        return say("the", words)
    if not number or (number == "brief" and state.count == 1):
        return words
    text = article(words[0].text) if number == "a" and state.count == 1 else ""
    return fact("count", group, state.count, text) + words


def claim_words(story: Story, claim: Claim, wording: int | None = None) -> Words:
    """ "the dog is above the foxes" in a `wording` of `SIDES`; None: as in a headline, "dog is above two foxes"."""
    aspect, group, value, other = claim
    near, far = (other, group) if aspect == "direction" and wording in (2, 3) else (group, other)

    def name(index: int) -> Words:
        return name_group(index, story.groups[index], "brief" if wording is None else "the")

    parts = {"THING": name(near)}
    if aspect == "direction":
        text = HEADLINE_SIDES[value] if wording is None else SIDES[value][wording]
        parts |= {"DIRECTION": say(text, marks=((aspect, group, other),)), "OTHER": name(far)}
    else:
        parts["THINGS"] = say(plural(story.groups[group].kind), marks=(("noun", group),))
        parts[aspect.upper()] = fact(aspect, group, value)
    return fill(CLAIMS[aspect], parts, story.groups[near].count > 1)


class Writer:
    """Words a story.

    How often the random state is used depends on kinds, numbers and places as little as can be, so that stories that
    differ only in those are mostly worded alike.
    """

    def __init__(self, story: Story, random: Random) -> None:
        self.story, self.groups, self.random, self.pick = story, story.groups, random, partial(pick, random)
        self.touched = {(step.group, step.aspect) for step in story.steps}
        self.news = set(events.net_changes(story))
        self.disputed = {(claim.group, claim.aspect) for claim in story.claims}
        if story.news == "order" or any(claim.aspect == "direction" for claim in story.claims):
            self.disputed |= {(group, "place") for group in range(len(story.groups))}
        self.said: set[str] = set()

    def _coin(self, share: float = 0.5) -> bool:
        return self.random.random() < share

    def sentences(self, count: int, longest: int) -> list[Words]:
        """Write so many sentences, from 3, with their full stops; fewer than the facts need are reached by joining.

        Returns:
            The sentences; none if the facts alone take more than `longest` words.
        """
        introduction = self._introduction(1 + self.pick(range(min(2, len(self.groups)))))
        core = self._happenings() + self._testimony() + self._line()
        while len(introduction) + len(core) > count and len(introduction) > 1:
            introduction = self._introduction(1)
        while len(introduction) + len(core) > count and len(core) > 1:
            core = _joined(core, self.pick(range(len(core) - 1)))
        facts = len(introduction) + len(core)
        body = [part for part, _ in core]
        if sum(map(len, introduction)) + sum(map(len, body)) > longest:
            return []
        trivia = self._coin(0.3)
        after = len(core)  # restatements stand behind the last thing that happens
        for _ in range(count - facts - trivia):
            if restated := self._restatement() if self._coin(0.3) else []:
                body.insert(after + self.pick(range(len(body) + 1 - after)), restated)
            else:
                body.insert(self.pick(range(after + 1)), self._distraction())
                after += 1
        lead = [say(self.pick(TRIVIA))] if trivia and facts < count else []
        return [say(sentence, ".") for sentence in (*lead, *introduction, *body)]

    def _introduction(self, parts: int) -> list[Words]:
        """The groups at the beginning, in one or two sentences; whatever changes later is told here."""
        order = list(range(len(self.groups)))
        self.random.shuffle(order)
        cut = len(order) if parts == 1 else 1 + self.pick(range(len(order) - 1))
        return [self._introduce([*map(self._present, some)]) for some in (order[:cut], order[cut:]) if some]

    def _present(self, group: int) -> tuple[str, Words, Words]:
        """Verb, name and place of a group."""
        state = self.groups[group]
        size = self._coin() or not state.colour or (group, "size") in self.touched
        hidden = {aspect for aspect in VALUES if (group, aspect) in self.disputed}
        number = "" if "count" in hidden else "a" if self._coin(0.8) else "one"
        name = name_group(group, state, number, size=size and "size" not in hidden, colour="colour" not in hidden)
        return verb(state.count), name, [] if "place" in hidden else fact("place", group, state.place)

    def _introduce(self, groups: list[tuple[str, Words, Words]]) -> Words:
        style = self.pick(range(5))
        if style < 2 and all(place for *_, place in groups):
            whole = [(place, "there", be, name) if style == 0 else (name, be, place) for be, name, place in groups]
            return join_parts([say(*parts) for parts in whole])
        lead = (f"there {groups[0][0]}", "we see", "the picture shows")[style % 3]
        return say(lead, join_parts([name + place for _, name, place in groups]))

    def _happenings(self) -> list[tuple[Words, str]]:
        """A sentence for each step, with the word that could join it to the one before."""
        sentences, states, before = [], self.groups, None
        for step in self.story.steps:
            what = (step.group, step.aspect)
            back = step.value == getattr(self.groups[step.group], step.aspect)
            words = (self._comes_or_goes if step.aspect == "count" else self._changes)(step, states[step.group], back)
            opener = self.pick(OPENERS if before else ("first", "today", "one day"))
            words = say(opener if self._coin(0.6) else "", words if what in self.news else quiet(words))
            sentences.append((words, "but soon" if back and before == what else "and then"))
            states, before = events.groups_after(states, [step]), what
        return sentences

    def _changes(self, step: Step, state: Group, back: bool) -> Words:
        """A step to another place, colour or size; `state` is the group before it, `back`: it undoes what was done."""
        group, aspect, value = step
        said, hidden = self.random.random(), self.disputed | {(group, aspect)}  # now and then "the small dog"
        size, colour = said < 0.2 and (group, "size") not in hidden, said > 0.8 and (group, "colour") not in hidden
        name, marks = name_group(group, state, "the", size=size, colour=colour), (("verb", group, aspect),)
        if aspect == "place":
            start = towards(group, state.place, "from") if self._coin(0.3) else []
            moves = say(self.pick(MOVES)[state.count > 1], marks=marks)
            return say(name, moves, "back" * back, start, towards(group, value, "to"))
        turns = say(self.pick(TURNS)[state.count > 1], marks=marks)
        return say(name, turns, fact(aspect, group, value), "again" * back)

    def _comes_or_goes(self, step: Step, state: Group, back: bool) -> Words:
        """One more or one less."""
        group, _, count = step
        after = ("count", group, count)
        marks, single = (("verb", group, "count"), after), Word(state.kind, (("noun", group),))
        if count > state.count:
            more = say("one" if back else self.pick(COMES), marks=(after,))
            return say(more, single, say("comes back" if back else self.pick(("comes", "arrives")), marks=marks))
        gone = say(say(self.pick(("leaves", "disappears")), marks=marks), "again" * back)
        if self._coin():
            return say("one of the", name_group(group, state, "one"), gone)
        return say(Word("one", (after,)), single, gone)

    def _testimony(self) -> list[tuple[Words, str]]:
        """A sentence for each vote; those of the winning side are marked."""
        votes = self.story.votes
        held, winner = events.standing_votes(votes), events.majority(self.story) if votes else None
        last = {vote.speaker: number for number, vote in enumerate(votes)}
        sentences, heard = [], set()
        for number, (speaker, claim, partner, agrees) in enumerate(votes):
            counts = last[speaker] == number and held[speaker] == winner
            words, voice = say(speaker, marks=(("voter",),) * counts), (("voice",),) * counts
            if partner is None:
                says = say(self.pick(SAYS), marks=voice)
                what = claim_words(self.story, self.story.claims[claim], self.pick(range(4)))
                words += says + (what if claim == winner else quiet(what))
            else:
                words += say("agrees", marks=voice) if agrees else say("does", say("not agree", marks=voice))
                words += say("with", partner)
            opener = self.pick(("later", "at the end")) if speaker in heard else ""
            sentences.append((say(opener, words), "and"))
            heard.add(speaker)
        return sentences

    def _line(self) -> list[tuple[Words, str]]:
        """The neighbours of a line, in any order and told from either side."""
        links = [Claim("direction", near, self.story.line, far) for near, far in pairwise(self.story.ranks)]
        if links and self._coin():
            links.reverse()
        return [(claim_words(self.story, link, self.pick(range(4))), "and") for link in links]

    # What is beside the point: likings, hopes, the past, what is absent or stays; and what was said before

    def _restatement(self) -> Words:
        """How something is at the end; empty if that has been said."""
        aspect, group = self.pick(tuple(VALUES)), self.pick(range(len(self.groups)))
        if self.news and self._coin():
            group, aspect = self.pick(sorted(self.news))
        state = self.story.end[group]
        if (group, aspect) in self.disputed or getattr(state, aspect) is None:
            return []
        time = self.pick(("now", "at the end") if (group, aspect) in self.touched else ("still", "as before"))
        if aspect == "count":
            words = say(time, "there", verb(state.count), name_group(group, state, "one"))
        else:
            there = fact(aspect, group, getattr(state, aspect))
            words = say(time, name_group(group, state, "the"), verb(state.count), there)
        return (words if (group, aspect) in self.news else quiet(words)) if self._is_new(words) else []

    def _distraction(self) -> Words:
        """One that was not said yet."""
        while True:
            words = self.pick((self._liked, self._absent, self._denied, self._hoped, self._past, self._past))()
            if words and self._is_new(words):
                return quiet(words)

    def _is_new(self, words: Words) -> bool:
        text, before = text_of(words), len(self.said)
        self.said.add(text)
        return len(self.said) > before

    def _group(self) -> tuple[int, int, Words]:
        """A group to talk about: index, number, name; rather one that keeps it, so that "dogs" are never one dog."""
        everyone = range(len(self.groups))
        group = self.pick([index for index in everyone if (index, "count") not in self.touched] or everyone)
        state = self.groups[group]
        return group, state.count, name_group(group, state, "the")

    def _other_value(self, group: int, aspect: str) -> str | None:
        """A value that the group never had; None if there is none, or it must not be told."""
        had = {getattr(self.groups[group], aspect)}
        had |= {step.value for step in self.story.steps if (step.group, step.aspect) == (group, aspect)}
        left = [value for value in VALUES[aspect] if value not in had]
        value = self.pick(left) if left and None not in had else None
        return None if (group, aspect) in self.disputed else value

    def _liked(self) -> Words:
        name, likes = self._group()[2], self.pick(LIKES)
        return say(self.pick(CHILDREN), likes, name)

    def _absent(self) -> Words:
        kind = self.pick([kind for kind in KINDS if all(kind != group.kind for group in self.groups)])
        return say(f"nobody sees {article(kind)} {kind}" if self._coin() else f"there is no {kind}")

    def _denied(self) -> Words:
        group, count, name = self._group()
        aspect = self.pick(("place", "colour", "size"))
        now, does = getattr(self.groups[group], aspect), ("does not", "do not")[count > 1]
        if (group, aspect) in self.touched or now is None:
            return []
        if aspect == "place":
            return say(name, does, "move")
        if (group, aspect) in self.disputed:
            return []
        if self._coin():
            return say(name, ("stays", "stay")[count > 1], now)
        value = self._other_value(group, aspect)
        return say(name, does, self.pick(TURNS)[1], value) if value else []

    def _hoped(self) -> Words:
        group, count, name = self._group()
        aspect = self.pick(("place", "place", "colour", "size"))
        if (value := self._other_value(group, aspect)) is None:
            return []
        lead = say(self.pick(CHILDREN), self.pick(HOPES), name)
        becomes = self.pick(MOVES if aspect == "place" else TURNS)[count > 1]
        return say(lead, becomes, towards(group, value, "to") if aspect == "place" else value)

    def _past(self) -> Words:
        group, count, name = self._group()
        lead = say(self.pick(PAST), name, ("was", "were")[count > 1])
        if self._coin(0.4):
            other = (group + 1 + self.pick(range(len(self.groups) - 1))) % len(self.groups)
            side = self.pick(list(dict.fromkeys((*SIDES["above"], *SIDES["left"]))))
            return say(lead, side, name_group(other, self.groups[other], "the"))
        aspect = self.pick(("place", "colour", "size"))
        value = self._other_value(group, aspect)
        return say(lead, fact(aspect, group, value)) if value else []


def _joined(core: list[tuple[Words, str]], at: int) -> list[tuple[Words, str]]:
    """Make one sentence of two neighbours."""
    (first, joint), (second, between) = core[at], core[at + 1]
    opener = next((opener for opener in OPENERS if text_of(second).startswith(f"{opener} ")), "")
    return [*core[:at], (say(first, ",", between, second[len(opener.split()) :]), joint), *core[at + 2 :]]


def report_words() -> list[str]:
    """All words that reports and headlines can have, in alphabetical order."""
    texts = [*OPENERS, *TRIVIA, *PAST, *COMES, *SAYS, *LIKES, *HOPES, *CHILDREN, *VALUES["colour"], *VALUES["size"]]
    texts += [text for forms in (*PLACE_PHRASES.values(), *MOVES, *TURNS, *SIDES.values()) for text in forms]
    texts += [*NUMBERS.values(), *(noun(kind, count) for kind in KINDS for count in (1, 2))]
    texts += [
        "most say there is are was were a an the and swap places from to increase decrease , . no nobody sees",
        "we see the picture shows first today one day but soon and then back again comes arrives one of the",
        "leaves disappears agrees with does do not agree move later at the end stays stay now still as before",
    ]
    return sorted({word for text in texts for word in text.split()})
