"""Entailment pairs: the reasoner against all pictures one by one, wording both ways, gold links, balance, splits."""

import hashlib
import os
from collections import Counter
from dataclasses import replace
from itertools import permutations, product
from pathlib import Path
from random import Random

import pytest
import torch

from course_utils.data.inference import data as inference_data
from course_utils.data.inference.alignment import PHENOMENON_NAMES
from course_utils.data.inference.data import load_snli, real_pair, snli_data, synthetic_inference_data
from course_utils.data.inference.difficulty import EASY, FULL, PHENOMENA, WIDE, Difficulty, has_unseen_pair
from course_utils.data.inference.logic import (
    LABELS,
    NUMBER_RANGES,
    THING,
    Knowledge,
    Lies,
    Paints,
    Things,
    are_independent,
)
from course_utils.data.inference.pairs import SPLITS, make_pairs, make_pairs_by_facts, read_pair, split_of
from course_utils.data.inference.sampling import Sampler
from course_utils.data.inference.wording import CHILDREN, JOINERS, read_clauses, words_of, write_fact
from course_utils.data.real_sets import SPLITS as REAL_SPLITS
from course_utils.data.text import PAD
from course_utils.data.words_of_things import COLOURS, KINDS, hypernyms
from experiments.entailment_baselines import BASELINES, baseline_accuracies

STAGED = Path(os.environ.get("WHERE_TO_LOOK_DATA", Path(__file__).resolve().parents[2] / "shared" / "datasets"))
needs_snli = pytest.mark.skipif(
    not (STAGED / "snli_dev").is_dir(), reason="no staged snli_dev; set WHERE_TO_LOOK_DATA to a folder that has it"
)


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def label_pair(premise, hypothesis):
    return Knowledge(premise).judge(*hypothesis)


@pytest.fixture(scope="module")
def full():
    return {split: make_pairs(250, split=split, difficulty=FULL) for split in SPLITS}


@pytest.fixture(scope="module")
def easy():
    return synthetic_inference_data(EASY, train_count=3000, test_count=400)


# The reasoner against brute force: every picture, one after another


NOUNS_ABOVE = {"dog": "mammal animal", "pig": "mammal animal", "mammal": "animal", "owl": "bird animal",
               "bird": "animal", "animal": "", "apple": "fruit food", "fruit": "food", "food": ""}  # fmt: skip
"""Written out by hand; a class is also a kind of its own: its members that no word names."""


def fits(group, things):
    kind, number, size, colour = group
    return (
        things.noun in (THING, kind, *NOUNS_ABOVE[kind].split())
        and (things.number is None or things.number[0] <= number <= things.number[1])
        and things.size in (None, size)
        and things.colour in (None, colour)
    )


def holds(fact, groups, places):
    """Whether a fact is true of a picture: child → group, child → (from the left, from the top)."""
    if isinstance(fact, Lies):
        (x, y), (other_x, other_y) = places[fact.first], places[fact.second]
        true = {"left": x < other_x, "right": x > other_x, "above": y < other_y, "below": y > other_y}[fact.direction]
        return true != fact.negated
    if fact.who in ("every", "some", "no"):
        matches = [fits(group, fact.what) for group in groups.values()]
        return {"every": all(matches), "some": any(matches), "no": not any(matches)}[fact.who]
    return fits(groups[fact.who], fact.what) != fact.negated


GROUPS = tuple(product(NOUNS_ABOVE, (1, 2, 3), ("small", "big"), ("red", "blue", "green")))


def distinguishable(facts):
    """One group of all those that every description used treats alike."""
    used = [fact.what for fact in facts if isinstance(fact, Paints)]
    return list({tuple(fits(group, things) for things in used): group for group in GROUPS}.values())


def brute_force(premise, hypothesis):
    """Label by enumeration; None if no picture fits the premise."""
    children = sorted({name for fact in premise for name in fact.children})
    orders = [dict(zip(children, order, strict=True)) for order in permutations(range(len(children)))]
    arrangements = [{c: (across[c], down[c]) for c in children} for across in orders for down in orders]
    said, placed = ([f for f in premise if isinstance(f, kind)] for kind in (Paints, Lies))
    images = [
        dict(zip(children, groups, strict=True))
        for groups in product(distinguishable([*premise, *hypothesis]), repeat=len(children))
    ]
    images = [groups for groups in images if all(holds(fact, groups, None) for fact in said)]
    arrangements = [places for places in arrangements if all(holds(fact, None, places) for fact in placed)]
    truths = {
        all(holds(fact, groups, places) for fact in hypothesis)
        for groups, places in product(images, arrangements if placed or _has_order(hypothesis) else arrangements[:1])
    }
    return {(True,): "entailment", (False,): "contradiction", (False, True): "neutral", (): None}[tuple(sorted(truths))]


def _has_order(facts):
    return any(isinstance(fact, Lies) for fact in facts)


def random_things(random, aspects):
    return Things(
        random.choice((*NOUNS_ABOVE, THING)) if "noun" in aspects else THING,
        random.choice(NUMBER_RANGES) if "number" in aspects else None,
        random.choice(("small", "big")) if "size" in aspects else None,
        random.choice(("red", "blue")) if "colour" in aspects else None,
    )


def random_fact(random, names, *, premise):
    if random.random() < 0.3 and len(names) > 1:
        first, second = random.sample(names, 2)
        return Lies(first, second, random.choice(("left", "right", "above", "below")), random.random() < 0.3)
    who = random.choice((*names, *names, "every", "no") if premise else (*names, *names, "every", "some", "no"))
    negated = who in names and random.random() < 0.3
    aspects = ("noun", "number", "size", "colour")
    single = premise and (negated or who == "no")
    aspects = random.sample(aspects, 1 if single else random.choice((1, 2, 2, 3)))
    return Paints(who, random_things(random, aspects), negated)


def test_the_reasoner_agrees_with_brute_force():
    random = Random(5)
    counts = Counter()
    while sum(counts.values()) < 500:
        names = ["anna", "ben", "carl"][: random.choice((1, 2, 2, 3))]
        premise = [random_fact(random, names, premise=True) for _ in range(random.choice((1, 2, 3, 4)))]
        named = sorted({name for fact in premise for name in fact.children})
        denies_nothing_or_all = any(
            isinstance(f, Paints) and (f.negated or f.who == "no") and len(f.what.narrowed) != 1 for f in premise
        )
        if not named or denies_nothing_or_all:
            continue
        hypothesis = [random_fact(random, named, premise=False) for _ in range(random.choice((1, 1, 2)))]
        if not are_independent(hypothesis) or len(distinguishable([*premise, *hypothesis])) ** len(named) > 4000:
            continue
        expected = brute_force(premise, hypothesis)
        counts[expected] += 1
        if expected is None:
            with pytest.raises(ValueError, match="contradicts itself"):
                label_pair(premise, hypothesis)
        else:
            assert label_pair(premise, hypothesis) == expected, (premise, hypothesis)
    assert all(counts[label] > 40 for label in (*LABELS, None)), counts


def test_brute_force_and_reasoner_share_one_table_of_kinds():
    assert {noun: hypernyms(noun) for noun in NOUNS_ABOVE} == {n: tuple(up.split()) for n, up in NOUNS_ABOVE.items()}


@pytest.mark.parametrize(
    ("premise", "hypothesis", "label"),
    [
        ("anna paints two dogs", "anna paints at least one animal", "entailment"),
        ("anna paints two dogs", "anna paints three dogs", "contradiction"),
        ("anna paints dogs", "anna paints two dogs", "neutral"),
        ("anna paints at least two dogs", "anna paints a dog", "contradiction"),
        ("anna paints trees", "anna paints palms", "neutral"),
        ("anna paints red dogs", "red mammals are painted by anna", "entailment"),
        ("anna paints dogs", "anna does not paint cars", "entailment"),
        ("anna paints red things", "anna paints no red cars", "neutral"),
        ("anna paints no animals", "anna paints a dog", "contradiction"),
        ("anna paints dogs and ben paints owls", "every child paints animals", "entailment"),
        ("anna paints dogs and ben paints red things", "every child paints animals", "neutral"),
        ("anna paints dogs and ben paints cars", "all children paint animals", "contradiction"),
        ("anna paints things while ben paints cars", "some child paints red cars", "neutral"),
        ("anna paints dogs , ben paints owls", "no child paints cars", "entailment"),
        ("no child paints animals and anna paints red things", "anna paints red owls", "contradiction"),
        ("every child paints big things and anna paints dogs", "anna paints big dogs", "entailment"),
        ("anna paints to the left of ben", "ben paints to the right of anna", "entailment"),
        ("anna paints to the left of ben", "anna paints above ben", "neutral"),
        ("anna paints above ben and ben paints above carl", "carl paints under anna", "entailment"),
        ("anna paints above ben and carl paints above ben", "carl paints above anna", "neutral"),
        ("anna paints above ben", "anna does not paint above ben", "contradiction"),
        ("anna paints red dogs and ben paints cars", "anna paints dogs and ben paints red vehicles", "neutral"),
        ("anna paints red dogs and ben paints cars", "anna paints blue dogs and ben paints cars", "contradiction"),
    ],
)
def test_cases_decided_by_hand(premise, hypothesis, label):
    assert read_pair(premise, hypothesis).label == label


def test_what_the_reasoner_refuses():
    red_dogs = Things("dog", colour="red")
    for premise, hypothesis, message in (
        ([Paints("anna", red_dogs, True)], [Paints("anna", red_dogs)], "may deny one aspect only"),
        ([Paints("anna", Things(number=(1, 3)), True)], [Paints("anna", red_dogs)], "may deny one aspect only"),
        ([Paints("some", red_dogs), Paints("anna", red_dogs)], [Paints("anna", red_dogs)], "cannot say 'some child'"),
        ([Paints("every", red_dogs)], [Paints("every", red_dogs)], "names no child"),
        ([Paints("anna", red_dogs)], [Paints("ben", red_dogs)], "no children of this picture"),
        ([Paints("anna", red_dogs)], [Lies("anna", "ben", "left")], "no children of this picture"),
        ([Paints("anna", red_dogs)], [Paints("anna", red_dogs)] * 2, "at most one for each child's group"),
        ([Paints("anna", red_dogs)], [], "expected a fact"),
        ([Paints("anna", Things("unicorn"))], [Paints("anna", red_dogs)], "unicorn"),
        ([Paints("anna", Things(number=(2, 7)))], [Paints("anna", red_dogs)], r"number=\(2, 7\)"),
        ([Paints("anna", Things(colour="pink"))], [Paints("anna", red_dogs)], "pink"),
        ([Paints("anna", Things(size="huge"))], [Paints("anna", red_dogs)], "huge"),
        ([Lies("anna", "ben", "left"), Lies("anna", "ben", "right")], [Paints("ben", red_dogs)], "contradicts itself"),
    ):
        with pytest.raises(ValueError, match=message):
            label_pair(premise, hypothesis)


@pytest.mark.parametrize(
    ("kind", "parts", "message"),
    [
        (Paints, ("every", Things("dog"), True), "only a named child"),
        (Lies, ("anna", "anna", "left"), "two different children"),
        (Lies, ("anna", "ben", "near"), "direction"),
    ],
)
def test_facts_that_cannot_be(kind, parts, message):
    with pytest.raises(ValueError, match=message):
        kind(*parts)


# Wording both ways


def test_every_wording_reads_back():
    random = Random(1)
    for _ in range(600):
        fact = random_fact(random, ["anna", "ben", "lea"], premise=False)
        for passive, variant in product((False, True), (0, 1)):
            text = write_fact(fact, passive, variant)
            assert read_clauses(text) == [(fact, tuple(text.split()))]
            assert set(text.split()) <= set(words_of())


@pytest.mark.parametrize(
    ("fact", "style", "text"),
    [
        (Paints("anna", Things("owl", (1, 1), "big", "red")), (False, 0), "anna paints a big red owl"),
        (Paints("anna", Things("owl", (1, 1), "big", "red")), (True, 1), "one big red owl is painted by anna"),
        (Paints("anna", Things("mouse"), True), (False, 0), "anna does not paint mice"),
        (Paints("anna", Things("mouse"), True), (True, 0), "no mice are painted by anna"),
        (Paints("every", Things("owl", (1, 1))), (False, 0), "every child paints an owl"),
    ],
)
def test_what_the_wording_attention_like(fact, style, text):
    assert write_fact(fact, *style) == text


def test_pairs_read_back_as_they_were_drawn(full):
    for pair in (pair for pairs in full.values() for pair in pairs[:100]):
        again = read_pair(" ".join(pair.premise), " ".join(pair.hypothesis))
        assert again == pair


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("anna paints a owl", "no such clause"),
        ("anna paints two dog", "no such clause"),
        ("anna paint dogs", "no such clause"),
        ("anna paints red unicorns", r"\['unicorns'\] are unknown"),
        ("anna paints dogs and", "empty"),
        ("", "empty"),
        ("dogs", "no such clause"),
        ("every child does not paint dogs", "no such clause"),
        ("anna paints above anna", "no such clause"),
    ],
)
def test_texts_that_are_not_understood(text, message):
    with pytest.raises(ValueError, match=message):
        read_pair(text, "anna paints dogs")


def test_reading_forgives_capitals_commas_and_full_stops():
    pair = read_pair("Anna paints two dogs, Ben paints cars.", "Ben paints vehicles.")
    assert pair.label == "entailment" and pair.premise[4] == "," and pair.clause_spans == ((0, 4), (4, 8))


# Gold links


def links(premise, hypothesis):
    """Hypothesis word → the premise words it rests on, and the clauses of all its words."""
    pair = read_pair(premise, hypothesis)
    words = [
        (word, " ".join(pair.premise[position] for position in sorted(found)))
        for word, found in zip(pair.hypothesis, pair.alignment, strict=True)
    ]
    return words, [sorted(clauses) for clauses in pair.clause_alignment]


def test_links_within_the_right_clause():
    words, clauses = links("ben paints red cars and anna paints two red dogs", "anna paints at least one blue animal")
    assert words == [("anna", "anna"), ("paints", ""), ("at", "two"), ("least", "two"), ("one", "two"),
                     ("blue", "red"), ("animal", "dogs")]  # fmt: skip
    assert clauses == [[1]] * 7
    pair = read_pair("ben paints red cars and anna paints two red dogs", "anna paints at least one blue animal")
    assert pair.alignment[5] == {8} and pair.alignment[2] == {7}
    assert pair.phenomena == ("hypernym", "colour", "number")


def test_links_of_two_facts_of_voice_and_of_what_is_not_said():
    words, clauses = links(
        "two dogs are painted by anna while ben paints cars", "ben paints red things and anna paints no pigs"
    )  # fmt: skip
    assert words == [("ben", "ben"), ("paints", ""), ("red", ""), ("things", ""), ("and", ""),
                     ("anna", "anna"), ("paints", ""), ("no", ""), ("pigs", "dogs")]  # fmt: skip
    assert clauses == [[1]] * 4 + [[]] + [[0]] * 4
    pair = read_pair("two dogs are painted by anna while ben paints cars", "ben paints red things and anna paints pigs")
    assert pair.label == "contradiction"
    assert pair.phenomena == ("other kind", "colour", "dropped", "added", "voice", "two facts")


def test_links_of_relations():
    words, _ = links("anna paints to the left of ben and ben paints dogs", "ben paints to the right of anna")
    assert words == [("ben", "ben"), ("paints", ""), ("to", ""), ("the", ""), ("right", "left"), ("of", ""),
                     ("anna", "anna")]  # fmt: skip
    words, clauses = links(
        "ben paints dogs , ben paints above carl , anna paints above ben , anna paints to the left of carl",
        "carl does not paint above anna",
    )
    assert words == [("carl", "carl"), ("does", ""), ("not", ""), ("paint", ""), ("above", "above above"),
                     ("anna", "anna")]  # fmt: skip
    assert clauses[0] == [1, 2]
    pair = read_pair("ben paints above carl , anna paints above ben", "carl paints below anna")
    assert pair.phenomena == ("relation", "chain")
    _, clauses = links("anna paints above ben and carl paints dogs", "anna paints to the left of ben")
    assert clauses[0] == [0]
    _, clauses = links("anna paints dogs and carl paints dogs", "anna paints to the left of carl")
    assert clauses[0] == []


def test_links_of_quantifiers_and_denials():
    _, clauses = links("anna paints dogs , ben paints cars , carl paints owls", "every child paints animals")
    assert clauses[0] == [1]
    words, clauses = links("anna paints dogs , ben paints cars , carl paints owls", "some child paints animals")
    assert clauses[0] == [0, 2] and words[:2] == [("some", "anna carl"), ("child", "anna carl")]
    assert words[3] == ("animals", "dogs owls")
    words, clauses = links("no child paints cars and anna paints red things", "anna does not paint vehicles")
    assert words[2] == ("not", "no") and words[4] == ("vehicles", "cars") and clauses[0] == [0, 1]


def test_decided_facts_rest_on_their_clauses_alone(full):
    """The clauses that a fact is said to rest on are enough to decide it."""
    decided = 0
    for pair in (pair for pairs in full.values() for pair in pairs):
        knowledge = Knowledge(pair.premise_facts)
        start = 0
        for fact in pair.hypothesis_facts:
            clauses = pair.clause_alignment[start + (start > 0)]
            start = next((i for i in range(start + 1, len(pair.hypothesis)) if pair.hypothesis[i] == "and"), 0)
            label = knowledge.judge(fact)
            if label != "neutral":
                decided += 1
                assert Knowledge([pair.premise_facts[i] for i in sorted(clauses)]).judge(fact) == label, pair.text
    assert decided > 600


def test_links_stay_within_their_clauses_and_join_like_with_like(full):
    numbers = {"a", "an", "one", "two", "three", "at", "least", "most"}
    alike = [set(COLOURS), {"small", "big"}, set(CHILDREN), numbers, {"not", "no"},
             {"left", "right", "above", "below", "under"}]  # fmt: skip
    for pair in (pair for pairs in full.values() for pair in pairs):
        quantified = any(not fact.children for fact in pair.hypothesis_facts)
        for word, found, clauses in zip(pair.hypothesis, pair.alignment, pair.clause_alignment, strict=True):
            for position in found:
                assert any(pair.clause_spans[c][0] <= position < pair.clause_spans[c][1] for c in clauses)
                if not quantified:
                    assert all((word in family) == (pair.premise[position] in family) for family in alike), pair.text
                if word in CHILDREN:
                    assert pair.premise[position] == word
            assert not found or word not in (*JOINERS, "paints", "paint", "painted", "by", "is", "are", "does")


# Drawing


def test_labels_are_balanced_in_every_beginning_of_the_list(full):
    for pairs in full.values():
        for count in (1, 7, 100, len(pairs)):
            counts = Counter(pair.label for pair in pairs[:count])
            assert max(counts.values()) - min(counts[label] for label in LABELS) <= 1


def test_the_hypothesis_alone_says_nothing_and_a_bag_of_words_little(easy):
    accuracies = {name: baseline_accuracies(name, easy) for name in BASELINES}
    of_all = {name: sum(values.values()) / len(values) for name, values in accuracies.items()}
    # 1200 pairs: one standard error is 1.4 points.
    assert abs(of_all["hypothesis only"] - 1 / 3) < 0.05, accuracies
    assert 0.38 < of_all["bag of words"] < 0.75, accuracies
    with pytest.raises(ValueError, match="'premise only'"):
        baseline_accuracies("premise only", easy)


def test_forms_of_hypotheses_do_not_depend_on_the_label(full):
    """Every hypothesis that can be drawn has premises of all three labels, in an ordinary split and in unseen pairs."""
    random = Random(2)
    for number in range(150):
        clauses, sampler = 1 + number % 4, Sampler(random, FULL, unseen=number % 3 == 0)
        hypothesis = sampler.hypothesis(clauses)
        for label in LABELS:
            assert len(sampler.premise(clauses, hypothesis, label)) == clauses


def test_no_hypothesis_and_no_item_is_in_two_splits(full):
    seeds = {
        split: {p.hypothesis for p in pairs + make_pairs(60, split=split, seed=1)} for split, pairs in full.items()
    }
    for one in ("train", "validation"):
        for other in set(SPLITS) - {one}:
            assert not seeds[one] & seeds[other]
    for split, pairs in full.items():
        assert {split_of(pair.hypothesis) for pair in pairs} == {"test" if split == "unseen pairs" else split}
        assert len({(pair.premise, pair.hypothesis) for pair in pairs}) > 0.97 * len(pairs)


@pytest.mark.parametrize("difficulty", [EASY, FULL])
def test_unseen_pairs_never_met(difficulty):
    def met(pair):
        nouns = (
            [f.what.noun for f in facts if isinstance(f, Paints)]
            for facts in (pair.premise_facts, pair.hypothesis_facts)
        )
        return set(product(*nouns))  # fmt: skip

    seen = set().union(*(met(pair) for pair in make_pairs(800, difficulty=difficulty)))
    unseen = make_pairs(100, split="unseen pairs", difficulty=difficulty)
    for pair in unseen:
        assert has_unseen_pair(pair.premise_facts, pair.hypothesis_facts)
        assert met(pair) - seen
    # The single nouns did meet others: it is the pair that is new.
    words = {word for pair in make_pairs(800, difficulty=difficulty) for word in (*pair.premise, *pair.hypothesis)}
    known = sum(set(pair.premise) | set(pair.hypothesis) <= words for pair in unseen)
    assert known > 0.9 * len(unseen)


def test_the_same_seed_gives_the_same_pairs(full):
    assert make_pairs(60, difficulty=FULL) == full["train"][:60]
    assert make_pairs(60, difficulty=FULL, seed=1) != full["train"][:60]


def test_all_phenomena_and_lengths_occur(full):
    pairs = full["train"]
    found = Counter(name for pair in pairs for name in pair.phenomena)
    assert set(found) == set(PHENOMENON_NAMES) and min(found.values()) >= 5
    lengths = [len(pair.premise) for pair in pairs]
    assert min(lengths) <= 6 and max(lengths) >= 40
    assert {pair.clauses for pair in pairs} == set(range(1, 7)) and {pair.facts for pair in pairs} == {1, 2}
    assert max(len(p.premise) for p in make_pairs(30, difficulty=replace(FULL, clauses=(8, 8)))) > 45


def test_phenomena_can_be_switched_one_by_one():
    telling = {"colours": "colour", "sizes": "size", "numbers": "number", "negation": "negation",
               "relations": "relation", "chains": "chain", "quantifiers": "quantifier", "passive": "voice"}  # fmt: skip
    for phenomenon in PHENOMENA:
        names = ("relations", "chains") if phenomenon == "chains" else (phenomenon,)
        difficulty = Difficulty((3, 3), (1, 1), EASY.kinds, names)
        found = {name for pair in make_pairs(60, difficulty=difficulty) for name in pair.phenomena}
        assert telling[phenomenon] in found
        assert not {telling[other] for other in PHENOMENA if other not in names} & found - {"negation"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"clauses": (0, 2)}, "clauses"),
        ({"clauses": (1, 4), "children": 5}, "clauses"),
        ({"children": 3}, "children"),
        ({"temptation": 1.5}, "temptation"),
        ({"clauses": (3, 2)}, "clauses"),
        ({"facts": (1, 3)}, "facts"),
        ({"clauses": (1, 1), "facts": (2, 2)}, "facts"),
        ({"phenomena": ("irony",)}, "irony"),
        ({"phenomena": ("chains",)}, "relations"),
        ({"kinds": ("dog", "unicorn", "owl", "car")}, "unicorn"),
        ({"words": (9, 5)}, "words"),
    ],
)
def test_difficulties_that_cannot_be(options, message):
    with pytest.raises(ValueError, match=message):
        Difficulty(**options)


def test_arguments_out_of_range():
    for options, message in (
        ({"count": 0}, "count=0"),
        ({"count": 5, "split": "dev"}, "dev"),
        ({"count": 5, "split": "unseen pairs", "difficulty": Difficulty(phenomena=())}, "no unseen pairs"),
        ({"count": 5, "difficulty": Difficulty((1, 1), phenomena=(), words=(30, 60))}, "widen words"),
    ):
        with pytest.raises(ValueError, match=message):
            make_pairs(**options)


# By number of facts and of clauses


CELLS = {(1, 1), (1, 2), (1, 3), (1, 4), (2, 2), (2, 3), (2, 4)}


@pytest.fixture(scope="module")
def by_facts():
    return {split: make_pairs_by_facts(count, split=split, difficulty=EASY) for split, count in
            {"train": 900, "test": 450, "unseen pairs": 60}.items()}  # fmt: skip


def test_each_number_of_facts_and_clauses_has_as_many_pairs_of_every_label(by_facts):
    for cells in (*by_facts.values(), make_pairs_by_facts(60, difficulty=FULL)):
        assert set(cells) == CELLS and len({len(pairs) for pairs in cells.values()}) == 1
        for (facts, clauses), pairs in cells.items():
            assert {(pair.facts, pair.clauses) for pair in pairs} == {(facts, clauses)}
            assert {(len(pair.hypothesis_facts), len(pair.clause_spans)) for pair in pairs} == {(facts, clauses)}
            assert Counter(pair.label for pair in pairs) == dict.fromkeys(LABELS, len(pairs) // 3)
    (pairs,) = make_pairs_by_facts(30, facts=[2], clauses=[8], difficulty=FULL).values()
    assert {pair.clauses for pair in pairs} == {8} and max(len(pair.premise) for pair in pairs) > 50


def test_the_hypothesis_alone_says_nothing_whatever_the_number_of_facts_and_clauses(by_facts, easy):
    train, test = ([pair for pairs in by_facts[split].values() for pair in pairs] for split in ("train", "test"))
    by_number = {facts: [pair for pair in test if pair.facts == facts] for facts in (1, 2)}
    data = replace(easy, train=train, test={"all": test, **by_number})
    accuracies = baseline_accuracies("hypothesis only", data)
    # 3150 pairs: one standard error is 0.8 points; of the 1350 or 1800 of a number of facts it is 1.2.
    assert all(abs(accuracy - 1 / 3) < 0.03 for accuracy in accuracies.values()), accuracies


def test_each_fact_is_aligned_with_the_clause_about_its_child(by_facts):
    for pair in (pair for cells in by_facts.values() for pairs in cells.values() for pair in pairs):
        knowledge, labels = Knowledge(pair.premise_facts), []
        for fact, clauses in zip(pair.hypothesis_facts, pair.fact_clauses, strict=True):
            (clause,) = clauses  # of this world; a relation or "every child" rests on none or on several
            assert pair.premise_facts[clause].who == fact.who
            start, end = pair.clause_spans[clause]
            assert fact.who in pair.premise[start:end]
            labels.append(Knowledge([pair.premise_facts[clause]]).judge(fact))
            assert labels[-1] == knowledge.judge(fact)
        assert pair.label == next((x for x in ("contradiction", "neutral") if x in labels), "entailment")
        assert set().union(*pair.fact_clauses) == set().union(*pair.clause_alignment)


def test_alignment_of_facts_with_several_clauses_with_none_and_of_real_pairs(full):
    pair = read_pair("anna paints dogs , ben paints owls , carl paints above ben", "ben paints below carl")
    assert pair.fact_clauses == (frozenset({2}),)
    pair = read_pair("anna paints dogs and carl paints dogs", "carl paints dogs and anna paints to the left of carl")
    assert pair.fact_clauses == (frozenset({1}), frozenset()) and pair.facts == 2
    pair = read_pair("anna paints dogs , ben paints cars , carl paints owls", "some child paints animals")
    assert pair.fact_clauses == (frozenset({0, 2}),)
    for pair in full["train"]:
        assert len(pair.fact_clauses) == pair.facts
        assert set().union(*pair.fact_clauses) == set().union(*pair.clause_alignment)
    real = real_pair("A man and a dog sleep.", "A dog and a man sleep.", "entailment")
    assert real.facts == 0 and real.fact_clauses == ()


def test_pairs_by_facts_are_those_of_the_difficulty_and_new_for_each_seed(by_facts):
    again = make_pairs_by_facts(60, facts=(2,), clauses=(3, 1), difficulty=EASY)
    assert list(again) == [(2, 3)] and again[2, 3] == by_facts["train"][2, 3][:60]
    assert again[2, 3] == make_pairs(60, difficulty=replace(EASY, facts=(2, 2), clauses=(3, 3)))
    other = make_pairs_by_facts(60, facts=(2,), clauses=(3,), seed=1, difficulty=EASY)[2, 3]
    assert not set(other) & set(again[2, 3])
    hypotheses = {split: {p.hypothesis for ps in cells.values() for p in ps} for split, cells in by_facts.items()}
    assert not hypotheses["train"] & hypotheses["test"] and not hypotheses["train"] & hypotheses["unseen pairs"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"facts": (2,), "clauses": (1,)}, "not below one of facts"),
        ({"facts": ()}, r"facts=\(\)"),
        ({"facts": (3,)}, r"facts=\(3, 3\)"),
        ({"clauses": (1, 11)}, r"clauses=\(11, 11\)"),
        ({"split": "dev"}, "dev"),
    ],
)
def test_pairs_by_facts_that_cannot_be(options, message):
    with pytest.raises(ValueError, match=message):
        make_pairs_by_facts(3, **options)


def test_training_on_one_number_of_facts_needs_no_renaming():
    data = synthetic_inference_data(replace(EASY, facts=(1, 1), clauses=(3, 3)), 60, 30)
    assert {(pair.facts, pair.clauses) for pair in data.train} == {(1, 3)}
    batches = [next(data.fresh_batches(30, seed, count=30)(0)) for seed in (0, 0, 1)]
    assert torch.equal(batches[0].premise, batches[1].premise)
    assert batches[0].premise.shape != batches[2].premise.shape or not batches[0].premise.equal(batches[2].premise)
    assert Counter(batches[0].label.tolist()) == {0: 10, 1: 10, 2: 10}


@pytest.mark.parametrize(
    ("difficulty", "split", "digest"),
    [
        (EASY, "train", "3019a7eefda1f140"),
        (WIDE, "test", "3cc22c0f4982fa4c"),
        (FULL, "unseen pairs", "e62e3ae7431e2d9e"),
    ],
)
def test_pairs_are_those_of_the_results_and_checkpoints(difficulty, split, digest):
    """A changed pair means that every result of the lesson has to be made again."""
    pairs = make_pairs(200, split=split, difficulty=difficulty)
    shown = [
        repr((p.premise, p.hypothesis, p.label, p.premise_facts, p.hypothesis_facts, p.clause_spans, p.phenomena,
              [sorted(links) for links in p.alignment], [sorted(links) for links in p.clause_alignment]))
        for p in pairs
    ]  # fmt: skip
    assert hashlib.sha256("\n".join(shown).encode()).hexdigest()[:16] == digest


# In batches


def test_batches_hold_every_pair_once(easy):
    batches = list(easy.batches(64, seed=0)(0))
    assert sum(len(batch.label) for batch in batches) == len(easy.train)
    batch = batches[0]
    assert batch.premise.shape == batch.premise_mask.shape and batch.hypothesis.shape == batch.hypothesis_mask.shape
    assert batch.premise_mask.any(dim=1).all() and not (batch.premise_mask[:, 1:] & ~batch.premise_mask[:, :-1]).any()
    spread = [int(b.premise_mask.sum(1).max() - b.premise_mask.sum(1).min()) for b in batches]
    assert sum(spread) / len(spread) < 4
    decoded = {
        (tuple(easy.vocabulary.decode(p[m])), tuple(easy.vocabulary.decode(h[n])), LABELS[label])
        for batch in batches
        for p, m, h, n, label in zip(*vars(batch).values(), strict=True)
    }
    assert decoded == {(pair.premise, pair.hypothesis, pair.label) for pair in easy.train}
    other = next(easy.batches(64, seed=0)(1))
    assert other.premise.shape != batch.premise.shape or not torch.equal(other.premise, batch.premise)


def test_scoring_batches_keep_the_order(easy):
    labels = torch.cat([batch.label for batch in easy.ordered_batches(easy.validation, 90)])
    assert [LABELS[label] for label in labels] == [pair.label for pair in easy.validation]


def test_fresh_batches_are_new_pairs_of_the_training_split(easy):
    first, second = ([easy.vocabulary.decode(b.hypothesis[0][b.hypothesis_mask[0]]) for b in
                      easy.fresh_batches(20, 0, count=40)(epoch)] for epoch in (0, 1))  # fmt: skip
    assert first != second and all(split_of(words) == "train" for words in (*first, *second))


@pytest.mark.parametrize("difficulty", [EASY, FULL])
def test_children_and_colours_can_change_places_without_a_change_of_the_label(difficulty):
    data = synthetic_inference_data(difficulty, 200, 20)
    before = data.collate(data.encode(data.train))
    after = data.renamed(before, torch.Generator().manual_seed(1))
    assert torch.equal(before.label, after.label) and torch.equal(before.premise_mask, after.premise_mask)
    changed = before.premise != after.premise
    names, colours = (set(data.vocabulary.encode(words)) for words in (difficulty.names, tuple(COLOURS)))
    for ids in (before.premise[changed], after.premise[changed]):
        assert set(ids.tolist()) == names | colours
    for premise, hypothesis, label in zip(after.premise, after.hypothesis, after.label, strict=True):
        pair = read_pair(*(" ".join(data.vocabulary.decode(ids[ids != PAD])) for ids in (premise, hypothesis)))
        assert pair.label == LABELS[label]
    assert changed.any(dim=1).sum() > 150
    epochs = [next(data.batches(200, 0, rename=True)(epoch)) for epoch in (0, 0, 1)]
    assert torch.equal(epochs[0].premise, epochs[1].premise) and not torch.equal(epochs[0].premise, epochs[2].premise)


def test_every_word_is_known_and_more_clauses_are_more(easy):
    assert all(not easy.vocabulary.unknown_words((*pair.premise, *pair.hypothesis)) for pair in easy.examples)
    assert set(easy.test) == {"test", "unseen pairs", "more clauses"}
    assert min(pair.clauses for pair in easy.test["more clauses"]) > max(pair.clauses for pair in easy.train)


# SNLI


@needs_snli
def test_snli_development_pairs(monkeypatch):
    monkeypatch.setenv("WHERE_TO_LOOK_DATA", str(STAGED))
    if (STAGED / "snli").is_dir():
        pytest.skip("all of SNLI is staged; this test is about the development pairs")
    data = snli_data()
    assert data.name == "snli_dev" and data.difficulty is None and "SNLI" in data.credit
    rows = [load_snli("snli_dev", split) for split in REAL_SPLITS]
    assert sum(map(len, rows)) == 9842 and len(data.train) == len(rows[0]) > 7500
    premises = [{pair.premise for pair in part} for part in rows]
    assert not premises[0] & premises[1] and not premises[0] & premises[2] and not premises[1] & premises[2]
    counts = Counter(pair.label for pair in data.train)
    assert all(0.3 < counts[label] / len(data.train) < 0.37 for label in LABELS)
    first = data.train[0]
    assert first.premise[0].islower() and first.alignment == (frozenset(),) * len(first.hypothesis)
    with pytest.raises(ValueError, match="no fresh examples"):
        data.fresh_batches(4, 0)
    with pytest.raises(ValueError, match="snli_dev has no words that can change places"):
        data.batches(4, 0, rename=True)


@needs_snli
def test_the_label_numbers_of_snli_mean_what_we_take_them_for(monkeypatch):
    monkeypatch.setenv("WHERE_TO_LOOK_DATA", str(STAGED))
    pairs = load_snli("snli_dev", "train")
    asleep = Counter(pair.label for pair in pairs if "sleeping" in pair.hypothesis)
    assert asleep["contradiction"] > asleep["entailment"] + asleep["neutral"]


def test_without_staged_data_the_name_is_that_of_the_hub(monkeypatch):
    asked = []
    monkeypatch.delenv("WHERE_TO_LOOK_DATA", raising=False)
    monkeypatch.setattr(
        inference_data, "load_snli", lambda *which: asked.append(which) or [real_pair("a", "a", "neutral")]
    )
    assert snli_data().name == "snli" and asked == [("snli", split) for split in REAL_SPLITS]


def test_kinds_of_the_small_world_exist():
    assert set(EASY.kinds) <= set(KINDS) and len(EASY.unseen_below) >= 4
