"""The phrases of reports, and the headline; each word knows what it says about the facts.

A headline word is supported by the source words that share a mark with it. Words of sentences that only distract carry
no marks.
"""

from collections.abc import Sequence
from typing import NamedTuple

from course_utils.data.reports.events import Claim, Story, majority, net_changes
from course_utils.data.scenes.scenes import Group
from course_utils.data.words_of_things import NUMBERS, PLACE_PHRASES, article, noun, plural, verb

Mark = tuple[str | int, ...]
"""What a word says, such as `("colour", 0, "red")`: group 0 is red."""

SIDES = {"above": (("above",), ("below", "under")), "left": (("to the left of",), ("to the right of",))}
"""Direction → its wordings, and those of its converse."""
HEADLINE_SIDES = {"above": ("above",), "left": ("left", "of")}
"""Direction → its words in a headline."""
MOVES = (("moves", "move"), ("goes", "go"), ("jumps", "jump"))
TURNS = (("turns", "turn"), ("becomes", "become"))
"""Verbs for one and for several."""


class Word(NamedTuple):
    """A word and what it says about the facts that matter.

    Attributes:
        text: the word.
        marks: empty for words that say nothing, and for all words of a sentence that only distracts.
    """

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


def fact(aspect: str, group: int, value: str | int, text: str = "") -> Word:
    """The word that says the value of a group's aspect; its text is the value's own unless another is given."""
    return Word(text or str(value), ((aspect, group, value),))


def quiet(words: Words) -> Words:
    """The same words without marks: they only distract."""
    return [Word(word.text) for word in words]


def join_parts(parts: Sequence[Words]) -> Words:
    """ "a , b and c"."""
    *first, last = parts
    return say(*[say(",", part) for part in first], "and", last)[1:] if first else last


def place_phrase(group: int, place: str, *, to: str | None = None) -> Words:
    """ "in the top left corner"; with `to="to"` or "from": "to the top left corner"."""
    phrase = PLACE_PHRASES[place] if to is None else (to, *PLACE_PHRASES[place][1:])
    return [Word(word, (("place", group, place, word),) if word in place.split() else ()) for word in phrase]


def name_group(group: int, state: Group, number: str = "", *, size: bool = False, colour: bool = False) -> Words:
    """A noun phrase.

    Args:
        group: index.
        state: the group as it is now.
        number: "" for none, "the", "a" for "a" or "two", "one" for "one" or "two", "brief" for none or "two".
        size, colour: whether they are said.
    """
    words = [fact("size", group, state.size)] if size else []
    words += [fact("colour", group, state.colour)] if colour and state.colour else []
    words += say(noun(state.kind, state.count), marks=(("noun", group),))
    if number == "the":
        return say("the", words)
    if not number or (number == "brief" and state.count == 1):
        return words
    text = article(words[0].text) if number == "a" and state.count == 1 else NUMBERS[state.count]
    return [fact("count", group, state.count, text), *words]


def verb_form(state: Group, forms: tuple[str, str], *marks: Mark) -> Words:
    """The form of a verb, for one or for several, that agrees with a group."""
    return say(forms[state.count > 1], marks=marks)


def claim_words(story: Story, claim: Claim, *, brief: bool = False, converse: int = -1) -> Words:
    """A claim in words: "the dog is above the foxes"; brief as in a headline: "dog is above two foxes".

    Args:
        story: where the groups are known from.
        claim: what is claimed.
        brief: no articles, the shortest wording.
        converse: −1 for the direction as it is, else which of the wordings told from the other group.
    """
    group, state = claim.group, story.groups[claim.group]
    if claim.aspect == "count":
        nouns = Word(plural(state.kind), (("noun", group),))
        return say("there are", fact("count", group, claim.value, NUMBERS[claim.value]), nouns)
    number = "brief" if brief else "the"
    start = say(name_group(group, state, number), verb(state.count))
    if claim.aspect == "place":
        return say(start, place_phrase(group, claim.value))
    if claim.aspect != "direction":
        return say(start, fact(claim.aspect, group, claim.value))
    other, marks = story.groups[claim.other], (("direction", group, claim.other),)
    far = name_group(claim.other, other, number)
    sides, opposite = SIDES[claim.value]
    if brief or converse < 0:
        return say(start, say(" ".join(HEADLINE_SIDES[claim.value]) if brief else sides[0], marks=marks), far)
    side = say(opposite[converse % len(opposite)], marks=marks)
    return say(far, verb(other.count), side, name_group(group, state, number))


def hidden_aspects(story: Story) -> tuple[set[tuple[int, str]], bool]:
    """What the introduction must not tell: (group, aspect) pairs, and whether it hides all places."""
    disputed = {(claim.group, claim.aspect) for claim in story.claims}
    return disputed, story.news == "order" or any(claim.aspect == "direction" for claim in story.claims)


def headline_words(story: Story) -> Words:
    """The headline: what matters, in five to ten words, and nothing else."""
    groups = story.groups
    if story.news == "most":
        most = [Word("most", (("voter",),)), Word("say", (("voice",),))]
        return most + claim_words(story, story.claims[majority(story)], brief=True)
    if story.news == "order":
        names = [name_group(rank, groups[rank], "brief") for rank in story.ranks]
        side, ranks = " ".join(HEADLINE_SIDES[story.line]), story.ranks
        first, second = (say(side, marks=(("direction", *ends),)) for ends in (ranks[:2], ranks[1:]))
        return say(names[0], first, names[1], second, names[2])
    change, *others = net_changes(story)
    group, state, aspect = change.group, groups[change.group], change.aspect
    done = ("verb", group, aspect)
    titled = _titled(group, state)
    if story.news == "swap":
        second = others[0].group
        return say(
            titled, "and", _titled(second, groups[second]), say("swap places", marks=(done, ("verb", second, "place")))
        )
    if story.news == "move":
        before, after = (
            [Word(w, (("place", group, end, w),)) for w in end.split()] for end in (change.before, change.after)
        )
        return say(titled, verb_form(state, MOVES[0], done), "from", before, "to", after)
    if story.news == "count":
        attribute = [word for word in titled if word.marks[0][0] != "count"][:-1]
        nouns = Word(plural(state.kind), (("noun", group),))
        way = Word("increase" if change.after > change.before else "decrease", (done,))
        before, after = (fact("count", group, number, NUMBERS[number]) for number in (change.before, change.after))
        return say(attribute, nouns, way, "from", before, "to", after)
    name = name_group(group, state, "brief", size=aspect == "size", colour=aspect != "size")
    new = fact(aspect, group, change.after)
    return say(name, verb_form(state, TURNS[0], done), new, place_phrase(group, state.place))


def _titled(group: int, state: Group) -> Words:
    """ "small dog", "two red cars": as headlines name a group."""
    return name_group(group, state, "brief", size=not state.colour, colour=True)
