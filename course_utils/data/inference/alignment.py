"""What each word of a hypothesis rests on in the premise, and which phenomena a pair turns on.

A fact rests on the clauses that one has to read to label it: those about its child, or about the children that settle a
"some" (`Knowledge.deciding_children`); for a relation those that relate the two, on this axis or else on the other, or
the chain of clauses between them. Inside these clauses a word rests on the words that speak of the same thing: a
colour on a colour, agreeing or not, a name on the name, a number phrase on the number phrase, "not" on "no". A word
without such a partner (a colour that the premise does not say) rests on no word, but still on its clause. Verbs and
joiners rest on nothing.
"""

from collections.abc import Sequence
from typing import NamedTuple

from course_utils.data.inference.logic import NEUTRAL, QUANTIFIERS, THING, Fact, Knowledge, Lies, Paints
from course_utils.data.inference.wording import Word
from course_utils.data.words_of_things import is_a

PHENOMENON_NAMES = (
    "same kind", "hypernym", "other kind", "colour", "size", "number", "dropped", "added", "negation", "quantifier",
    "relation", "converse", "chain", "voice", "two facts",
)  # fmt: skip
"""What a pair may turn on; see `phenomena_of`."""


class Alignment(NamedTuple):
    """Gold links of a pair.

    Attributes:
        words: for each hypothesis word the positions of the premise words that it rests on.
        clauses: for each hypothesis word the clauses of the premise that its fact rests on; none for joiners.
    """

    words: tuple[frozenset[int], ...]
    clauses: tuple[frozenset[int], ...]


def supporting_clauses(premise: Sequence[Fact], knowledge: Knowledge, fact: Fact) -> list[int]:
    """The clauses on which a fact rests, in the order of the premise."""
    if isinstance(fact, Lies):
        return _relating_clauses(premise, knowledge, fact)
    deciding = knowledge.deciding_children(fact)
    return [
        index
        for index, clause in enumerate(premise)
        if isinstance(clause, Paints)
        and (clause.who in deciding or (clause.who in QUANTIFIERS and set(clause.what.said) & set(fact.what.said)))
    ]


def _relating_clauses(premise: Sequence[Fact], knowledge: Knowledge, fact: Lies) -> list[int]:
    lies = {index: clause for index, clause in enumerate(premise) if isinstance(clause, Lies)}
    between = [index for index, clause in lies.items() if clause.children == fact.children]
    same_axis = [index for index in between if lies[index].order[0] == fact.order[0]]
    if same_axis or knowledge.judge(fact) == NEUTRAL:
        return same_axis or between
    axis, earlier, later = fact.order
    if (earlier, later) not in knowledge.before[axis]:
        earlier, later = later, earlier
    paths: list[tuple[str, list[int]]] = [(earlier, [])]
    for child, path in paths:  # shortest first; the list grows while it is read
        if child == later:
            return sorted(path)
        steps = ((index, clause.order) for index, clause in lies.items() if index not in path)
        paths += [(after, [*path, index]) for index, (way, before, after) in steps if (way, before) == (axis, child)]
    raise AssertionError(f"{fact} is decided, but no chain of clauses leads from {earlier} to {later}.")


Clauses = Sequence[tuple[Fact, list[Word]]]
"""Each clause's fact and words."""


def align(premise: Clauses, hypothesis: Clauses, knowledge: Knowledge) -> Alignment:
    """Link hypothesis words to premise words and clauses; `knowledge` is that of the premise."""
    facts = [fact for fact, _ in premise]
    starts = [0]
    for _, words in premise:
        starts.append(starts[-1] + len(words))
    word_links: list[frozenset[int]] = []
    clause_links: list[frozenset[int]] = []
    for number, (fact, words) in enumerate(hypothesis):
        clauses = supporting_clauses(facts, knowledge, fact)
        partners: dict[str, set[int]] = {}
        for clause in clauses:
            for position, word in enumerate(premise[clause][1], starts[clause]):
                if word.role and not _names_nothing(facts[clause], word):
                    key = word.text if word.role in ("child", "other child") else word.role
                    partners.setdefault(key, set()).add(position)
                    if word.role == "child":
                        partners.setdefault("child", set()).add(position)
                    if word.text == "no":  # of "no child"
                        partners.setdefault("not", set()).add(position)
        for index, word in enumerate(words):
            joiner = number > 0 and index == 0
            clause_links.append(frozenset() if joiner else frozenset(clauses))
            key = word.role
            if key in ("child", "other child") and fact.children:
                key = word.text
            word_links.append(
                frozenset(partners.get(key, ())) if key and not _names_nothing(fact, word) else frozenset()
            )
    return Alignment(tuple(word_links), tuple(clause_links))


def _names_nothing(fact: Fact, word: Word) -> bool:
    return word.role == "noun" and isinstance(fact, Paints) and fact.what.noun == THING


def phenomena_of(premise: Clauses, hypothesis: Clauses, knowledge: Knowledge) -> tuple[str, ...]:
    """The phenomena that a pair turns on, looking at the clauses that its facts rest on.

    "same kind", "hypernym" and "other kind" compare nouns (a hypernym on either side); "dropped" and "added" are said
    by one side only; "converse" is a relation told from the other child; "voice" is active here and passive there.
    """
    facts = [fact for fact, _ in premise]
    found = {"two facts"} if len(hypothesis) > 1 else set()
    for fact, words in hypothesis:
        clauses = supporting_clauses(facts, knowledge, fact)
        if isinstance(fact, Lies):
            found.add("relation")
            direct = any(facts[clause].children == fact.children for clause in clauses)
            found |= {"chain"} if clauses and not direct else set()
            found |= {"converse"} if any(facts[c].first == fact.second for c in clauses) and direct else set()
        else:
            found |= set(fact.what.said) - {"noun"}
            found |= {"quantifier"} if fact.who in QUANTIFIERS else set()
            for clause in clauses:
                found |= _compare(facts[clause], fact)
                found |= {"voice"} if _is_passive(words) != _is_passive(premise[clause][1]) else set()
        found |= {"negation"} if any(part.negated for part in (fact, *(facts[clause] for clause in clauses))) else set()
        found |= {"negation"} if isinstance(fact, Paints) and fact.who == "no" else set()
    return tuple(name for name in PHENOMENON_NAMES if name in found)


def _compare(known: Paints, claim: Paints) -> set[str]:
    found = set()
    here, there = known.what.noun, claim.what.noun
    if THING not in (here, there):
        related = is_a(here, there) or is_a(there, here)
        found.add("same kind" if here == there else "hypernym" if related else "other kind")
    said, claimed = set(known.what.said), set(claim.what.said)
    found |= {"dropped"} if said - claimed else set()
    found |= {"added"} if claimed - said else set()
    found |= {"quantifier"} if known.who in QUANTIFIERS else set()
    found |= {"negation"} if known.who == "no" else set()
    return found


def _is_passive(words: Sequence[Word]) -> bool:
    return any(word.text == "painted" for word in words)
