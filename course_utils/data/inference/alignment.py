"""Gold links from a hypothesis to its premise, and the phenomena that a pair turns on.

A fact is aligned with the clauses that one has to read to label it (`Knowledge.decide`). Inside these a word is aligned
with the words that state the same part (`wording.PARTS`): a colour with a colour, agreeing or not, a name with the
name, "not" with "no". Where there are none it is aligned with no word, but still with its clause.
"""

from collections.abc import Sequence

from course_utils.data.inference.logic import QUANTIFIERS, THING, Fact, Knowledge, Lies
from course_utils.data.inference.wording import CHILDREN, JOINERS, PARTS, Clause
from course_utils.data.words_of_things import is_a

PHENOMENON_NAMES = (
    "same kind", "hypernym", "other kind", "colour", "size", "number", "dropped", "added", "negation", "quantifier",
    "relation", "converse", "chain", "voice", "two facts",
)  # fmt: skip
"""What a pair may turn on.

The first three compare nouns (a hypernym on either side); "dropped" and "added" are said by one side only; "converse"
is a relation told from the other child; "voice" is active here and passive there.
"""


def gold_of(premise: Sequence[Clause], hypothesis: Sequence[Clause], knowledge: Knowledge) -> tuple[tuple, ...]:
    """The `phenomena`, `alignment` and `clause_alignment` of an `InferencePair`; `knowledge` is that of the premise."""
    stated = [(index, _parts(clause.fact, word)) for index, clause in enumerate(premise) for word in clause.words]
    found = {"two facts"} if len(hypothesis) > 1 else set()
    words, clauses = [], []
    for claim in hypothesis:
        _, aligned = knowledge.decide(claim.fact)
        found |= _phenomena(claim, [premise[index] for index in aligned])
        for word in claim.words:
            part = _part(claim.fact, word)
            partners = (place for place, (index, parts) in enumerate(stated) if index in aligned and part in parts)
            words.append(frozenset(partners))
            clauses.append(frozenset(() if word in JOINERS else aligned))
    return tuple(name for name in PHENOMENON_NAMES if name in found), tuple(words), tuple(clauses)


def _part(fact: Fact, word: str) -> str | None:
    """What a hypothesis word states."""
    return "child" if word == "no" and fact.who == "no" else PARTS.get(word)


def _parts(fact: Fact, word: str) -> set[str]:
    """What a premise word is aligned with: a name also with "every child", the "no" of "no child" also with "not"."""
    return {_part(fact, word), PARTS.get(word), "child" if word in CHILDREN else None} - {None}


def _phenomena(claim: Clause, clauses: Sequence[Clause]) -> set[str]:
    """What a fact of the hypothesis turns on, given the clauses that it is aligned with."""
    fact, facts, said = claim.fact, [clause.fact for clause in clauses], claim.fact.what.said
    relation = isinstance(fact, Lies)
    direct = [known for known in facts if relation and known.children == fact.children]
    found = {
        "relation": relation,
        "converse": any(known.first == fact.second for known in direct),
        "chain": relation and facts and not direct,
        "dropped": any(known.what.said - said for known in facts),
        "added": any(said - known.what.said for known in facts),
        "negation": any(known.negated or known.who == "no" for known in (fact, *facts)),
        "quantifier": any(known.who in QUANTIFIERS for known in (fact, *facts)),
        "voice": any(("painted" in claim.words) != ("painted" in clause.words) for clause in clauses),
    }
    nouns = {_relation(known.what.noun, fact.what.noun) for known in facts}
    return {name for name, here in found.items() if here} | nouns | said - {"noun"}


def _relation(noun: str, other: str) -> str:
    if THING in (noun, other):
        return ""
    return "same kind" if noun == other else "hypernym" if is_a(noun, other) or is_a(other, noun) else "other kind"
