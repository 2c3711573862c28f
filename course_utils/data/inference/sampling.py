"""Clauses of pairs: a hypothesis that knows of no label, then a premise that gives it the label wanted.

Every hypothesis has premises of all three labels, so nothing about it hints at its label. Besides the clauses that
decide, a premise has clauses that tempt: they often hold the hypothesis's own words, said of another child.
"""

from bisect import bisect
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from random import Random

from course_utils.data.inference import logic
from course_utils.data.inference.difficulty import Difficulty, has_unseen_pair
from course_utils.data.inference.logic import ENTAILMENT, NEUTRAL, QUANTIFIERS, THING, Fact, Lies, Paints, Things
from course_utils.data.inference.wording import JOINERS, Clause, words_in, write_fact
from course_utils.data.words_of_things import COLOURS, OPPOSITE, SIZES

COLOUR_WORDS = tuple(COLOURS)
FORMS = {"paints": 60, "negation": 12, "relations": 16, "quantifiers": 12}
"""Forms of a fact of a hypothesis, and how often each is sampled if it is switched on."""
VALUES = {"numbers": (logic.NUMBER_RANGES, 0.4, 0.4), "sizes": (SIZES, 0.35, 0.4), "colours": (COLOUR_WORDS, 0.5, 0.5)}
"""What can be said besides the noun: the values, how often a hypothesis says one, and a premise of its own accord."""


class Sampler:
    """Samples hypotheses, and premises for them.

    With `unseen` each has an unseen pair of nouns in the clauses that decide a fact; else none has one anywhere.
    """

    def __init__(self, random: Random, difficulty: Difficulty, unseen: bool = False) -> None:
        self.random, self.difficulty, self.unseen = random, difficulty, unseen
        self.has = difficulty.phenomena.__contains__

    def choose(self, options: Sequence):
        """One of several options, all equally likely; quicker than `Random.choice`."""
        return options[int(self.random.random() * len(options))]

    def happens(self, share: float) -> bool:
        """True in this share of the calls."""
        return self.random.random() < share

    def hypothesis(self, clauses: int) -> list[Clause]:
        """Sample a hypothesis of no more facts than the premise will have clauses."""
        fewest, most = self.difficulty.facts
        count = self.choose(range(fewest, min(most, clauses) + 1))
        while True:
            names = self.random.sample(self.difficulty.names, 4)
            facts = [self._unseen_fact(names[0]) if self.unseen else self._fact(names[:2])]
            if count == 1:
                return self._write(facts, ("and",))
            facts.append(self._fact(names[2:]))
            # Two children to be related and a word about "every child" take three clauses; and an unseen pair inside
            # the hypothesis would leave no premise that entails it and keeps the two apart.
            mixed = any(isinstance(fact, Lies) for fact in facts) and any(not fact.children for fact in facts)
            if clauses >= 2 + mixed and logic.are_independent(facts) and not has_unseen_pair(facts, facts):
                return self._write(facts if self.happens(0.5) else facts[::-1], ("and",))

    def premise(self, clauses: int, hypothesis: Sequence[Clause], label: str) -> list[Clause]:
        """Sample a premise of so many clauses that gives a hypothesis a label; a `ValueError` if none is found."""
        facts, (fewest, most) = [clause.fact for clause in hypothesis], self.difficulty.words
        for _ in range(2000):
            with suppress(ValueError):  # this attempt failed
                premise = self._write(_Premise(self, clauses, facts).sample(label), JOINERS)
                if fewest <= len(words_in(premise)) <= most:
                    return premise
        raise ValueError(
            f"no premise of {clauses} clauses and {fewest} to {most} words was found that makes "
            f"{' '.join(words_in(hypothesis))!r} a case of {label}; widen words, clauses or kinds of the difficulty."
        )

    def _write(self, facts: Sequence[Fact], joiners: Sequence[str]) -> list[Clause]:
        passive = 0.35 if self.has("passive") else 0.0
        texts = [write_fact(fact, self.happens(passive), self.choose((0, 1))) for fact in facts]
        texts[1:] = [f"{self.choose(joiners)} {text}" for text in texts[1:]]
        return [Clause(fact, tuple(text.split())) for fact, text in zip(facts, texts, strict=True)]

    def _fact(self, names: Sequence[str]) -> Fact:
        forms = [form for form in FORMS if form == "paints" or self.has(form)]
        form = self.random.choices(forms, [FORMS[form] for form in forms])[0]
        if form == "relations":
            negated = self.has("negation") and self.happens(0.2)
            return Lies(*names, self.choose(logic.DIRECTIONS), negated)
        if form == "quantifiers":
            return Paints(self.choose(QUANTIFIERS), self._claim())
        negated = form == "negation"
        return Paints(names[0], self._claim(counted=not negated), negated)

    def _unseen_fact(self, name: str) -> Paints:
        """A fact with a class of which there are unseen kinds, that says at least one thing more."""
        while True:
            if (claim := self._claim()).narrowed - {"noun"}:
                return Paints(name, replace(claim, noun=self.choose(tuple(self.difficulty.unseen_below))))

    def _claim(self, *, counted: bool = True) -> Things:
        """Things that a hypothesis speaks of: they say at least one thing that can fail to be so."""
        while True:
            share = self.random.random()
            nouns = self.difficulty.kinds if share < 0.55 else self.difficulty.classes
            noun = self.choose(nouns) if share < 0.92 else THING
            values = (self._maybe(name, 1) if counted or name != "numbers" else None for name in VALUES)
            if (claim := Things(noun, *values)).narrowed:
                return claim

    def _maybe(self, phenomenon: str, side: int):
        """A value, if it is said: in a hypothesis (side 1) or a premise (side 2)."""
        said = self.has(phenomenon) and self.happens(VALUES[phenomenon][side])
        return self.choose(VALUES[phenomenon][0]) if said else None


class _Premise(Sampler):
    """One attempt at a premise: first the clauses that decide, then clauses that tempt."""

    def __init__(self, sampler: Sampler, clauses: int, hypothesis: Sequence[Fact]) -> None:
        super().__init__(sampler.random, sampler.difficulty, sampler.unseen)
        self.clauses, self.hypothesis, self.facts = clauses, hypothesis, []
        self.claims = [fact.what for fact in hypothesis if isinstance(fact, Paints)]
        named = {name for fact in hypothesis for name in fact.children}
        names = self.random.sample(self.difficulty.names, self.difficulty.children)
        self.strangers = [name for name in names if name not in named]
        self.banned = frozenset().union(*(self.difficulty.unseen_with[claim.noun] for claim in self.claims))
        self.unseen_claim = None
        if self.unseen:  # the one of which more is said than the noun, so that all labels are possible
            self.banned, classes = frozenset(), self.difficulty.unseen_below
            self.unseen_claim = next(c for c in self.claims if c.noun in classes and c.narrowed - {"noun"})

    def sample(self, label: str) -> list[Fact]:
        """Sample the facts, in random order; a `ValueError` if no clauses decide, they are too many or do not fit."""
        quantified = None
        labels = [label] * len(self.hypothesis)  # of single facts, which make up the label of all
        if len(labels) == 2 and label != ENTAILMENT:
            labels[1] = self.choose((ENTAILMENT, ENTAILMENT, NEUTRAL))
            labels = labels if self.happens(0.5) else labels[::-1]
        for fact, wanted in zip(self.hypothesis, labels, strict=True):
            if isinstance(fact, Lies):
                self._decide_order(fact, wanted)
            elif fact.who in QUANTIFIERS:
                quantified = fact, wanted
            else:
                self._decide_group(fact.who, fact.what, logic.OPPOSITE_LABEL[wanted] if fact.negated else wanted)
        if self.has("quantifiers") and len(self.facts) < self.clauses - 1 and self.happens(0.15):
            self.facts.append(self._universal_clause())
        if quantified:
            self._decide_quantifier(*quantified)
        else:
            self._tempt()
        if len(self.facts) != self.clauses:
            raise ValueError(f"it took {len(self.facts)} clauses; expected {self.clauses}.")
        self.random.shuffle(self.facts)
        if logic.Knowledge(self.facts).judge(*self.hypothesis) != label:
            raise ValueError(f"the clauses make no case of {label}.")
        return self.facts

    def _decide_order(self, fact: Lies, label: str) -> None:
        """Say the relation or its opposite, at times in two steps; or for neutral something close to it."""
        axis, *ends = fact.order
        room = self.clauses - len(self.facts) - len(self.claims)
        if label == NEUTRAL:
            if self.happens(0.5) and len(self.facts) + 1 < self.clauses:
                ends[self.choose((0, 1))] = self._another_child(fact)
            else:
                axis = "above" if axis == "left" else "left"
            self.random.shuffle(ends)
        else:
            ends = ends[::-1] if label == logic.CONTRADICTION else ends
            if self.has("chains") and room >= 2 and self.happens(0.3):
                ends.insert(1, self._another_child(fact))
        for earlier, later in pairwise(ends):
            self._say_order(axis, earlier, later)

    def _say_order(self, axis: str, earlier: str, later: str) -> None:
        """One clause in one of the two directions in which it can be said."""
        self.facts.append(Lies(earlier, later, axis) if self.happens(0.5) else Lies(later, earlier, OPPOSITE[axis]))

    def _another_child(self, fact: Lies) -> str:
        """A child that has a clause already, or a new one."""
        known = [name for name in self._children() if name not in fact.children]
        return self.choose(known) if known and self.happens(0.5) else self.strangers.pop()

    def _children(self) -> list[str]:
        return sorted({name for fact in self.facts for name in fact.children})

    def _decide_group(self, child: str, claim: Things, label: str) -> None:
        """Say something of a child from which a claim gets its label."""
        for _ in range(60):
            fact = self._clause_near(child, claim)
            if logic.compare(logic.allowed_by(fact), logic.possible(claim)) == label:
                self.facts.append(fact)
                return
        raise ValueError(f"no clause was found that makes {claim} of {child} a case of {label}.")

    def _clause_near(self, child: str, claim: Things) -> Paints:
        """A clause about a child that says the same as a claim, or more, less or something else."""
        if self.has("negation") and claim is not self.unseen_claim and self.happens(0.12):
            return Paints(child, self._one_aspect(claim), True)
        values = list(map(self._value_near, VALUES, (claim.number, claim.size, claim.colour)))
        return Paints(child, Things(self._noun_near(claim), *values))

    def _value_near(self, phenomenon: str, value: object) -> object:
        if value is None:
            return self._maybe(phenomenon, 2)
        share = self.random.random()
        return value if share < 0.5 else self.choose(VALUES[phenomenon][0]) if share < 0.8 else None

    def _one_aspect(self, claim: Things) -> Things:
        """What a denial can speak of: one aspect of a claim, or something near it."""
        if claim.colour and self.happens(0.3):
            return Things(colour=claim.colour if self.happens(0.7) else self.choose(COLOUR_WORDS))
        noun = self._noun_near(claim)
        return Things(self._allowed_noun(self.difficulty.nouns) if noun == THING else noun)

    def _noun_near(self, claim: Things) -> str:
        same, (below, above, apart, near) = (claim.noun,), self.difficulty.relatives[claim.noun]
        if claim is self.unseen_claim:
            kinds, others = self.difficulty.unseen_below[claim.noun], self.difficulty.unseen_with[claim.noun]
            return self.choose(kinds if self.happens(0.7) else [noun for noun in apart if noun in others] or kinds)
        nouns = (same, below or same, above or same, near or apart or same, apart or below)
        return self._allowed_noun(nouns[bisect((0.3, 0.6, 0.72, 0.84), self.random.random())])

    def _allowed_noun(self, nouns: Sequence[str]) -> str:
        """One of some nouns, but none that would meet a noun of the hypothesis for the first time."""
        return self.choose([noun for noun in nouns if noun not in self.banned] or (THING,))

    def _universal_clause(self) -> Paints:
        """ "every child paints big things", "no child paints dogs"."""
        options = [Things(noun=self._allowed_noun(self.difficulty.nouns))]
        options += [Things(size=self.choose(SIZES))] * self.has("sizes")
        options += [Things(colour=self.choose(COLOUR_WORDS))] * self.has("colours")
        what = self.choose(options)
        return Paints("no" if what.noun != THING or self.happens(0.4) else "every", what)

    def _decide_quantifier(self, fact: Paints, label: str) -> None:
        """One clause about each child, so that all together give the label."""
        label = logic.OPPOSITE_LABEL[label] if fact.who == "no" else label
        settled = logic.CONTRADICTION if fact.who == "every" else ENTAILMENT  # one child of this label settles it
        names, count = self._children(), self.clauses - len(self.facts)
        if count < max(1, len(names)):
            raise ValueError(f"{count} clauses are too few for one about each of {names}.")
        others = {settled: logic.LABELS, NEUTRAL: (NEUTRAL, logic.OPPOSITE_LABEL[settled])}.get(label)
        labels = [label] + [self.choose(others) if others else label for _ in range(count - 1)]
        self.random.shuffle(labels)
        for child, wanted in zip(names + self.strangers, labels, strict=False):
            self._decide_group(child, fact.what, wanted)

    def _tempt(self) -> None:
        """Fill up with clauses that do not decide, most with words of the hypothesis, but about other children."""
        painters = {fact.who for fact in self.facts}
        waiting = [name for fact in self.hypothesis for name in sorted(fact.children) if name not in painters]
        while len(self.facts) < self.clauses:
            children = self._children()
            if self.has("relations") and len(children) >= 2 and self.happens(0.2):
                ends = self.random.sample(children, 2)
                self._say_order(self.choose(("left", "above")), *ends)
                continue
            child = waiting.pop() if waiting else None
            if child in (None, *painters):
                child = self.strangers.pop()
            painters.add(child)
            near = self.happens(self.difficulty.temptation) and self.claims
            self.facts.append(self._clause_near(child, self.choose(self.claims) if near else self._claim()))
