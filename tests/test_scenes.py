"""Scenes: facts, images, captions and their reader, the cache, checked by rules written apart from them."""

import hashlib
import math
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from itertools import combinations, permutations
from random import Random

import numpy as np
import pytest
import torch

from course_utils.data.scenes import data as data_module
from course_utils.data.scenes import scenes as scenes_module
from course_utils.data.scenes.captions import caption_words, make_captions
from course_utils.data.scenes.data import beside_each_other, image_path, scene_data, scenes_and_images
from course_utils.data.scenes.drawing import draw_image, draw_images
from course_utils.data.scenes.layouts import PLACES, direction, fact_holds
from course_utils.data.scenes.reading import caption_problems, read_caption, sort_of_problem
from course_utils.data.scenes.scenes import BLOCKS, SPLITS, Background, Group, Scene, draw_facts, make_scenes, split_of
from course_utils.data.scenes.sprites import CREDIT, sprite, sprite_size
from course_utils.data.text import BEGIN, END, PAD
from course_utils.data.words_of_things import CLASSES, COLOURS, KINDS, LAYOUTS, article, hypernyms, is_a, noun_phrase
from course_utils.data.words_of_things import plural as plural_of

PLAIN = Background("plain", ((200, 200, 200), (200, 200, 200)), 0)


# Written out by hand: the singular and plural of every kind, and the words that a caption may put before a noun.
SINGULARS = """dog fox pig rabbit panda elephant mouse whale owl parrot flamingo bee ladybug butterfly frog
    turtle apple banana pear strawberry lemon cherry carrot eggplant cake hamburger palm sunflower rose cactus car
    bicycle tractor rocket airplane hat shirt dress guitar drum trumpet sofa chair kite balloon house tent umbrella"""
PLURALS = """dogs foxes pigs rabbits pandas elephants mice whales owls parrots flamingos bees ladybugs
    butterflies frogs turtles apples bananas pears strawberries lemons cherries carrots eggplants cakes hamburgers palms
    sunflowers roses cacti cars bicycles tractors rockets airplanes hats shirts dresses guitars drums trumpets sofas
    chairs kites balloons houses tents umbrellas"""
PLURALS = dict(zip(SINGULARS.split(), PLURALS.split(), strict=True))
NUMBERS = {1: "a", 2: "two", 3: "three"}
WHERE = {"left": "on the left", "right": "on the right", "top": "at the top", "bottom": "at the bottom",
         "middle": "in the middle"}  # fmt: skip
WHERE |= {corner: f"in the {corner} corner" for corner in ("top left", "top right", "bottom left", "bottom right")}
POINT = {"top left": (0, 2), "top": (1, 2), "top right": (2, 2), "left": (0, 1), "middle": (1, 1), "right": (2, 1),
         "bottom left": (0, 0), "bottom": (1, 0), "bottom right": (2, 0)}  # fmt: skip
ARRANGEMENTS = {
    2: [("left", "right"), ("top", "bottom"), ("top left", "bottom right"), ("top right", "bottom left")],
    3: [("left", "middle", "right"), ("top", "middle", "bottom"),
        ("top", "bottom left", "bottom right"), ("bottom", "top left", "top right"),
        ("left", "top right", "bottom right"), ("right", "top left", "bottom left"),
        *combinations(("top left", "top right", "bottom left", "bottom right"), 3)],
    4: [("top left", "top right", "bottom left", "bottom right")],
}  # fmt: skip


def oracle_direction(first, second):
    """By angle: a sector of the compass, the four corners being exact diagonals."""
    across, up = (a - b for a, b in zip(POINT[first], POINT[second], strict=True))
    angle = math.degrees(math.atan2(up, across)) % 360
    if angle % 90 == 45:
        return ["above and to the right of", "above and to the left of",
                "below and to the left of", "below and to the right of"][int(angle // 90)]  # fmt: skip
    return ["to the right of", "above", "to the left of", "below"][round(angle / 90) % 4]


def say(group):
    """A noun phrase, spelled by this file's own table."""
    noun = group.kind if group.count == 1 else PLURALS[group.kind]
    return " ".join(filter(None, [NUMBERS[group.count], group.size, group.colour, noun]))


def is_exact(scene, words):
    return not caption_problems(scene, words)


def pair_is_seen(first, second):
    """Whether two kinds may meet in training: the kinds are dealt out to blocks."""
    one, other = (list(KINDS).index(kind) % 8 for kind in (first, second))
    return one != other


def pairs_of(some):
    return {frozenset((a.kind, b.kind)) for scene in some for a, b in combinations(scene.groups, 2)}


def scene_of(*groups):
    return Scene(tuple(groups), PLAIN)


DOG, CARS = Group("dog", 1, "small", None, "left"), Group("car", 2, "big", "red", "right")


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def scenes():
    return {split: make_scenes(400, split=split, seed=3) for split in SPLITS}


@pytest.fixture(scope="module")
def captioned(scenes):
    return [(scene, make_captions(scene)) for split in SPLITS for scene in scenes[split][:150]]


# Kinds and English


def test_the_table_of_kinds():
    assert {name: kind.plural for name, kind in KINDS.items()} == PLURALS and len(KINDS) >= 40
    assert len({kind.glyph for kind in KINDS.values()}) == len(KINDS)
    assert len(set(map(len, BLOCKS))) == 1
    assert plural_of("mouse") == "mice" and plural_of("aircraft") == "aircraft" and plural_of("animal") == "animals"
    with pytest.raises(KeyError, match="'unicorn' is no kind or class"):
        plural_of("unicorn")
    assert hypernyms("dog") == ("mammal", "animal") and hypernyms("apple") == ("fruit", "food")
    assert hypernyms("frog") == ("amphibian", "animal") and hypernyms("house") == ("building",)
    for pair in ("whale mammal", "rose plant", "airplane vehicle", "bird animal", "bee bee"):
        assert is_a(*pair.split()), pair
    for pair in ("animal dog", "whale reptile", "apple vegetable", "dog fox", "cactus tree"):
        assert not is_a(*pair.split()), pair
    used = {name for kind in KINDS for name in hypernyms(kind)}
    assert used == set(CLASSES), "every class has members and every chain stays in the table"


def test_articles_and_phrases():
    assert [article(word) for word in ("owl", "elephant", "animal", "umbrella", "instrument")] == ["an"] * 5
    assert [article(word) for word in ("dog", "small", "big", "blue", "yellow", "house")] == ["a"] * 6
    assert " ".join(noun_phrase("owl", 1)) == "an owl" and " ".join(noun_phrase("owl", 1, "big")) == "a big owl"
    assert " ".join(noun_phrase("car", 3, "small", "blue")) == "three small blue cars"
    assert " ".join(noun_phrase("mouse", 2, definite=True)) == "the mice"
    for arguments, message in [(("dog", 4), "count=4"), (("dog", 1, "huge"), "size='huge'"),
                               (("car", 1, "big", "pink"), "colour='pink'"), (("cat", 2), "no kind")]:  # fmt: skip
        with pytest.raises((ValueError, KeyError), match=message):
            noun_phrase(*arguments)


def check_grammar(words, nouns):
    """Articles, numbers and verbs of one caption."""
    ends = dict(nouns)
    assert set(ends) == {index for index, word in enumerate(words) if word in {*PLURALS, *PLURALS.values()}}
    starts = {end: max(i for i in range(end) if words[i] in ("the", "two", "three", "a", "an")) for end in ends}
    bounds = {start: end for end, start in starts.items()}
    is_plural = {end: words[end] in PLURALS.values() for end in ends}
    for start, end in bounds.items():
        assert is_plural[end] or words[start] not in ("two", "three"), words
        if words[start] in ("a", "an"):
            assert not is_plural[end] and (words[start] == "an") == (words[start + 1][0] in "aeiou"), words
        attributes = list(words[start + 1 : end])
        assert [word for word in ("small", "big", *COLOURS) if word in attributes] == attributes, words
    for index, word in enumerate(words):
        if word not in ("is", "are"):
            continue
        if words[index - 1] == "which":
            several = is_plural[index - 3]
        elif index - 1 in ends:
            start = max(begin for begin in bounds if begin < index)
            joined = start > 1 and words[start - 1] == "and" and words[start - 2] != ","
            several = (joined or is_plural[index - 1]) if index + 1 not in bounds else is_plural[bounds[index + 1]]
        else:
            several = is_plural[bounds[index + 1]]
        assert word == ("are" if several else "is"), " ".join(words)


def test_captions_are_grammatical(captioned):
    verbs = Counter()
    for _, captions in captioned:
        for caption in captions:
            check_grammar(caption.words, caption.nouns)
            verbs.update(word for word in caption.words if word in ("is", "are", "a", "which", "between", "from"))
    assert len(verbs) == 6 and min(verbs.values()) > 20, verbs
    listed = caption_words()
    assert listed == sorted(set(listed))
    used = {word for _, captions in captioned for caption in captions for word in caption.words}
    assert used == set(listed)


# Facts and splits


def test_scenes_are_as_promised(scenes):
    for split, some in scenes.items():
        assert Counter(len(scene.groups) for scene in some).keys() == {2, 3, 4}
        for scene in some:
            assert len({group.kind for group in scene.groups}) == len(scene.groups)
            assert tuple(sorted(scene.places)) in {tuple(sorted(x)) for x in ARRANGEMENTS[len(scene.groups)]}
            for group in scene.groups:
                assert 1 <= group.count <= 3 and group.count == len(group.boxes) and group.size in ("small", "big")
                assert (group.colour in COLOURS) == KINDS[group.kind].painted
        assert len({scene.key for scene in some}) == len(some), split
    groups = [group for some in scenes.values() for scene in some for group in scene.groups]
    for attribute, values in (("count", 3), ("size", 2), ("place", 9), ("kind", len(KINDS))):
        assert len(Counter(getattr(group, attribute) for group in groups)) == values


def test_layouts_and_directions_against_the_compass():
    assert {n: {frozenset(x) for x in layouts} for n, layouts in LAYOUTS.items()} == {
        n: {frozenset(x) for x in layouts} for n, layouts in ARRANGEMENTS.items()
    }
    spoken = {"left": "to the left of", "right": "to the right of", "above": "above", "below": "below"}
    spoken |= {f"{v} {h}": f"{v} and {spoken[h]}" for v in ("above", "below") for h in ("left", "right")}
    for first, second in permutations(PLACES, 2):
        assert spoken[direction(first, second)] == oracle_direction(first, second), (first, second)
    for middle, first, last in permutations(PLACES, 3):
        half = [(a + b) / 2 for a, b in zip(POINT[first], POINT[last], strict=True)]
        between = fact_holds((0, "between", 1, 2), (middle, first, last))
        assert between == (tuple(half) == POINT[middle])
    with pytest.raises(ValueError, match="both places are 'top'"):
        direction("top", "top")


def test_boxes_lie_where_the_caption_says(scenes):
    for some in scenes.values():
        for scene in some:
            centre = {}
            for group in scene.groups:
                middles = [((x + r) / 2 / scene.canvas, (y + b) / 2 / scene.canvas) for x, y, r, b in group.boxes]
                centre[group.place] = np.mean(middles, axis=0)
                column, row = PLACES[group.place]
                near = np.array([(0.25, 0.5, 0.75)[column], (0.25, 0.5, 0.75)[row]])
                assert np.abs(centre[group.place] - near).max() < 0.2, (scene.key, group.place, centre)
            for first, second in combinations(centre, 2):
                across, down = centre[first] - centre[second]
                towards = direction(first, second)
                gap = {"left": -across, "right": across, "above": -down, "below": down}
                assert all(gap[word] > 0.15 for word in towards.split()), (scene.key, first, second)
                if " " not in towards:  # a straight direction is the longer distance in the image too
                    assert gap[towards] == max(abs(across), abs(down)), (scene.key, first, second)


def test_splits_never_share_facts_or_captions():
    facts, texts = {}, {}
    for split in SPLITS:
        several = [scene for seed in (0, 1) for scene in make_scenes(150, split=split, seed=seed, groups=(2, 3))]
        assert all(split_of(scene.groups) == split for scene in several)
        facts[split] = {hashlib.sha256(scene.key.encode()).hexdigest() for scene in several}
        texts[split] = {" ".join(c.words) for scene in several for c in make_captions(scene, 3)}
        assert len(facts[split]) > 250
    for first, second in combinations(SPLITS, 2):
        assert not facts[first] & facts[second] and not texts[first] & texts[second]


def test_the_hash_shares_scenes_out_eight_one_one_whatever_the_order_of_their_groups():
    random = Random(0)
    facts = [draw_facts(random, 3) for _ in range(4000)]
    splits = [split_of(groups) for groups in facts]
    counts = Counter(splits)
    assert abs(counts["train"] - 3200) < 150 and abs(counts["test"] - 400) < 100
    assert abs(counts["validation"] - 400) < 100 and not counts["unseen pairs"]
    assert [split_of(groups[::-1]) for groups in facts] == splits
    assert [scene_of(*groups).key for groups in facts] == [scene_of(*groups[::-1]).key for groups in facts]


def test_unseen_pairs_are_never_seen(scenes):
    pairs = {split: pairs_of([*scenes[split], *make_scenes(500, split=split, seed=8)]) for split in SPLITS}
    unseen = pairs.pop("unseen pairs")
    seen = set.union(*pairs.values())
    assert not unseen & seen
    assert len(unseen) > 100 and len(seen) > 900
    for first, second in combinations(KINDS, 2):
        assert pair_is_seen(first, second) == (frozenset((first, second)) not in unseen)
    assert {kind for pair in unseen for kind in pair} == set(KINDS), "every kind is in training and in this test"
    with pytest.raises(ValueError, match="mixes seen and unseen pairs"):
        a, b = next(pair for pair in combinations(KINDS, 2) if not pair_is_seen(*pair))
        c = next(kind for kind in KINDS if pair_is_seen(a, kind))
        split_of([Group(kind, 1, "big", None, "top") for kind in (a, b, c)])


def test_more_scenes_than_there_are_is_an_error(monkeypatch):
    monkeypatch.setattr(scenes_module, "_MOST_IN_VAIN", 1)
    with pytest.raises(ValueError, match=r"'test' has hardly more than \d+ different scenes; ask for fewer"):
        make_scenes(20_000, split="test", groups=(2, 2))


def fingerprint(some):
    digest = hashlib.sha256(repr(some).encode())
    digest.update(repr([make_captions(scene) for scene in some]).encode())
    digest.update(draw_images(some).numpy().tobytes())
    return digest.hexdigest()


def test_a_smaller_count_is_the_beginning_and_another_seed_is_different(scenes):
    assert make_scenes(40, seed=3) == scenes["train"][:40] != make_scenes(40, seed=4)
    captions = make_captions(scenes["train"][0], 8)
    assert len({caption.words for caption in captions}) == 8
    assert make_captions(scenes["train"][0], 2) == captions[:2]
    wide = make_scenes(40, seed=3, canvas=96)
    assert [scene.key for scene in wide] == [scene.key for scene in scenes["train"][:40]]
    assert draw_images(wide[:2]).shape == (2, 3, 96, 96)


# Images


def test_boxes_hold_their_objects_and_are_tight(scenes):
    for scene in scenes["train"][:40] + scenes["unseen pairs"][:20]:
        empty = draw_image(replace(scene, groups=())).astype(int)
        for group in scene.groups:
            for thing in group.objects:
                alone = replace(scene, groups=(replace(group, objects=(thing,)),))
                changed = np.abs(draw_image(alone).astype(int) - empty).max(0) > 0
                rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
                left, top, right, bottom = thing.box
                assert 0 <= left < right <= scene.canvas and 0 <= top < bottom <= scene.canvas
                found = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
                assert found[0] >= left and found[1] >= top and found[2] <= right and found[3] <= bottom
                assert np.abs(np.subtract(found, thing.box)).max() <= 1, (group, found)

    for scene in scenes["test"][:60]:  # and together they hold every pixel that differs from the background
        changed = (draw_image(scene) != draw_image(replace(scene, groups=()))).any(0)
        for group in scene.groups:
            for left, top, right, bottom in group.boxes:
                changed[top:bottom, left:right] = False
        assert not changed.any()


def test_objects_overlap_a_little_and_stay_visible(scenes):
    overlaps = 0
    for scene in scenes["validation"][:200]:
        boxes = [box for group in scene.groups for box in group.boxes]
        front = np.full((scene.canvas, scene.canvas), -1)
        for number, (left, top, right, bottom) in enumerate(boxes):
            front[top:bottom, left:right] = number
        for number, (left, top, right, bottom) in enumerate(boxes):
            free = (front[top:bottom, left:right] == number).mean()
            overlaps += free < 1
            assert free > 0.5, scene.key
    assert overlaps > 50
    longest = {"small": set(), "big": set()}
    for scene in scenes["train"]:
        for group in scene.groups:
            longest[group.size] |= {max(r - x, b - y) for x, y, r, b in group.boxes}
    assert max(longest["small"]) * 1.25 < min(longest["big"]), longest
    assert min(len(lengths) for lengths in longest.values()) > 1, "sizes vary a little"


def test_sprites():
    for kind in KINDS:
        colour = "blue" if KINDS[kind].painted else None
        light, passing = sprite(kind, colour, 18)
        assert light.shape[1:] == passing.shape == sprite_size(kind, 18)[::-1] and max(passing.shape) == 18
        assert (light <= 255.5 * (1 - passing) + 0.01).all() and passing.min() < 0.05
    mean = {}
    for colour in COLOURS:
        light, passing = sprite("balloon", colour, 18)
        mean[colour] = (light.sum((1, 2)) / (1 - passing).sum()).round()
    for first, second in combinations(COLOURS, 2):
        assert np.abs(mean[first] - mean[second]).max() > 40, (first, second)
    red, green, blue = range(3)
    assert mean["red"].argmax() == red and mean["green"].argmax() == green and mean["blue"].argmax() == blue
    mirrored = sprite("guitar", "red", 18, 7, True).light
    plain = sprite("guitar", "red", 18, 7).light
    assert np.array_equal(mirrored[..., ::-1], plain) and not np.array_equal(mirrored, plain)
    assert "CC BY-SA 4.0" in CREDIT and "OpenMoji" in CREDIT


def test_kinds_look_different():
    """The nearest image by plain distance distinguishes the kinds, at both sizes, tilted or not."""
    for longest in (11, 17):
        tiles = {}
        for kind in KINDS:
            for tilt in (0, 7):
                light, passing = sprite(kind, "red" if KINDS[kind].painted else None, longest, tilt)
                tile = np.full((3, 20, 20), 200.0)
                top, left = (20 - passing.shape[0]) // 2, (20 - passing.shape[1]) // 2
                part = tile[:, top : top + passing.shape[0], left : left + passing.shape[1]]
                part[:] = part * passing + light
                tiles[kind, tilt] = tile
        nearest = {kind: min(KINDS, key=lambda other: np.abs(tiles[kind, 7] - tiles[other, 0]).sum()) for kind in KINDS}
        assert sum(kind == other for kind, other in nearest.items()) >= 0.95 * len(KINDS), (longest, nearest)


def test_backgrounds_vary(scenes):
    patterns = Counter(scene.background.pattern for scene in scenes["train"])
    assert len(patterns) == 6 and min(patterns.values()) > 30
    empty = draw_images([replace(scene, groups=()) for scene in scenes["train"][:60]]).float()
    assert empty.mean((1, 2, 3)).std() > 10 and (empty.std((2, 3)).mean(1) > 2).all()
    with pytest.raises(ValueError, match="same shape"):
        draw_images([scenes["train"][0], replace(scenes["train"][0], canvas=96)])


# Captions and their reader


def test_every_noun_has_the_boxes_of_its_group_and_all_captions_are_exact(captioned):
    for scene, captions in captioned:
        assert len(captions) == len({caption.words for caption in captions}) == 5
        for caption in captions:
            boxes = {word: scene.groups[group].boxes for word, group in caption.nouns}
            for index, word in enumerate(caption.words):
                kind = next((g for g in scene.groups if word in (g.kind, PLURALS[g.kind])), None)
                assert boxes.get(index) == (kind.boxes if kind else None)
            assert {group for _, group in caption.nouns} == set(range(len(scene.groups)))
            assert all(f" {say(group)} " in f" {' '.join(caption.words)} " for group in scene.groups)
            assert caption_problems(scene, caption.words) == [], (scene.key, " ".join(caption.words))


def test_captions_of_one_arrangement_are_exact_for_no_other():
    """Brute force over arrangements: the same groups at all places, every caption against every scene."""
    kinds = [("dog", 1, "small", None), ("car", 2, "big", "red"), ("apple", 3, "small", None), ("owl", 1, "big", None)]
    for number, wordings in ((2, 8), (3, 6), (4, 6)):
        worlds = [
            scene_of(*(Group(*kind, place) for kind, place in zip(kinds, places, strict=False)))
            for layout in ARRANGEMENTS[number]
            for places in permutations(layout)
        ]
        assert len(worlds) == {2: 8, 3: 60, 4: 24}[number]
        for mine in worlds:
            for caption in make_captions(mine, wordings):
                fitting = [world for world in worlds if is_exact(world, caption.words)]
                assert fitting == [mine], " ".join(caption.words)


def test_captions_of_one_scene_are_exact_for_no_other():
    """Brute force over what there is: all pairs of small scenes that differ in kind, number, size or colour."""
    dogs = [Group(k, n, s, None, "left") for k in ("dog", "fox") for n in (1, 2, 3) for s in ("small", "big")]
    cars = [Group("car", n, "big", c, "right") for n in (1, 2) for c in ("red", "blue")]
    worlds = [scene_of(dog, car) for dog in dogs for car in cars]
    for mine in worlds:
        for caption in make_captions(mine, 3):
            assert [world for world in worlds if is_exact(world, caption.words)] == [mine], " ".join(caption.words)


def random_facts(random, scene):
    """A caption of random facts, mostly true, and by brute force whether it is exact."""
    groups, clauses, facts, named = scene.groups, [], [], set()
    verb = ["is" if group.count == 1 else "are" for group in groups]

    def name(number):
        full = number not in named
        named.add(number)
        noun = groups[number].kind if groups[number].count == 1 else PLURALS[groups[number].kind]
        return say(groups[number]) if full else f"the {noun}"

    for _ in range(random.randint(1, 4)):
        first, second = random.sample(range(len(groups)), 2)
        if random.random() < 0.4:
            place = groups[first].place if random.random() < 0.9 else random.choice(list(WHERE))
            clauses.append(f"{name(first)} {verb[first]} {WHERE[place]}")
            facts.append(lambda places, a=first, p=place: places[a] == p)
        else:
            towards = oracle_direction(groups[first].place, groups[second].place)
            if random.random() < 0.1:
                towards = random.choice(["above", "below", "to the left of", "above and to the right of"])
            clauses.append(f"{name(first)} {verb[first]} {towards} {name(second)}")
            facts.append(lambda places, a=first, b=second, t=towards: oracle_direction(places[a], places[b]) == t)
    worlds = [places for layout in ARRANGEMENTS[len(groups)] for places in permutations(layout)]
    fitting = [places for places in worlds if all(fact(places) for fact in facts)]
    exact = len(named) == len(groups) and fitting == [scene.places]
    return " , ".join(clauses[:-1]) + (" , and " if clauses[1:] else "") + clauses[-1], exact


def test_random_facts_against_brute_force(scenes):
    random, found = Random(5), Counter()
    for scene in (scenes["train"] + scenes["unseen pairs"]) * 2:
        text, exact = random_facts(random, scene)
        assert is_exact(scene, text.split()) == exact, (scene.key, text, caption_problems(scene, text.split()))
        found[exact, len(scene.groups)] += 1
    assert min(found.values()) > 15 and len(found) == 6, found


def corruptions(scene, words):
    """Ways to make a caption wrong, whatever it says."""
    right = "two three small big left right top bottom above below under is are red yellow green blue purple"
    wrong = "three two big small right left bottom top below above above are is blue green purple red yellow"
    swap = dict(zip(right.split(), wrong.split(), strict=True))
    for index, word in enumerate(words):
        kind = next((kind for kind in PLURALS if word in (kind, PLURALS[kind])), None)
        if kind:
            yield [*words[:index], PLURALS[kind] if word == kind else kind, *words[index + 1 :]]
            other = next(k for k in KINDS if k != kind and KINDS[k].painted == KINDS[kind].painted)
            yield [*words[:index], other if word == kind else PLURALS[other], *words[index + 1 :]]
        elif word in swap:
            yield [*words[:index], swap[word], *words[index + 1 :]]
        if kind or word in ("two", "three", "small", "big", "the", "of", "a", *COLOURS):
            yield [*words[:index], *words[index + 1 :]]
        if word in ("two", "a", "three"):
            yield [*words[:index], "an" if word == "a" else "one", *words[index + 1 :]]
        yield [*words[: index + 1], "<unk>", *words[index + 1 :]]
    yield [*words, "and"]
    yield [*words, "and", "a", "small", "dog"]
    yield [*words, ",", *words]


def test_corrupted_captions_are_never_exact(captioned):
    checked = 0
    for scene, captions in captioned[::20]:
        for caption in captions:
            for words in corruptions(scene, list(caption.words)):
                checked += 1
                assert not is_exact(scene, words), (" ".join(caption.words), " ".join(words))
    assert checked > 8000


def test_swapping_two_groups_in_a_caption_makes_it_wrong(captioned):
    checked = 0
    for scene, captions in captioned[::2]:
        first, second = say(scene.groups[0]), say(scene.groups[1])
        for caption in captions:
            text = " ".join(caption.words)
            if "the " + first.split()[-1] in text or "the " + second.split()[-1] in text or " between " in text:
                continue
            swapped = text.replace(first, "@").replace(second, first).replace("@", second)
            assert not is_exact(scene, swapped.split()), (scene.key, swapped)
            checked += 1
    assert checked > 800


TWO, OWL = scene_of(DOG, CARS), Group("owl", 1, "big", None, "bottom right")
THREE = scene_of(replace(DOG, place="top"), replace(CARS, place="bottom left"), OWL)


@pytest.mark.parametrize(
    ("scene", "text", "problem"),
    [
        (TWO, "a small dog on the left and two big red cars on the right", None),
        (TWO, "on the left is a small dog and on the right there are two big red cars", None),
        (TWO, "there is a small dog to the left of two big red cars", None),
        (TWO, "from right to left we see two big red cars and a small dog", None),
        (TWO, "to the right of a small dog are two big red cars", None),
        (TWO, "a small dog on the left and two big red cars", "does not say where the car"),
        (TWO, "a small dog on the left", "describes the cars 0 times"),
        (TWO, "a small dog is above two big red cars", "not true"),
        (TWO, "a small dog in the top left corner and two big red cars on the right", "not true"),
        (TWO, "two small dogs are to the left of two big red cars", "it says count 2 of the dog"),
        (TWO, "a dog is to the left of two big red cars", "it says size None of the dog"),
        (TWO, "a small dog is to the left of two big cars", "it says colour None of the cars"),
        (TWO, "a small dog is to the left of two big blue cars", "it says colour 'blue'"),
        (TWO, "a small fox is to the left of two big red cars", "which the scene does not have"),
        (TWO, "the dog is to the left of two big red cars", "describes the dog 0 times"),
        (TWO, "a small dog is to the left of two big red cars , and the dogs are on the left", "several"),
        (TWO, "a small dog is to the left of two big red cars , and the car is on the right", "count 1"),
        (TWO, "a small dog is to the left of two big red cars , and the cars are on the right", None),
        (TWO, "a small dog are to the left of two big red cars", "cannot be read"),
        (TWO, "a small dog is to the left of a small dog", "describes the dog 2 times"),
        (TWO, "two big red cars are to the right of the dog , a small dog", None),
        (TWO, "", "cannot be read"),
        (TWO, "a small dog is between two big red cars and a small dog", "describes the dog 2 times"),
        (THREE, "a small dog is above two big red cars , which are to the left of a big owl", "leaves open"),
        (THREE, "a small dog is above two big red cars and a big owl", "leaves open"),
        (THREE, "a small dog is above two big red cars and a big owl is to the right of the cars", "leaves open"),
        (THREE, "a small dog is above two big red cars and a big owl , and the owl is to the right of the cars", None),
        (THREE, "two big red cars and a big owl are under a small dog , and the cars are to the left of the owl", None),
        (THREE, "a small dog is at the top , and under the dog are two big red cars and a big owl", "where the owl"),
        (THREE, "a small dog is between two big red cars in the bottom left corner and a big owl", "not true"),
    ],
)
def test_captions_read_by_hand(scene, text, problem):
    problems = caption_problems(scene, text.split())
    assert (not problems) if problem is None else any(problem in one for one in problems), problems


def test_reading_is_quick_even_where_a_model_repeats_itself():
    started = time.process_time()
    for text in ("a small dog and " * 60, "a small dog is above " * 40, "a small dog , which is above " * 40,
                 "a small dog , a big owl is above a small dog and a big fox and " * 15):  # fmt: skip
        read_caption(text.split())
        read_caption((text + "a small dog").split())
    assert time.process_time() - started < 3
    with pytest.raises(TypeError, match="Split it first"):
        read_caption("a small dog")


# Time, cache, data


def test_a_thousand_scenes_take_at_most_six_seconds():
    started = time.process_time()  # of this process alone, so other work on the machine does not count
    scenes = make_scenes(1000, seed=77)
    draw_images(scenes)
    seconds = time.process_time() - started
    assert seconds < 6, f"1,000 scenes and images took {seconds:.1f} s; 10,000 should take at most 60 s"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("WHERE_TO_LOOK_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


ARGUMENTS = {"count": 60, "split": "test", "seed": 5, "groups": (2, 3), "canvas": 48}


def test_the_cache_gives_back_what_was_drawn(cache, monkeypatch):
    scenes, drawn = scenes_and_images(**ARGUMENTS)
    assert torch.equal(drawn, draw_images(scenes)) and drawn.shape == (60, 3, 48, 48) and drawn.dtype == torch.uint8
    [file] = cache.iterdir()
    assert file == image_path(**ARGUMENTS)
    monkeypatch.setattr(data_module, "draw_images", lambda scenes: pytest.fail("drawn again"))
    assert torch.equal(scenes_and_images(**ARGUMENTS)[1], drawn)
    for name, value in {"count": 61, "split": "train", "seed": 6, "groups": (2, 4), "canvas": 64}.items():
        assert not image_path(**ARGUMENTS | {name: value}).exists()


def test_the_cache_notices_new_sources_and_versions(cache, monkeypatch):
    before = image_path(**ARGUMENTS)
    original = data_module.Path.read_bytes
    for place, name, value in [(data_module, "version", lambda package: "99"),
                               (data_module.Path, "read_bytes", lambda path: original(path) + b"#")]:  # fmt: skip
        with monkeypatch.context() as patch:
            patch.setattr(place, name, value)
            assert image_path(**ARGUMENTS) != before
    assert image_path(**ARGUMENTS) == before
    code = "import sys; from course_utils.data.scenes import drawing; print(*sys.modules)"
    paths = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    modules = subprocess.run([sys.executable, "-c", code], env=paths, capture_output=True, text=True, check=True).stdout
    ours = {name for name in modules.split() if name.startswith("course_utils.data.")} - {"course_utils.data.scenes"}
    assert ours == {f"course_utils.data.{name.replace('/', '.')}" for name in data_module._SOURCES}


def test_a_damaged_file_is_noticed_and_replaced(cache):
    _, drawn = scenes_and_images(**ARGUMENTS)
    other = ARGUMENTS | {"count": 59}
    scenes_and_images(**other)
    path = image_path(**ARGUMENTS)
    whole = path.read_bytes()
    flipped = whole[:-100] + bytes([whole[-100] ^ 1]) + whole[-99:]
    # The last is a whole file, but of other images.
    for content in (whole[: len(whole) // 2], whole[9:], flipped, b"", image_path(**other).read_bytes()):
        path.write_bytes(content)
        with pytest.warns(UserWarning, match="was damaged"):
            assert torch.equal(scenes_and_images(**ARGUMENTS)[1], drawn)
        assert path.read_bytes() == whole


def run_python(code, cache):
    """Start a new Python, with another hash seed, that says "ready" before it runs the code."""
    paths = {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONHASHSEED": "77", "OMP_NUM_THREADS": "1"}
    imports = """
import hashlib, os, signal
from course_utils.data.scenes.data import scenes_and_images
from course_utils.data.scenes.captions import make_captions
print("ready", flush=True)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", imports + code],
        env=os.environ | paths | {"WHERE_TO_LOOK_CACHE": str(cache)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "ready\n", process.communicate()[1]
    return process


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs a system that can kill at once")
def test_a_run_killed_while_writing_leaves_no_broken_cache(cache):
    code = f"""
whole = os.fdopen
class Half:
    def __init__(self, *arguments): self.file = whole(*arguments)
    def __enter__(self): return self
    def __exit__(self, *error): self.file.close()
    def write(self, content):
        self.file.write(content[: len(content) // 2]); self.file.flush(); os.kill(os.getpid(), signal.SIGKILL)
os.fdopen = Half
scenes_and_images(**{ARGUMENTS!r})
"""
    killed = run_python(code, cache)
    _, errors = killed.communicate(timeout=60)
    assert killed.returncode == -signal.SIGKILL, errors
    [half] = [path for path in cache.iterdir() if path.suffix != ".lock"]
    assert half.name.startswith(".") and half.stat().st_size > 100_000
    scenes, images = scenes_and_images(**ARGUMENTS)
    assert torch.equal(images, draw_images(scenes)) and image_path(**ARGUMENTS).is_file()
    assert half.exists(), "it might be another process at work"
    os.utime(half, (time.time() - 7200,) * 2)
    scenes_and_images(**ARGUMENTS | {"count": 3})
    assert not half.exists()


def test_two_processes_at_once_get_the_same(cache):
    code = f"""
scenes, images = scenes_and_images(**{ARGUMENTS!r})
digest = hashlib.sha256(repr(scenes).encode())
digest.update(repr([make_captions(scene) for scene in scenes]).encode())
digest.update(images.numpy().tobytes())
print(digest.hexdigest())
"""
    other = run_python(code, cache)  # from "ready" on, both are at work
    scenes, images = scenes_and_images(**ARGUMENTS)
    output, errors = other.communicate(timeout=60)
    assert other.returncode == 0 and "damaged" not in errors, errors
    assert output.strip() == fingerprint(scenes) and torch.equal(images, draw_images(scenes))
    assert list(cache.iterdir()) == [image_path(**ARGUMENTS)]
    assert torch.equal(scenes_and_images(**ARGUMENTS)[1], images)


def test_without_a_cache_the_lesson_goes_on(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("WHERE_TO_LOOK_CACHE", str(tmp_path / "file"))
    with pytest.warns(UserWarning, match="cannot be used.*set WHERE_TO_LOOK_CACHE to a folder"):
        scenes, images = scenes_and_images(**ARGUMENTS)
    assert torch.equal(images, draw_images(scenes))


def test_the_cache_does_not_grow_without_end(cache, monkeypatch):
    paths = []
    for seed in range(4):
        if seed == 3:
            scenes_and_images(**ARGUMENTS | {"seed": 0})  # used again just now
            monkeypatch.setattr(data_module, "LARGEST_CACHE_BYTES", 2 * paths[0].stat().st_size + 1000)
        arguments = ARGUMENTS | {"seed": seed}
        scenes_and_images(**arguments)
        paths.append(image_path(**arguments))
        os.utime(paths[-1], (time.time() - 100 + seed,) * 2)
    assert [path.exists() for path in paths] == [True, False, False, True]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WHERE_TO_LOOK_CACHE", str(tmp_path_factory.mktemp("cache")))
        return scene_data(120, 20)


def test_data_for_training(data):
    assert len(data.train) == 120 and all(example.image.shape == (3, 64, 64) for example in data.train)
    assert data.vocabulary.words[4:] == tuple(caption_words()) and data.credit == CREDIT
    for example in data.train + data.validation:
        assert list(example.captions) == make_captions(example.scene)
        assert all("<unk>" not in data.vocabulary.decode(data.vocabulary.encode(c.words)) for c in example.captions)
    keys = [{e.scene.key for e in examples} for examples in (data.train, data.validation, *data.test.values())]
    assert list(data.test) == ["test", "unseen pairs"] and sum(map(len, keys)) == len(set.union(*keys)) == 180


def test_batches_pair_images_with_their_captions(data):
    by_image = {
        example.image.numpy().tobytes(): [data.vocabulary.encode(caption.words) for caption in example.captions]
        for example in data.train
    }
    seen, used = [], set()
    for batch in data.batches(32, seed=0)(0):
        assert batch.images.dtype == torch.uint8 and len(batch.images) <= 32
        assert (batch.target_input[:, 0] == BEGIN).all() and batch.target_input.shape == batch.target_output.shape
        for image, given, said, mask in zip(*vars(batch).values(), strict=True):
            length = int(mask.sum())
            ids = said[: length - 1].tolist()
            assert said[length - 1] == END and (said[length:] == PAD).all() and given[1:length].tolist() == ids
            assert ids in by_image[image.numpy().tobytes()]
            seen.append(image.numpy().tobytes())
            used.add(by_image[seen[-1]].index(ids))
    assert sorted(seen) == sorted(by_image) and used == {0, 1, 2, 3, 4}
    first, again, *others = (next(iter(data.batches(32, seed)(epoch))).target_output.tolist()
                             for seed, epoch in ((0, 0), (0, 0), (0, 1), (1, 0)))  # fmt: skip
    assert first == again and first not in others
    held_out = list(data.ordered_batches(data.validation, 8))
    assert [len(batch) for batch in held_out] == [8, 8, 4]
    assert torch.equal(torch.cat([b.images for b in held_out]), torch.stack([e.image for e in data.validation]))


def test_batches_do_not_tell_how_long_their_captions_are(data):
    """Sorted by length, a batch would show a batch normalisation how many groups its scenes have."""
    lengths = [batch.target_mask.sum(dim=1).float() for epoch in range(8) for batch in data.batches(8, 0)(epoch)]
    lengths = [row for row in lengths if len(row) == 8]
    within = torch.stack([row.var() for row in lengths]).mean()
    assert within > 0.8 * torch.cat(lengths).var()


def test_fresh_batches_bring_new_training_scenes(data):
    def images(epoch):
        return {p.numpy().tobytes() for batch in data.fresh_batches(16, 0, count=40)(epoch) for p in batch.images}

    first, second = images(0), images(1)
    assert len(first) == len(second) == 40 and not first & second and first == images(0)
    batch = next(data.fresh_batches(16, 0, count=40)(0))
    scenes = make_scenes(40, seed=1_000_000)
    for image, said, mask in zip(batch.images, batch.target_output, batch.target_mask, strict=True):
        scene = next(s for s in scenes if torch.equal(image, draw_images([s])[0]))
        assert is_exact(scene, data.vocabulary.decode(said[mask].tolist())[:-1])


def test_examples_know_their_gold(data):
    for example in data.examples:
        assert torch.equal(example.image, draw_images([example.scene])[0])
        assert len(set(example.references)) == 5 and example.references[2].split() == list(example.captions[2].words)
        assert all(example.problems(caption.words) == [] for caption in example.captions)
        assert example.problems(example.captions[0].words[:-1])
        named = dict(example.captions[1].nouns)
        assert example.boxes(1) == {word: example.scene.groups[named[word]].boxes for word in named} != {}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"count": 0}, "count=0: expected at least 1"),
        ({"count": 1, "split": "dev"}, "split='dev': expected one of"),
        ({"count": 1, "groups": (1, 2)}, r"groups=\(1, 2\): expected"),
        ({"count": 1, "groups": (4, 3)}, r"groups=\(4, 3\): expected"),
        ({"count": 1, "canvas": 16}, "canvas=16: expected"),
    ],
)
def test_errors_say_what_to_do(arguments, message):
    with pytest.raises(ValueError, match=message):
        make_scenes(**arguments)
    with pytest.raises(ValueError, match="count=9"):
        make_captions(scene_of(DOG, CARS), 9)


def test_two_kinds_beside_each_other_are_described_like_any_scene():
    example = beside_each_other("owl", "car", 3, seed=2)
    assert [(group.kind, group.count) for group in example.scene.groups] == [("owl", 3), ("car", 1)]
    assert example.problems(example.words(2)) == []
    again, other = beside_each_other("owl", "car", 3, seed=2), beside_each_other("owl", "car", 3, seed=3)
    assert torch.equal(example.image, again.image) and not torch.equal(example.image, other.image)
    for bad in (("owl", "owl", 1), ("owl", "unicorn", 1), ("owl", "car", 4)):
        with pytest.raises(ValueError, match="expected"):
            beside_each_other(*bad)


def test_every_problem_is_of_a_sort():
    scene = beside_each_other("owl", "car", 3).scene
    said = " ".join(beside_each_other("owl", "car", 3).words(0))
    colour = scene.groups[1].colour
    swaps = {
        "object": ("owls", "frogs"),
        "count": ("three", "two"),
        "size": ("big", "small"),
        "place": ("left", "right"),
    }
    wrong = {"words": "owl the"} | {sort: said.replace(*swap) for sort, swap in swaps.items()}
    wrong["colour"] = said.replace(colour, "blue" if colour != "blue" else "red")
    for sort, text in wrong.items():
        assert text != said, sort
        assert sort_of_problem(caption_problems(scene, text.split())[0]) == sort, (text, sort)
    with pytest.raises(ValueError, match="expected a sentence"):
        sort_of_problem("it is nice")
