"""The English of reports: a story to sentences with repetition, detail and distraction, and to its headline.

Each word carries the marks of what it says about the facts that matter; a headline word is supported by the source
words that share a mark with it. Words of sentences that only distract carry none.
"""

from collections.abc import Sequence
from functools import cached_property
from random import Random
from typing import NamedTuple

from course_utils.datasets.inference_wording import CHILDREN
from course_utils.datasets.report_events import Claim, Step, Story, Vote, groups_after, majority, net_changes, pick
from course_utils.datasets.report_events import standing_votes as held_at_the_end
from course_utils.datasets.scene_kinds import COLOURS, KINDS, plural
from course_utils.datasets.scene_layouts import PLACES
from course_utils.datasets.scene_words import NUMBERS, PLACE_PHRASES, SIZES, article, noun, verb
from course_utils.datasets.scenes import Group

Mark = tuple[str | int, ...]
"""What a word says, such as `("colour", 0, "red")`: group 0 is red."""


class Word(NamedTuple):
    """A word and what it says about the facts that matter.

    Attributes:
        text: the word.
        marks: empty for words that say nothing, and for all words of a sentence that only distracts.
    """

    text: str
    marks: tuple[Mark, ...] = ()


Words = list[Word]

SIDES = {"above": (("above",), ("below", "under")), "left": (("to the left of",), ("to the right of",))}
"""Direction → its wordings, and those of its converse."""
HEADLINE_SIDES = {"above": ("above",), "left": ("left", "of")}

OPENERS = ("then", "later", "soon", "after that", "a little later")
TRIVIA = (
    "it is a sunny day", "it rains a little", "the background has stripes", "the background is full of dots",
    "the picture hangs on the wall", "the children look at the picture", "this is the picture of the day",
    "everybody is talking about the picture",
)  # fmt: skip
_MOVES = (("moves", "move"), ("goes", "go"), ("jumps", "jump"))
_TURNS = (("turns", "turn"), ("becomes", "become"))
_COMES = (("another",), ("one", "more"))
_SAYS = (("says", "that"), ("thinks", "that"), ("is", "sure", "that"))
_PAST = ("yesterday", "last week", "some days ago")


def say(text: str, *marks: Mark) -> Words:
    """Words of a text, all with the same marks."""
    return [Word(word, marks) for word in text.split()]


# Parts of sentences


def _place(group: int, place: str, *, to: str | None = None) -> Words:
    """ "in the top left corner"; with `to="to"` or "from": "to the top left corner"."""
    phrase = PLACE_PHRASES[place] if to is None else (to, *PLACE_PHRASES[place][1:])
    named = place.split()
    return [Word(word, (("place", group, place, word),) if word in named else ()) for word in phrase]


def _name(
    group: int, state: Group, *, number: str = "", size: bool = False, colour: bool = False, marked: bool = True
) -> Words:
    """A noun phrase.

    Args:
        group: index.
        state: the group as it is now.
        number: "" for none, "the", "a" for "a" or "two", "one" for "one" or "two".
        size, colour: whether they are said.
        marked: whether the number is.
    """
    words = [Word(state.size, (("size", group, state.size),))] if size else []
    if colour and state.colour:
        words.append(Word(state.colour, (("colour", group, state.colour),)))
    words.append(Word(noun(state.kind, state.count), (("noun", group),)))
    mark = (("count", group, state.count),) if marked else ()
    if number == "the":
        return [Word("the"), *words]
    if number == "a" and state.count == 1:
        return [Word(article(words[0].text), mark), *words]
    return [Word(NUMBERS[state.count], mark), *words] if number else words


def _is(state: Group) -> Words:
    return say(verb(state.count))


def _verb(state: Group, forms: tuple[str, str], *marks: Mark) -> Words:
    return [Word(forms[state.count > 1], marks)]


def _quiet(words: Words) -> Words:
    """The same words without marks: they only distract."""
    return [Word(word.text) for word in words]


def _join(parts: Sequence[Words]) -> Words:
    """ "a , b and c"."""
    words = list(parts[0])
    for part in parts[1:-1]:
        words += [*say(","), *part]
    return words if len(parts) == 1 else [*words, *say("and"), *parts[-1]]


# The headline


def headline_words(story: Story) -> Words:
    """The headline that states what matters, and nothing else does."""
    groups = story.groups
    if story.news == "most":
        claim = story.claims[majority(story)]
        return [Word("most", (("voter",),)), Word("say", (("voice",),)), *_claimed(story, claim, brief=True)]
    if story.news == "order":
        words: Words = []
        for place, rank in enumerate(story.ranks):
            if place:
                words += say(" ".join(HEADLINE_SIDES[story.line]), ("direction", story.ranks[place - 1], rank))
            words += _brief(rank, groups[rank])
        return words
    change, *others = net_changes(story)
    group = change.group
    done = ("verb", group, change.aspect)
    if story.news == "swap":
        second = others[0].group
        name = [*_titled(group, groups[group]), *say("and"), *_titled(second, groups[second])]
        return [*name, *say("swap places", done, ("verb", second, "place"))]
    if story.news == "move":
        ends = [*say("from"), *_bare(group, change.before), *say("to"), *_bare(group, change.after)]
        return [*_titled(group, groups[group]), *_verb(groups[group], _MOVES[0], done), *ends]
    if story.news == "count":
        state = groups[group]
        attribute = [word for word in _titled(group, state) if not _is_count(word)][:-1]
        way = "increase" if change.after > change.before else "decrease"
        ends = [Word(NUMBERS[n], (("count", group, n),)) for n in (change.before, change.after)]
        nouns = Word(plural(state.kind), (("noun", group),))
        return [*attribute, nouns, Word(way, (done,)), *say("from"), ends[0], *say("to"), ends[1]]
    size = change.aspect == "size"
    name = _name(group, groups[group], number="one", size=size, colour=not size)
    name = name if groups[group].count > 1 else name[1:]
    new = Word(change.after, ((change.aspect, group, change.after),))
    return [*name, *_verb(groups[group], _TURNS[0], done), new, *_place(group, groups[group].place)]


def _is_count(word: Word) -> bool:
    return any(mark[0] == "count" for mark in word.marks)


def _bare(group: int, place: str) -> Words:
    return [Word(word, (("place", group, place, word),)) for word in place.split()]


def _titled(group: int, state: Group) -> Words:
    """ "small dog", "two red cars": as headlines name a group."""
    words = _name(group, state, number="one", size=not state.colour, colour=True)
    return words if state.count > 1 else words[1:]


def _brief(group: int, state: Group) -> Words:
    """ "dog", "two cars"."""
    words = _name(group, state, number="one")
    return words if state.count > 1 else words[1:]


def _claimed(story: Story, claim: Claim, *, brief: bool = False, converse: int = -1) -> Words:
    """A claim in words: "the dog is above the foxes"; brief as in a headline: "dog is above two foxes".

    Args:
        story: where the groups are known from.
        claim: what is claimed.
        brief: no articles, the shortest wording.
        converse: −1 for the direction as it is, else which of the wordings told from the other group.
    """
    group, state = claim.group, story.groups[claim.group]
    name = _brief(group, state) if brief else _name(group, state, number="the")
    if claim.aspect == "count":
        count = Word(NUMBERS[claim.value], (("count", group, claim.value),))
        return [*say("there are"), count, Word(plural(state.kind), (("noun", group),))]
    if claim.aspect == "direction":
        other, mark = story.groups[claim.other], ("direction", group, claim.other)
        if brief:
            side = say(" ".join(HEADLINE_SIDES[claim.value]), mark)
            return [*name, *_is(state), *side, *_brief(claim.other, other)]
        far = _name(claim.other, other, number="the")
        if converse < 0:
            return [*name, *_is(state), *say(SIDES[claim.value][0][0], mark), *far]
        side = SIDES[claim.value][1]
        return [*far, *_is(other), *say(side[converse % len(side)], mark), *name]
    if claim.aspect == "place":
        return [*name, *_is(state), *_place(group, claim.value)]
    return [*name, *_is(state), Word(claim.value, ((claim.aspect, group, claim.value),))]


# The sentences of a source


def write_sentences(story: Story, random: Random, count: int, longest: int = 80) -> list[Words]:
    """Word a story.

    Args:
        story: the facts.
        random: source of chance; how often it is asked depends on the kinds, numbers and places of groups as little
            as can be, so that stories that differ only in those are mostly worded alike.
        count: how many sentences, from 3; fewer than the story needs are reached by joining.
        longest: most words.

    Returns:
        The sentences with their full stops; none if the facts alone take more than `longest` words.
    """
    parts = 1 + int(random.random() * min(2, len(story.groups)))
    introduction = _introduction(story, random, parts)
    core = _happenings(story, random) + _testimony(story, random) + _line(story, random)
    while len(introduction) + len(core) > count and len(introduction) > 1:
        introduction = _introduction(story, random, 1)
    while len(introduction) + len(core) > count and len(core) > 1:
        core = _joined(core, int(random.random() * (len(core) - 1)))
    body = [part for part, _ in core]
    if sum(map(len, introduction)) + sum(map(len, body)) > longest:
        return []
    distraction = _Distraction(story, random)
    trivia = random.random() < 0.3
    after = len(core)  # restatements stand behind the last thing that happens
    for _ in range(count - len(introduction) - len(core) - trivia):
        restated = distraction.restatement() if random.random() < 0.3 else []
        if restated:
            body.insert(after + int(random.random() * (len(body) + 1 - after)), restated)
        else:
            body.insert(int(random.random() * (after + 1)), distraction.sentence())
            after += 1
    lead = [say(pick(random, TRIVIA))] if trivia and len(introduction) + len(core) < count else []
    return [[*sentence, Word(".")] for sentence in (*lead, *introduction, *body)]


def _hidden(story: Story) -> tuple[set[tuple[int, str]], bool]:
    """What the introduction must not tell: (group, aspect) pairs, and whether it hides all places."""
    disputed = {(claim.group, claim.aspect) for claim in story.claims}
    return disputed, story.news == "order" or any(claim.aspect == "direction" for claim in story.claims)


def _introduction(story: Story, random: Random, parts: int) -> list[Words]:
    """The scene at the beginning, in one or two sentences; whatever changes later is told here."""
    disputed, placeless = _hidden(story)
    touched = {(step.group, step.aspect) for step in story.steps}
    order = list(range(len(story.groups)))
    random.shuffle(order)
    cut = len(order) if parts == 1 else 1 + int(random.random() * (len(order) - 1))
    sentences = []
    for members in (order[:cut], order[cut:]):
        phrases = []
        for group in members:
            state = story.groups[group]
            size = random.random() < 0.5 or not state.colour or (group, "size") in touched
            size = size and (group, "size") not in disputed
            number = "" if (group, "count") in disputed else "a" if random.random() < 0.8 else "one"
            name = _name(group, state, number=number, size=size, colour=(group, "colour") not in disputed)
            there = not placeless and (group, "place") not in disputed
            phrases.append((name, _place(group, state.place) if there else []))
        if phrases:
            sentences.append(_introduce(story, members, phrases, random))
    return sentences


def _introduce(story: Story, members: list[int], phrases: list[tuple[Words, Words]], random: Random) -> Words:
    style = int(random.random() * 5)
    first = story.groups[members[0]]
    if style == 0 and all(place for _, place in phrases):
        return _join(
            [
                [*place, *say("there"), *_is(story.groups[g]), *name]
                for g, (name, place) in zip(members, phrases, strict=True)
            ]
        )
    if style == 1 and all(place for _, place in phrases):
        return _join(
            [[*name, *_is(story.groups[g]), *place] for g, (name, place) in zip(members, phrases, strict=True)]
        )
    lead = ([*say("there"), *_is(first)], say("we see"), say("the picture shows"))[style % 3]
    return [*lead, *_join([[*name, *place] for name, place in phrases])]


def _definite(group: int, state: Group, random: Random, hidden: set[tuple[int, str]]) -> Words:
    """ "the dog", and now and then "the small dog"."""
    said = random.random()
    size, colour = said < 0.2 and (group, "size") not in hidden, said > 0.8 and (group, "colour") not in hidden
    return _name(group, state, number="the", size=size, colour=colour)


def _happenings(story: Story, random: Random) -> list[tuple[Words, str]]:
    """A sentence for each step, with the word that could join it to the one before."""
    disputed, _ = _hidden(story)
    news = {(change.group, change.aspect) for change in net_changes(story)}
    sentences, states = [], list(story.groups)
    for number, step in enumerate(story.steps):
        state = states[step.group]
        back = step.value == getattr(story.groups[step.group], step.aspect)
        words = _happens(step, state, random, disputed, back=back)
        if (step.group, step.aspect) not in news:
            words = _quiet(words)
        undoes = number and back and _same_aspect(story.steps[number - 1], step)
        joint = "but soon" if undoes else "and then"
        opener = pick(random, OPENERS) if number else pick(random, ("first", "today", "one day"))
        sentences.append(([*(say(opener) if random.random() < 0.6 else []), *words], joint))
        states[step.group] = groups_after([state], [Step(0, step.aspect, step.value)])[0]
    return sentences


def _same_aspect(first: Step, second: Step) -> bool:
    return (first.group, first.aspect) == (second.group, second.aspect)


def _happens(step: Step, state: Group, random: Random, hidden: set, *, back: bool) -> Words:
    """One step in words; `state` is the group before it, `back` says that it undoes what was done."""
    group, done = step.group, ("verb", step.group, step.aspect)
    if step.aspect == "count":
        return _comes_or_goes(step, state, random, back)
    name = _definite(group, state, random, hidden | {(group, step.aspect)})
    if step.aspect == "place":
        start = _place(group, state.place, to="from") if random.random() < 0.3 else []
        again = say("back") if back else []
        return [*name, *_verb(state, pick(random, _MOVES), done), *again, *start, *_place(group, step.value, to="to")]
    new = Word(step.value, ((step.aspect, group, step.value),))
    return [*name, *_verb(state, pick(random, _TURNS), done), new, *(say("again") if back else [])]


def _comes_or_goes(step: Step, state: Group, random: Random, back: bool) -> Words:
    group, done = step.group, ("verb", step.group, "count")
    after = ("count", group, step.value)
    single = Word(state.kind, (("noun", group),))
    again = say("again") if back else []
    if step.value > state.count:
        more = ("one",) if back else pick(random, _COMES)
        comes = "comes back" if back else pick(random, ("comes", "arrives"))
        return [*say(" ".join(more), after), single, *say(comes, done, after)]
    gone = Word(pick(random, ("leaves", "disappears")), (done, after))
    if random.random() < 0.5:
        return [*say("one of the"), *_name(group, state, number="one"), gone, *again]
    return [*say("one", after), single, gone, *again]


def _testimony(story: Story, random: Random) -> list[tuple[Words, str]]:
    """A sentence for each vote; those of the winning side are marked."""
    if not story.votes:
        return []
    held, winner = held_at_the_end(story.votes), majority(story)
    last = {vote.speaker: number for number, vote in enumerate(story.votes)}
    sentences = []
    for number, vote in enumerate(story.votes):
        counts = last[vote.speaker] == number and held[vote.speaker] == winner
        words = _votes(story, vote, random, counts=counts, supports=vote.claim == winner)
        again = any(vote.speaker == earlier.speaker for earlier in story.votes[:number])
        opener = say(pick(random, ("later", "at the end"))) if again else []
        sentences.append(([*opener, *words], "and"))
    return sentences


def _votes(story: Story, vote: Vote, random: Random, *, counts: bool, supports: bool) -> Words:
    """One vote: `counts` if it is its speaker's last and for the winning claim, `supports` if it says that claim."""
    speaker = Word(vote.speaker, (("voter",),) if counts else ())
    voice = (("voice",),) if counts else ()
    if vote.partner is None:
        how = say(" ".join(pick(random, _SAYS)), *voice)
        claim = _claimed(story, story.claims[vote.claim], converse=int(random.random() * 4) - 2)
        return [speaker, *how, *(claim if supports else _quiet(claim))]
    how = say("agrees", *voice) if vote.agrees else [Word("does"), *say("not agree", *voice)]
    return [speaker, *how, *say("with"), Word(vote.partner)]


def _line(story: Story, random: Random) -> list[tuple[Words, str]]:
    """The neighbours of a line, in any order and told from either side."""
    if story.line is None:
        return []
    links = [(0, 1), (1, 2)]
    if random.random() < 0.5:
        links.reverse()
    sentences = []
    for near, far in links:
        claim = Claim("direction", story.ranks[near], story.line, story.ranks[far])
        sentences.append((_claimed(story, claim, converse=int(random.random() * 4) - 2), "and"))
    return sentences


def _joined(core: list[tuple[Words, str]], at: int) -> list[tuple[Words, str]]:
    """Make one sentence of two neighbours."""
    (first, joint), (second, between) = core[at], core[at + 1]
    opener = next((text for text in OPENERS if [w.text for w in second[: len(text.split())]] == text.split()), "")
    second = second[len(opener.split()) :]
    return [*core[:at], ([*first, Word(","), *say(between), *second], joint), *core[at + 2 :]]


class _Distraction:
    """Sentences that are true and beside the point, or say again what was said."""

    def __init__(self, story: Story, random: Random) -> None:
        self.story, self.random = story, random
        self.touched = {(step.group, step.aspect) for step in story.steps}
        self.disputed, self.placeless = _hidden(story)
        self.news = {(change.group, change.aspect) for change in net_changes(story)}
        self.said: set[tuple[str, ...]] = set()

    @cached_property
    def end(self) -> tuple[Group, ...]:
        """The groups at the end."""
        return groups_after(self.story.groups, self.story.steps)

    def sentence(self) -> Words:
        """One that was not said yet."""
        while True:
            kind = pick(self.random, (self._liked, self._absent, self._denied, self._hoped, self._past, self._past))
            words = _quiet(kind())
            if self._is_new(words):
                return words

    def restatement(self) -> Words:
        """How something is at the end; empty if that has been said."""
        aspect = pick(self.random, ("place", "colour", "size", "count"))
        group = int(self.random.random() * len(self.end))
        if self.news and self.random.random() < 0.5:
            group, aspect = sorted(self.news)[int(self.random.random() * len(self.news))]
        if self._is_hidden(group, aspect) or getattr(self.end[group], aspect) is None:
            return []
        state, known = self.end[group], (group, aspect) in self.touched
        time = say(pick(self.random, ("now", "at the end")) if known else pick(self.random, ("still", "as before")))
        if aspect == "count":
            fact = [*say("there"), *_is(state), *_name(group, state, number="one")]
        else:
            value = self._value(group, aspect, getattr(state, aspect))
            fact = [*_name(group, state, number="the"), *_is(state), *value]
        words = [*time, *fact]
        relevant = (group, aspect) in self.news
        return (words if relevant else _quiet(words)) if self._is_new(words) else []

    def _is_new(self, words: Words) -> bool:
        text = tuple(word.text for word in words)
        new = bool(text) and text not in self.said
        self.said.add(text)
        return new

    def _is_hidden(self, group: int, aspect: str) -> bool:
        return (group, aspect) in self.disputed or (aspect == "place" and self.placeless)

    def _value(self, group: int, aspect: str, value: str | int) -> Words:
        return _place(group, value) if aspect == "place" else [Word(value, ((aspect, group, value),))]

    def _someone(self) -> str:
        return pick(self.random, CHILDREN)

    def _group(self) -> tuple[int, Group]:
        """A group to talk about; rather one whose number stays, so that "the dogs" are never one dog."""
        steady = [index for index in range(len(self.story.groups)) if (index, "count") not in self.touched]
        group = pick(self.random, steady or range(len(self.story.groups)))
        return group, self.story.groups[group]

    def _other_value(self, group: int, aspect: str) -> str | None:
        """A value that the group never had; None if there is none."""
        had = {getattr(self.story.groups[group], aspect)}
        had |= {step.value for step in self.story.steps if (step.group, step.aspect) == (group, aspect)}
        options = {"place": PLACES, "colour": COLOURS, "size": SIZES}[aspect]
        left = [value for value in options if value not in had]
        return pick(self.random, left) if left and None not in had else None

    def _liked(self) -> Words:
        group, state = self._group()
        likes = pick(self.random, ("likes", "looks at", "talks about", "paints"))
        return [*say(self._someone()), *say(likes), *_name(group, state, number="the")]

    def _absent(self) -> Words:
        kind = pick(self.random, [k for k in KINDS if all(k != group.kind for group in self.story.groups)])
        if self.random.random() < 0.5:
            return say(f"nobody sees {article(kind)} {kind}")
        return say(f"there is no {kind}")

    def _denied(self) -> Words:
        group, state = self._group()
        aspect = pick(self.random, ("place", "colour", "size"))
        if (group, aspect) in self.touched or getattr(state, aspect) is None:
            return []
        name = _name(group, state, number="the")
        if aspect == "place":
            return [*name, *say("does" if state.count == 1 else "do"), *say("not move")]
        if self._is_hidden(group, aspect):
            return []
        if self.random.random() < 0.5:
            return [*name, *_verb(state, ("stays", "stay")), *say(getattr(state, aspect))]
        value = self._other_value(group, aspect)
        does = say("does" if state.count == 1 else "do")
        return [*name, *does, *say(f"not {pick(self.random, _TURNS)[1]} {value}")] if value else []

    def _hoped(self) -> Words:
        group, state = self._group()
        aspect = pick(self.random, ("place", "place", "colour", "size"))
        value = self._other_value(group, aspect)
        if value is None or self._is_hidden(group, aspect):
            return []
        lead = [
            *say(self._someone()),
            *say(pick(self.random, ("hopes that", "dreams that"))),
            *_name(group, state, number="the"),
        ]
        if aspect == "place":
            return [*lead, *_verb(state, pick(self.random, _MOVES)), *_place(group, value, to="to")]
        return [*lead, *_verb(state, pick(self.random, _TURNS)), *say(value)]

    def _past(self) -> Words:
        group, state = self._group()
        was = say("was" if state.count == 1 else "were")
        lead = [*say(pick(self.random, _PAST)), *_name(group, state, number="the"), *was]
        if self.random.random() < 0.4:
            other = (group + 1 + int(self.random.random() * (len(self.story.groups) - 1))) % len(self.story.groups)
            side = pick(self.random, SIDES["above"][0] + SIDES["above"][1] + SIDES["left"][0] + SIDES["left"][1])
            return [*lead, *say(side), *_name(other, self.story.groups[other], number="the")]
        aspect = pick(self.random, ("place", "colour", "size"))
        value = self._other_value(group, aspect)
        if value is None or self._is_hidden(group, aspect):
            return []
        return [*lead, *self._value(group, aspect, value)]


def report_words() -> list[str]:
    """All words that reports and headlines can have, in alphabetical order."""
    texts = [*OPENERS, *TRIVIA, *_PAST, *(text for sides in SIDES.values() for side in sides for text in side)]
    texts += [" ".join(words) for words in (*PLACE_PHRASES.values(), *_MOVES, *_TURNS, *_COMES, *_SAYS)]
    texts += [
        "most say",
        "and swap places",
        "from to",
        "increase decrease",
        "there is are was were a an the , . no nobody sees",
    ]
    texts += ["we see", "the picture shows", "first today one day", "but soon and then", "back again comes arrives"]
    texts += [
        "one of the",
        "leaves disappears",
        "agrees with",
        "does do not agree move",
        "later at the end",
        "stays stay",
    ]
    texts += ["now still as before", "likes looks at talks about paints", "hopes that dreams that"]
    words = {word for text in texts for word in text.split()}
    nouns = {noun(kind, count) for kind in KINDS for count in (1, 2)}
    return sorted(words | nouns | {*CHILDREN, *COLOURS, *SIZES, *NUMBERS.values()})
