"""The phrases that reports and headlines are put together from; each word knows what it says about the facts.

A headline word is supported by the source words that share a mark with it. Words of sentences that only distract carry
no marks.
"""

from collections.abc import Sequence
from typing import NamedTuple

from course_utils.datasets.report_events import Claim, Story
from course_utils.datasets.scene_kinds import plural
from course_utils.datasets.scene_words import NUMBERS, PLACE_PHRASES, article, noun, verb
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
"""Direction → its words in a headline."""

MOVES = (("moves", "move"), ("goes", "go"), ("jumps", "jump"))
TURNS = (("turns", "turn"), ("becomes", "become"))
"""Verbs for one and for several."""


def say(text: str, *marks: Mark) -> Words:
    """Words of a text, all with the same marks."""
    return [Word(word, marks) for word in text.split()]


def place_phrase(group: int, place: str, *, to: str | None = None) -> Words:
    """ "in the top left corner"; with `to="to"` or "from": "to the top left corner"."""
    phrase = PLACE_PHRASES[place] if to is None else (to, *PLACE_PHRASES[place][1:])
    named = place.split()
    return [Word(word, (("place", group, place, word),) if word in named else ()) for word in phrase]


def name_group(
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


def is_or_are(state: Group) -> Words:
    """ "is" for one thing, "are" for more."""
    return say(verb(state.count))


def verb_form(state: Group, forms: tuple[str, str], *marks: Mark) -> Words:
    """The form of a verb, for one or for several, that agrees with a group."""
    return [Word(forms[state.count > 1], marks)]


def quiet(words: Words) -> Words:
    """The same words without marks: they only distract."""
    return [Word(word.text) for word in words]


def join_parts(parts: Sequence[Words]) -> Words:
    """ "a , b and c"."""
    words = list(parts[0])
    for part in parts[1:-1]:
        words += [*say(","), *part]
    return words if len(parts) == 1 else [*words, *say("and"), *parts[-1]]


def brief_name(group: int, state: Group) -> Words:
    """ "dog", "two cars"."""
    words = name_group(group, state, number="one")
    return words if state.count > 1 else words[1:]


def claim_words(story: Story, claim: Claim, *, brief: bool = False, converse: int = -1) -> Words:
    """A claim in words: "the dog is above the foxes"; brief as in a headline: "dog is above two foxes".

    Args:
        story: where the groups are known from.
        claim: what is claimed.
        brief: no articles, the shortest wording.
        converse: −1 for the direction as it is, else which of the wordings told from the other group.
    """
    group, state = claim.group, story.groups[claim.group]
    name = brief_name(group, state) if brief else name_group(group, state, number="the")
    if claim.aspect == "count":
        count = Word(NUMBERS[claim.value], (("count", group, claim.value),))
        return [*say("there are"), count, Word(plural(state.kind), (("noun", group),))]
    if claim.aspect == "direction":
        other, mark = story.groups[claim.other], ("direction", group, claim.other)
        if brief:
            side = say(" ".join(HEADLINE_SIDES[claim.value]), mark)
            return [*name, *is_or_are(state), *side, *brief_name(claim.other, other)]
        far = name_group(claim.other, other, number="the")
        if converse < 0:
            return [*name, *is_or_are(state), *say(SIDES[claim.value][0][0], mark), *far]
        side = SIDES[claim.value][1]
        return [*far, *is_or_are(other), *say(side[converse % len(side)], mark), *name]
    if claim.aspect == "place":
        return [*name, *is_or_are(state), *place_phrase(group, claim.value)]
    return [*name, *is_or_are(state), Word(claim.value, ((claim.aspect, group, claim.value),))]


def hidden_aspects(story: Story) -> tuple[set[tuple[int, str]], bool]:
    """What the introduction must not tell: (group, aspect) pairs, and whether it hides all places."""
    disputed = {(claim.group, claim.aspect) for claim in story.claims}
    return disputed, story.news == "order" or any(claim.aspect == "direction" for claim in story.claims)
