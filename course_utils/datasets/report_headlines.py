"""The headline of a report: what matters, in five to ten words, and nothing else."""

from course_utils.datasets.report_events import Story, majority, net_changes
from course_utils.datasets.report_phrases import (
    HEADLINE_SIDES,
    MOVES,
    TURNS,
    Word,
    Words,
    brief_name,
    claim_words,
    name_group,
    place_phrase,
    say,
    verb_form,
)
from course_utils.datasets.scene_kinds import plural
from course_utils.datasets.scene_words import NUMBERS
from course_utils.datasets.scenes import Group


def headline_words(story: Story) -> Words:
    """The headline that states what matters, and nothing else does."""
    groups = story.groups
    if story.news == "most":
        claim = story.claims[majority(story)]
        return [Word("most", (("voter",),)), Word("say", (("voice",),)), *claim_words(story, claim, brief=True)]
    if story.news == "order":
        words: Words = []
        for place, rank in enumerate(story.ranks):
            if place:
                words += say(" ".join(HEADLINE_SIDES[story.line]), ("direction", story.ranks[place - 1], rank))
            words += brief_name(rank, groups[rank])
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
        return [*_titled(group, groups[group]), *verb_form(groups[group], MOVES[0], done), *ends]
    if story.news == "count":
        state = groups[group]
        attribute = [word for word in _titled(group, state) if not _is_count(word)][:-1]
        way = "increase" if change.after > change.before else "decrease"
        ends = [Word(NUMBERS[n], (("count", group, n),)) for n in (change.before, change.after)]
        nouns = Word(plural(state.kind), (("noun", group),))
        return [*attribute, nouns, Word(way, (done,)), *say("from"), ends[0], *say("to"), ends[1]]
    size = change.aspect == "size"
    name = name_group(group, groups[group], number="one", size=size, colour=not size)
    name = name if groups[group].count > 1 else name[1:]
    new = Word(change.after, ((change.aspect, group, change.after),))
    return [*name, *verb_form(groups[group], TURNS[0], done), new, *place_phrase(group, groups[group].place)]


def _is_count(word: Word) -> bool:
    return any(mark[0] == "count" for mark in word.marks)


def _bare(group: int, place: str) -> Words:
    return [Word(word, (("place", group, place, word),)) for word in place.split()]


def _titled(group: int, state: Group) -> Words:
    """ "small dog", "two red cars": as headlines name a group."""
    words = name_group(group, state, number="one", size=not state.colour, colour=True)
    return words if state.count > 1 else words[1:]
