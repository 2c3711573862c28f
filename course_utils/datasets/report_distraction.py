"""What reports say beside the point: likings, hopes, the past, what is absent or stays, and what was said before."""

from functools import cached_property
from random import Random

from course_utils.datasets.inference_wording import CHILDREN
from course_utils.datasets.report_events import Story, groups_after, net_changes, pick
from course_utils.datasets.report_phrases import (
    MOVES,
    SIDES,
    TURNS,
    Word,
    Words,
    hidden_aspects,
    is_or_are,
    name_group,
    place_phrase,
    quiet,
    say,
    verb_form,
)
from course_utils.datasets.scene_kinds import COLOURS, KINDS
from course_utils.datasets.scene_layouts import PLACES
from course_utils.datasets.scene_words import SIZES, article
from course_utils.datasets.scenes import Group

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
            kind = pick(self.random, (self._liked, self._absent, self._denied, self._hoped, self._past, self._past))
            words = quiet(kind())
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
            fact = [*say("there"), *is_or_are(state), *name_group(group, state, number="one")]
        else:
            value = self._value(group, aspect, getattr(state, aspect))
            fact = [*name_group(group, state, number="the"), *is_or_are(state), *value]
        words = [*time, *fact]
        relevant = (group, aspect) in self.news
        return (words if relevant else quiet(words)) if self._is_new(words) else []

    def _is_new(self, words: Words) -> bool:
        text = tuple(word.text for word in words)
        new = bool(text) and text not in self.said
        self.said.add(text)
        return new

    def _is_hidden(self, group: int, aspect: str) -> bool:
        return (group, aspect) in self.disputed or (aspect == "place" and self.placeless)

    def _value(self, group: int, aspect: str, value: str | int) -> Words:
        return place_phrase(group, value) if aspect == "place" else [Word(value, ((aspect, group, value),))]

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
        return [*say(self._someone()), *say(likes), *name_group(group, state, number="the")]

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
        name = name_group(group, state, number="the")
        if aspect == "place":
            return [*name, *say("does" if state.count == 1 else "do"), *say("not move")]
        if self._is_hidden(group, aspect):
            return []
        if self.random.random() < 0.5:
            return [*name, *verb_form(state, ("stays", "stay")), *say(getattr(state, aspect))]
        value = self._other_value(group, aspect)
        does = say("does" if state.count == 1 else "do")
        return [*name, *does, *say(f"not {pick(self.random, TURNS)[1]} {value}")] if value else []

    def _hoped(self) -> Words:
        group, state = self._group()
        aspect = pick(self.random, ("place", "place", "colour", "size"))
        value = self._other_value(group, aspect)
        if value is None or self._is_hidden(group, aspect):
            return []
        lead = [
            *say(self._someone()),
            *say(pick(self.random, ("hopes that", "dreams that"))),
            *name_group(group, state, number="the"),
        ]
        if aspect == "place":
            return [*lead, *verb_form(state, pick(self.random, MOVES)), *place_phrase(group, value, to="to")]
        return [*lead, *verb_form(state, pick(self.random, TURNS)), *say(value)]

    def _past(self) -> Words:
        group, state = self._group()
        was = say("was" if state.count == 1 else "were")
        lead = [*say(pick(self.random, PAST)), *name_group(group, state, number="the"), *was]
        if self.random.random() < 0.4:
            other = (group + 1 + int(self.random.random() * (len(self.story.groups) - 1))) % len(self.story.groups)
            side = pick(self.random, SIDES["above"][0] + SIDES["above"][1] + SIDES["left"][0] + SIDES["left"][1])
            return [*lead, *say(side), *name_group(other, self.story.groups[other], number="the")]
        aspect = pick(self.random, ("place", "colour", "size"))
        value = self._other_value(group, aspect)
        if value is None or self._is_hidden(group, aspect):
            return []
        return [*lead, *self._value(group, aspect, value)]
