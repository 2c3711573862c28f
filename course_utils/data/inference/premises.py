"""Premises that give a hypothesis a wanted label: clauses that decide it, and clauses that tempt.

The tempting clauses often hold the hypothesis's own words, said of another child, so that it does not help to count
the words that premise and hypothesis share.
"""

from collections.abc import Sequence
from random import Random

from course_utils.data.inference.difficulty import Difficulty
from course_utils.data.inference.hypotheses import choose, draw_claim
from course_utils.data.inference.logic import (
    CONTRADICTION,
    ENTAILMENT,
    LABELS,
    NEUTRAL,
    NUMBER_RANGES,
    OPPOSITE_LABEL,
    QUANTIFIERS,
    THING,
    Fact,
    Knowledge,
    Lies,
    Paints,
    Things,
    allowed_by,
    compare,
    possible,
)
from course_utils.data.words_of_things import COLOURS, OPPOSITE, SIZES

_COLOURS = tuple(COLOURS)


def draw_premise(
    random: Random,
    difficulty: Difficulty,
    clauses: int,
    hypothesis: Sequence[Fact],
    label: str,
    *,
    unseen: bool = False,
) -> list[Fact] | None:
    """Draw a premise that gives a hypothesis a label.

    Args:
        random: source of chance.
        difficulty: what there is to draw.
        clauses: how many.
        hypothesis: as `draw_hypothesis` makes it.
        label: the label wanted.
        unseen: the clause that decides the first fact with an unseen class has an unseen pair; without, nouns of
            premise and hypothesis never are one.

    Returns:
        The clauses' facts in random order; None if this attempt failed, and another will not always.
    """
    maker = _PremiseMaker(random, difficulty, clauses, hypothesis, unseen)
    wanted = _labels_of_facts(random, label, len(hypothesis))
    premise = maker.make(wanted)
    if premise is None:
        return None
    try:
        knowledge = Knowledge(premise)
    except ValueError:
        return None
    if not all(fact.children <= knowledge.groups.keys() for fact in hypothesis):
        return None
    return premise if knowledge.judge_all(hypothesis) == label else None


def _labels_of_facts(random: Random, label: str, count: int) -> tuple[str, ...]:
    """Labels of single facts that make up the label of all."""
    if count == 1 or label == ENTAILMENT:
        return (label,) * count
    other = choose(random, (ENTAILMENT, ENTAILMENT, NEUTRAL))
    return (label, other) if random.random() < 0.5 else (other, label)


class _PremiseMaker:
    """One attempt at a premise: first the clauses that decide, then clauses that tempt."""

    def __init__(
        self, random: Random, difficulty: Difficulty, clauses: int, hypothesis: Sequence[Fact], unseen: bool
    ) -> None:
        self.random, self.difficulty, self.clauses, self.hypothesis = random, difficulty, clauses, hypothesis
        self.unseen = unseen
        self.claims = [fact.what for fact in hypothesis if isinstance(fact, Paints)]
        named = {name for fact in hypothesis for name in fact.children}
        self.strangers = [name for name in random.sample(difficulty.names, difficulty.children) if name not in named]
        self.banned = frozenset().union(*(difficulty.unseen_with[claim.noun] for claim in self.claims))
        self.unseen_claim = None
        if unseen:  # the one of which more is said than the noun, so that all labels are possible
            classes = difficulty.unseen_below
            self.unseen_claim = next(c for c in self.claims if c.noun in classes and set(c.narrowed) - {"noun"})
        self.facts: list[Fact] = []

    def make(self, wanted: Sequence[str]) -> list[Fact] | None:
        random = self.random
        quantified = None
        for fact, label in zip(self.hypothesis, wanted, strict=True):
            if isinstance(fact, Lies):
                self._decide_order(fact, label)
            elif fact.who in QUANTIFIERS:
                quantified = fact, label
            else:
                group = self._deciding_clause(fact.who, fact.what, OPPOSITE_LABEL[label] if fact.negated else label)
                if group is None:
                    return None
                self.facts.append(group)
        universal = self.difficulty.has("quantifiers") and len(self.facts) < self.clauses - 1
        if universal and random.random() < 0.15:
            self.facts.append(self._universal_clause())
        if quantified is not None:
            if not self._decide_quantifier(*quantified):
                return None
        else:
            self._tempt()
        if len(self.facts) != self.clauses:
            return None
        random.shuffle(self.facts)
        return self.facts

    def _decide_order(self, fact: Lies, label: str) -> None:
        """Say the relation or its opposite, at times in two steps; or for neutral something close to it."""
        random = self.random
        axis, earlier, later = fact.order
        if label == NEUTRAL:
            pair = [earlier, later]
            if random.random() < 0.5 and len(self.facts) + 1 < self.clauses:
                pair[int(random.random() * 2)] = self._another_child((earlier, later))
            else:
                axis = "above" if axis == "left" else "left"
            random.shuffle(pair)
            self._say_order(axis, *pair)
            return
        if label == CONTRADICTION:
            earlier, later = later, earlier
        room = self.clauses - len(self.facts) - len([fact for fact in self.hypothesis if isinstance(fact, Paints)])
        if self.difficulty.has("chains") and room >= 2 and random.random() < 0.3:
            between = self._another_child((earlier, later))
            self._say_order(axis, earlier, between)
            self._say_order(axis, between, later)
        else:
            self._say_order(axis, earlier, later)

    def _say_order(self, axis: str, earlier: str, later: str) -> None:
        """One clause in one of the two directions in which it can be said."""
        if self.random.random() < 0.5:
            self.facts.append(Lies(earlier, later, axis))
        else:
            self.facts.append(Lies(later, earlier, OPPOSITE[axis]))

    def _another_child(self, but: Sequence[str]) -> str:
        """A child that has a clause already, or a new one."""
        known = [name for name in self._children() if name not in but]
        return choose(self.random, known) if known and self.random.random() < 0.5 else self.strangers.pop()

    def _children(self) -> list[str]:
        return sorted({name for fact in self.facts for name in fact.children})

    def _deciding_clause(self, child: str, claim: Things, label: str) -> Paints | None:
        """A clause about a child from which a claim gets its label; None if none was found."""
        claimed = possible(claim)
        for _ in range(60):
            fact = self._clause_near(child, claim)
            if compare(allowed_by(fact), claimed) == label:
                return fact
        return None

    def _clause_near(self, child: str, claim: Things) -> Paints:
        """A clause about a child that says the same as a claim, or more, less or something else."""
        random, difficulty = self.random, self.difficulty
        if difficulty.has("negation") and claim is not self.unseen_claim and random.random() < 0.12:
            return Paints(child, self._one_aspect(claim), True)
        values = []
        for options, value, name, near in (
            (NUMBER_RANGES, claim.number, "numbers", 0.4),
            (SIZES, claim.size, "sizes", 0.4),
            (_COLOURS, claim.colour, "colours", 0.5),
        ):
            if not difficulty.has(name):
                values.append(None)
            elif value is None:
                values.append(choose(random, options) if random.random() < near else None)
            else:
                draw = random.random()
                values.append(value if draw < 0.5 else choose(random, options) if draw < 0.8 else None)
        return Paints(child, Things(self._noun_near(claim), *values))

    def _one_aspect(self, claim: Things) -> Things:
        """What a denial can speak of: one aspect of a claim, or something near it."""
        random = self.random
        if claim.colour and random.random() < 0.3:
            return Things(colour=claim.colour if random.random() < 0.7 else choose(random, _COLOURS))
        noun = self._noun_near(claim)
        return Things(choose(random, self._allowed(self.difficulty.nouns)) if noun == THING else noun)

    def _noun_near(self, claim: Things) -> str:
        random, difficulty, noun = self.random, self.difficulty, claim.noun
        below, above, apart, near = difficulty.relatives[noun]
        if claim is self.unseen_claim:
            classes = difficulty.unseen_below
            if random.random() < 0.7:
                return choose(random, classes[noun])
            return choose(random, [other for other in apart if other in difficulty.unseen_with[noun]] or classes[noun])
        draw = random.random()
        if draw < 0.3:
            choices: Sequence[str] = (noun,)
        elif draw < 0.6:
            choices = below or (noun,)
        elif draw < 0.72:
            choices = above or (noun,)
        elif draw < 0.84:
            choices = near or apart or (noun,)
        else:
            choices = apart or below
        return choose(random, self._allowed(choices) or (THING,))

    def _allowed(self, nouns: Sequence[str]) -> Sequence[str]:
        """Nouns without those that would meet a noun of the hypothesis for the first time."""
        return nouns if self.unseen or not self.banned else [noun for noun in nouns if noun not in self.banned]

    def _universal_clause(self) -> Paints:
        """ "every child paints big things", "no child paints dogs"."""
        random, difficulty = self.random, self.difficulty
        options = [Things(noun=choose(random, self._allowed(difficulty.nouns)))]
        options += [Things(size=choose(random, SIZES))] * difficulty.has("sizes")
        options += [Things(colour=choose(random, _COLOURS))] * difficulty.has("colours")
        what = choose(random, options)
        return Paints("no" if what.noun != THING or random.random() < 0.4 else "every", what)

    def _decide_quantifier(self, fact: Paints, label: str) -> bool:
        """One clause about each child, so that all together give the label."""
        random = self.random
        if fact.who == "no":
            label = OPPOSITE_LABEL[label]
        settled = CONTRADICTION if fact.who == "every" else ENTAILMENT  # one child of this label settles it
        names = self._children() + self.strangers
        count = self.clauses - len(self.facts)
        if count < max(1, len(self._children())):
            return False
        if label == settled:
            labels = [settled] + [choose(random, LABELS) for _ in range(count - 1)]
        elif label == NEUTRAL:
            labels = [NEUTRAL] + [choose(random, (NEUTRAL, OPPOSITE_LABEL[settled])) for _ in range(count - 1)]
        else:
            labels = [label] * count
        random.shuffle(labels)
        for child, target in zip(names, labels, strict=False):
            clause = self._deciding_clause(child, fact.what, target)
            if clause is None:
                return False
            self.facts.append(clause)
        return True

    def _tempt(self) -> None:
        """Fill up with clauses that do not decide, most with words of the hypothesis, but about other children."""
        random, difficulty = self.random, self.difficulty
        painters = {fact.who for fact in self.facts if isinstance(fact, Paints)}
        waiting = [name for fact in self.hypothesis for name in sorted(fact.children) if name not in painters]
        while len(self.facts) < self.clauses:
            children = self._children()
            if difficulty.has("relations") and len(children) >= 2 and random.random() < 0.2:
                first, second = random.sample(children, 2)
                self._say_order(choose(random, ("left", "above")), first, second)
                continue
            child = waiting.pop() if waiting else None
            if child in (None, *painters):
                child = self.strangers.pop()
            painters.add(child)
            near = random.random() < difficulty.temptation and self.claims
            claim = choose(random, self.claims) if near else draw_claim(random, difficulty)
            self.facts.append(self._clause_near(child, claim))
