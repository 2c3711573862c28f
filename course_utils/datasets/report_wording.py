"""The English of reports: a story to sentences with repetition, detail and distraction."""

from random import Random

from course_utils.datasets.inference_wording import CHILDREN
from course_utils.datasets.report_distraction import PAST, TRIVIA, Distraction
from course_utils.datasets.report_events import Claim, Step, Story, Vote, groups_after, majority, net_changes, pick
from course_utils.datasets.report_events import standing_votes as held_at_the_end
from course_utils.datasets.report_phrases import (
    MOVES,
    SIDES,
    TURNS,
    Word,
    Words,
    claim_words,
    hidden_aspects,
    is_or_are,
    join_parts,
    name_group,
    place_phrase,
    quiet,
    say,
    verb_form,
)
from course_utils.datasets.scene_kinds import COLOURS, KINDS
from course_utils.datasets.scene_words import NUMBERS, PLACE_PHRASES, SIZES, noun
from course_utils.datasets.scenes import Group

OPENERS = ("then", "later", "soon", "after that", "a little later")
_COMES = (("another",), ("one", "more"))
_SAYS = (("says", "that"), ("thinks", "that"), ("is", "sure", "that"))


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
    distraction = Distraction(story, random)
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


def _introduction(story: Story, random: Random, parts: int) -> list[Words]:
    """The scene at the beginning, in one or two sentences; whatever changes later is told here."""
    disputed, placeless = hidden_aspects(story)
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
            name = name_group(group, state, number=number, size=size, colour=(group, "colour") not in disputed)
            there = not placeless and (group, "place") not in disputed
            phrases.append((name, place_phrase(group, state.place) if there else []))
        if phrases:
            sentences.append(_introduce(story, members, phrases, random))
    return sentences


def _introduce(story: Story, members: list[int], phrases: list[tuple[Words, Words]], random: Random) -> Words:
    style = int(random.random() * 5)
    first = story.groups[members[0]]
    if style == 0 and all(place for _, place in phrases):
        return join_parts(
            [
                [*place, *say("there"), *is_or_are(story.groups[g]), *name]
                for g, (name, place) in zip(members, phrases, strict=True)
            ]
        )
    if style == 1 and all(place for _, place in phrases):
        return join_parts(
            [[*name, *is_or_are(story.groups[g]), *place] for g, (name, place) in zip(members, phrases, strict=True)]
        )
    lead = ([*say("there"), *is_or_are(first)], say("we see"), say("the picture shows"))[style % 3]
    return [*lead, *join_parts([[*name, *place] for name, place in phrases])]


def _definite(group: int, state: Group, random: Random, hidden: set[tuple[int, str]]) -> Words:
    """ "the dog", and now and then "the small dog"."""
    said = random.random()
    size, colour = said < 0.2 and (group, "size") not in hidden, said > 0.8 and (group, "colour") not in hidden
    return name_group(group, state, number="the", size=size, colour=colour)


def _happenings(story: Story, random: Random) -> list[tuple[Words, str]]:
    """A sentence for each step, with the word that could join it to the one before."""
    disputed, _ = hidden_aspects(story)
    news = {(change.group, change.aspect) for change in net_changes(story)}
    sentences, states = [], list(story.groups)
    for number, step in enumerate(story.steps):
        state = states[step.group]
        back = step.value == getattr(story.groups[step.group], step.aspect)
        words = _happens(step, state, random, disputed, back=back)
        if (step.group, step.aspect) not in news:
            words = quiet(words)
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
        start = place_phrase(group, state.place, to="from") if random.random() < 0.3 else []
        again = say("back") if back else []
        return [
            *name,
            *verb_form(state, pick(random, MOVES), done),
            *again,
            *start,
            *place_phrase(group, step.value, to="to"),
        ]
    new = Word(step.value, ((step.aspect, group, step.value),))
    return [*name, *verb_form(state, pick(random, TURNS), done), new, *(say("again") if back else [])]


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
        return [*say("one of the"), *name_group(group, state, number="one"), gone, *again]
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
        claim = claim_words(story, story.claims[vote.claim], converse=int(random.random() * 4) - 2)
        return [speaker, *how, *(claim if supports else quiet(claim))]
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
        sentences.append((claim_words(story, claim, converse=int(random.random() * 4) - 2), "and"))
    return sentences


def _joined(core: list[tuple[Words, str]], at: int) -> list[tuple[Words, str]]:
    """Make one sentence of two neighbours."""
    (first, joint), (second, between) = core[at], core[at + 1]
    opener = next((text for text in OPENERS if [w.text for w in second[: len(text.split())]] == text.split()), "")
    second = second[len(opener.split()) :]
    return [*core[:at], ([*first, Word(","), *say(between), *second], joint), *core[at + 2 :]]


def report_words() -> list[str]:
    """All words that reports and headlines can have, in alphabetical order."""
    texts = [*OPENERS, *TRIVIA, *PAST, *(text for sides in SIDES.values() for side in sides for text in side)]
    texts += [" ".join(words) for words in (*PLACE_PHRASES.values(), *MOVES, *TURNS, *_COMES, *_SAYS)]
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
