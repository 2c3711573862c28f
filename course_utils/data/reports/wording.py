"""The English of reports: a story to sentences with repetition, detail and distraction."""

from random import Random

from course_utils.data.reports.distraction import PAST, TRIVIA, Distraction
from course_utils.data.reports.events import (
    CHILDREN,
    Claim,
    Step,
    Story,
    Vote,
    groups_after,
    majority,
    net_changes,
    pick,
    standing_votes,
)
from course_utils.data.reports.phrases import (
    MOVES,
    SIDES,
    TURNS,
    Word,
    Words,
    claim_words,
    fact,
    hidden_aspects,
    join_parts,
    name_group,
    place_phrase,
    quiet,
    say,
    verb_form,
)
from course_utils.data.scenes.scenes import Group
from course_utils.data.words_of_things import COLOURS, KINDS, NUMBERS, PLACE_PHRASES, SIZES, noun, verb

OPENERS = ("then", "later", "soon", "after that", "a little later")
_COMES = ("another", "one more")
_SAYS = ("says that", "thinks that", "is sure that")


def write_sentences(story: Story, random: Random, count: int, longest: int = 80) -> list[Words]:
    """Word a story.

    Args:
        story: the facts.
        random: state of the generator; how often it is asked depends on the kinds, numbers and places of groups as
            little as can be, so that stories that differ only in those are mostly worded alike.
        count: how many sentences, from 3; fewer than the story needs are reached by joining.
        longest: most words.

    Returns:
        The sentences with their full stops; none if the facts alone take more than `longest` words.
    """
    introduction = _introduction(story, random, 1 + int(random.random() * min(2, len(story.groups))))
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
    return [say(sentence, ".") for sentence in (*lead, *introduction, *body)]


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
            name = name_group(group, state, number, size=size, colour=(group, "colour") not in disputed)
            there = not placeless and (group, "place") not in disputed
            phrases.append((verb(state.count), name, place_phrase(group, state.place) if there else []))
        sentences += [_introduce(phrases, random)] if phrases else []
    return sentences


def _introduce(phrases: list[tuple[str, Words, Words]], random: Random) -> Words:
    """A sentence about groups: verb, name and place of each."""
    style = int(random.random() * 5)
    if style < 2 and all(place for *_, place in phrases):
        if style == 0:
            return join_parts([say(place, "there", be, name) for be, name, place in phrases])
        return join_parts([say(name, be, place) for be, name, place in phrases])
    lead = (f"there {phrases[0][0]}", "we see", "the picture shows")[style % 3]
    return say(lead, join_parts([name + place for _, name, place in phrases]))


def _happenings(story: Story, random: Random) -> list[tuple[Words, str]]:
    """A sentence for each step, with the word that could join it to the one before."""
    disputed, _ = hidden_aspects(story)
    news = {(change.group, change.aspect) for change in net_changes(story)}
    sentences, states, before = [], list(story.groups), None
    for step in story.steps:
        what = (step.group, step.aspect)
        back = step.value == getattr(story.groups[step.group], step.aspect)
        words = _happens(step, states[step.group], random, disputed, back=back)
        opener = pick(random, OPENERS if before else ("first", "today", "one day"))
        words = say(opener if random.random() < 0.6 else "", words if what in news else quiet(words))
        sentences.append((words, "but soon" if back and before == what else "and then"))
        states, before = list(groups_after(states, [step])), what
    return sentences


def _happens(step: Step, state: Group, random: Random, hidden: set, *, back: bool) -> Words:
    """One step in words; `state` is the group before it, `back` says that it undoes what was done."""
    group, done = step.group, ("verb", step.group, step.aspect)
    if step.aspect == "count":
        return _comes_or_goes(step, state, random, back)
    said, hidden = random.random(), hidden | {(group, step.aspect)}  # "the dog", and now and then "the small dog"
    size, colour = said < 0.2 and (group, "size") not in hidden, said > 0.8 and (group, "colour") not in hidden
    name = name_group(group, state, "the", size=size, colour=colour)
    if step.aspect == "place":
        start = place_phrase(group, state.place, to="from") if random.random() < 0.3 else []
        end = place_phrase(group, step.value, to="to")
        return say(name, verb_form(state, pick(random, MOVES), done), "back" * back, start, end)
    turns = verb_form(state, pick(random, TURNS), done)
    return say(name, turns, fact(step.aspect, group, step.value), "again" * back)


def _comes_or_goes(step: Step, state: Group, random: Random, back: bool) -> Words:
    group, done = step.group, ("verb", step.group, "count")
    after = ("count", group, step.value)
    single = Word(state.kind, (("noun", group),))
    if step.value > state.count:
        more = say("one" if back else pick(random, _COMES), marks=(after,))
        comes = "comes back" if back else pick(random, ("comes", "arrives"))
        return say(more, single, say(comes, marks=(done, after)))
    gone = say(say(pick(random, ("leaves", "disappears")), marks=(done, after)), "again" * back)
    if random.random() < 0.5:
        return say("one of the", name_group(group, state, "one"), gone)
    return say(Word("one", (after,)), single, gone)


def _testimony(story: Story, random: Random) -> list[tuple[Words, str]]:
    """A sentence for each vote; those of the winning side are marked."""
    held, winner = standing_votes(story.votes), majority(story) if story.votes else None
    last = {vote.speaker: number for number, vote in enumerate(story.votes)}
    sentences, heard = [], set()
    for number, vote in enumerate(story.votes):
        counts = last[vote.speaker] == number and held[vote.speaker] == winner
        words = _votes(story, vote, random, counts=counts, supports=vote.claim == winner)
        opener = pick(random, ("later", "at the end")) if vote.speaker in heard else ""
        sentences.append((say(opener, words), "and"))
        heard.add(vote.speaker)
    return sentences


def _votes(story: Story, vote: Vote, random: Random, *, counts: bool, supports: bool) -> Words:
    """One vote: `counts` if it is its speaker's last and for the winning claim, `supports` if it says that claim."""
    speaker = Word(vote.speaker, (("voter",),) if counts else ())
    voice = (("voice",),) if counts else ()
    if vote.partner is None:
        how = say(pick(random, _SAYS), marks=voice)
        claim = claim_words(story, story.claims[vote.claim], converse=int(random.random() * 4) - 2)
        return say(speaker, how, claim if supports else quiet(claim))
    how = say("agrees", marks=voice) if vote.agrees else say("does", say("not agree", marks=voice))
    return say(speaker, how, "with", vote.partner)


def _line(story: Story, random: Random) -> list[tuple[Words, str]]:
    """The neighbours of a line, in any order and told from either side."""
    if story.line is None:
        return []
    links = [Claim("direction", near, story.line, far) for near, far in zip(story.ranks, story.ranks[1:], strict=False)]
    if random.random() < 0.5:
        links.reverse()
    return [(claim_words(story, link, converse=int(random.random() * 4) - 2), "and") for link in links]


def _joined(core: list[tuple[Words, str]], at: int) -> list[tuple[Words, str]]:
    """Make one sentence of two neighbours."""
    (first, joint), (second, between) = core[at], core[at + 1]
    text = "".join(f"{word.text} " for word in second)
    opener = next((opener for opener in OPENERS if text.startswith(f"{opener} ")), "")
    return [*core[:at], (say(first, ",", between, second[len(opener.split()) :]), joint), *core[at + 2 :]]


def report_words() -> list[str]:
    """All words that reports and headlines can have, in alphabetical order."""
    texts = [*OPENERS, *TRIVIA, *PAST, *_COMES, *_SAYS, *CHILDREN, *COLOURS, *SIZES, *NUMBERS.values()]
    texts += [text for sides in SIDES.values() for side in sides for text in side]
    texts += [text for forms in (*PLACE_PHRASES.values(), *MOVES, *TURNS) for text in forms]
    texts += [noun(kind, count) for kind in KINDS for count in (1, 2)]
    texts += [
        "most say there is are was were a an the and swap places from to increase decrease , . no nobody sees",
        "we see the picture shows first today one day but soon and then back again comes arrives one of the",
        "leaves disappears agrees with does do not agree move later at the end stays stay now still as before",
        "likes looks at talks about paints hopes that dreams that",
    ]
    return sorted({word for text in texts for word in text.split()})
