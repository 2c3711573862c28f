"""What reports say beside the point: likings, hopes, the past, what is absent or stays, and what was said before."""

from functools import cached_property
from random import Random

from course_utils.data.reports.events import CHILDREN, Story, groups_after, net_changes, pick
from course_utils.data.reports.phrases import (
    MOVES,
    SIDES,
    TURNS,
    Words,
    fact,
    hidden_aspects,
    name_group,
    place_phrase,
    quiet,
    say,
    verb_form,
)
from course_utils.data.scenes.layouts import PLACES
from course_utils.data.scenes.scenes import Group
from course_utils.data.words_of_things import COLOURS, KINDS, SIZES, article, verb

TRIVIA = (
    "it is a sunny day", "it rains a little", "the background has stripes", "the background is full of dots",
    "the picture hangs on the wall", "the children look at the picture", "this is the picture of the day",
    "everybody is talking about the picture",
)  # fmt: skip
PAST = ("yesterday", "last week", "some days ago")


class Distraction:
    """Sentences that are true and beside the point, or say again what was said."""

    def __init__(self, story: Story, random: Random) -> None:
        self.story, self.random = story, random
        self.touched = {(step.group, step.aspect) for step in story.steps}
        self.disputed, self.placeless = hidden_aspects(story)
        self.news = {(change.group, change.aspect) for change in net_changes(story)}
        self.said: set[tuple[str, ...]] = set()

    @cached_property
    def end(self) -> tuple[Group, ...]:
        """The groups at the end."""
        return groups_after(self.story.groups, self.story.steps)

    def sentence(self) -> Words:
        """One that was not said yet."""
        while True:
            words = self._pick(self._liked, self._absent, self._denied, self._hoped, self._past, self._past)()
            if self._is_new(words):
                return quiet(words)

    def restatement(self) -> Words:
        """How something is at the end; empty if that has been said."""
        aspect = self._pick("place", "colour", "size", "count")
        group = int(self.random.random() * len(self.end))
        if self.news and self.random.random() < 0.5:
            group, aspect = pick(self.random, sorted(self.news))
        state = self.end[group]
        if self._is_hidden(group, aspect) or getattr(state, aspect) is None:
            return []
        times = ("now", "at the end") if (group, aspect) in self.touched else ("still", "as before")
        words = say(self._pick(*times))
        if aspect == "count":
            words += say("there", verb(state.count), name_group(group, state, "one"))
        else:
            words += say(
                name_group(group, state, "the"), verb(state.count), self._value(group, aspect, getattr(state, aspect))
            )
        return (words if (group, aspect) in self.news else quiet(words)) if self._is_new(words) else []

    def _pick(self, *options):
        return pick(self.random, options)

    def _is_new(self, words: Words) -> bool:
        text = tuple(word.text for word in words)
        new = bool(text) and text not in self.said
        self.said.add(text)
        return new

    def _is_hidden(self, group: int, aspect: str) -> bool:
        return (group, aspect) in self.disputed or (aspect == "place" and self.placeless)

    def _value(self, group: int, aspect: str, value: str) -> Words:
        return place_phrase(group, value) if aspect == "place" else [fact(aspect, group, value)]

    def _group(self) -> tuple[int, Group, Words]:
        """A group to talk about and its name; rather one whose number stays, so that "the dogs" are never one dog."""
        everyone = range(len(self.story.groups))
        group = self._pick(*([index for index in everyone if (index, "count") not in self.touched] or everyone))
        state = self.story.groups[group]
        return group, state, name_group(group, state, "the")

    def _other_value(self, group: int, aspect: str) -> str | None:
        """A value that the group never had; None if there is none, or it must not be told."""
        had = {getattr(self.story.groups[group], aspect)}
        had |= {step.value for step in self.story.steps if (step.group, step.aspect) == (group, aspect)}
        options = {"place": PLACES, "colour": COLOURS, "size": SIZES}[aspect]
        left = [value for value in options if value not in had]
        value = self._pick(*left) if left and None not in had else None
        return None if self._is_hidden(group, aspect) else value

    def _liked(self) -> Words:
        _, _, name = self._group()
        likes = self._pick("likes", "looks at", "talks about", "paints")
        return say(self._pick(*CHILDREN), likes, name)

    def _absent(self) -> Words:
        kind = self._pick(*[kind for kind in KINDS if all(kind != group.kind for group in self.story.groups)])
        return say(f"nobody sees {article(kind)} {kind}" if self.random.random() < 0.5 else f"there is no {kind}")

    def _denied(self) -> Words:
        group, state, name = self._group()
        aspect = self._pick("place", "colour", "size")
        if (group, aspect) in self.touched or getattr(state, aspect) is None:
            return []
        does = verb_form(state, ("does not", "do not"))
        if aspect == "place":
            return say(name, does, "move")
        if self._is_hidden(group, aspect):
            return []
        if self.random.random() < 0.5:
            return say(name, verb_form(state, ("stays", "stay")), getattr(state, aspect))
        value = self._other_value(group, aspect)
        return say(name, does, self._pick(*TURNS)[1], value) if value else []

    def _hoped(self) -> Words:
        group, state, name = self._group()
        aspect = self._pick("place", "place", "colour", "size")
        value = self._other_value(group, aspect)
        if value is None:
            return []
        lead = say(self._pick(*CHILDREN), self._pick("hopes that", "dreams that"), name)
        if aspect == "place":
            return say(lead, verb_form(state, self._pick(*MOVES)), place_phrase(group, value, to="to"))
        return say(lead, verb_form(state, self._pick(*TURNS)), value)

    def _past(self) -> Words:
        group, state, name = self._group()
        lead = say(self._pick(*PAST), name, verb_form(state, ("was", "were")))
        if self.random.random() < 0.4:
            other = (group + 1 + int(self.random.random() * (len(self.story.groups) - 1))) % len(self.story.groups)
            side = self._pick(*SIDES["above"][0], *SIDES["above"][1], *SIDES["left"][0], *SIDES["left"][1])
            return say(lead, side, name_group(other, self.story.groups[other], "the"))
        aspect = self._pick("place", "colour", "size")
        value = self._other_value(group, aspect)
        return say(lead, self._value(group, aspect, value)) if value else []
