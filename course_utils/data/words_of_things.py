"""The words that scenes, inference pairs and reports share: kinds and classes, colours, sizes, numbers, places."""

import hashlib
from collections.abc import Sequence
from random import Random
from typing import Any, NamedTuple

COLOURS = {"red": (214, 60, 50), "yellow": (246, 205, 40), "green": (92, 172, 62), "blue": (62, 130, 214),
           "purple": (150, 92, 190)}  # fmt: skip
"""Colour words and the red, green and blue (0 to 255) that painted kinds are filled with."""


class Kind(NamedTuple):
    """One kind of object."""

    name: str  # English noun, singular, one word
    plural: str
    glyph: str  # the character that the OpenMoji font draws for it
    parent: str  # the nearest class it belongs to, a key of `CLASSES`
    painted: bool = False  # it comes in every colour of `COLOURS`, which has to be said; others keep the artwork's own


CLASSES = {
    "mammal": ("mammals", "animal"), "bird": ("birds", "animal"), "insect": ("insects", "animal"),
    "amphibian": ("amphibians", "animal"), "reptile": ("reptiles", "animal"), "animal": ("animals", None),
    "fruit": ("fruits", "food"), "vegetable": ("vegetables", "food"), "dessert": ("desserts", "food"),
    "sandwich": ("sandwiches", "food"), "food": ("foods", None),
    "tree": ("trees", "plant"), "flower": ("flowers", "plant"), "plant": ("plants", None),
    "aircraft": ("aircraft", "vehicle"), "vehicle": ("vehicles", None),
    "garment": ("garments", None), "instrument": ("instruments", None), "seat": ("seats", None),
    "toy": ("toys", None), "building": ("buildings", None), "shelter": ("shelters", None),
}  # fmt: skip
"""Class → its plural and the class above it; None at the top of a chain."""

# Like stands beside like: dealing the list out in turn gives every block some animals, some food and some things.
# Singular, plural and glyph; a star says that the kind is painted.
_TABLE = """
mammal: dog dogs 🐶, fox foxes 🦊, pig pigs 🐷, rabbit rabbits 🐰, panda pandas 🐼, elephant elephants 🐘, mouse mice 🐭
mammal: whale whales 🐳
bird: owl owls 🦉, parrot parrots 🦜, flamingo flamingos 🦩
insect: bee bees 🐝, ladybug ladybugs 🐞, butterfly butterflies 🦋*
amphibian: frog frogs 🐸
reptile: turtle turtles 🐢
fruit: apple apples 🍎, banana bananas 🍌, pear pears 🍐, strawberry strawberries 🍓, lemon lemons 🍋
fruit: cherry cherries 🍒
vegetable: carrot carrots 🥕, eggplant eggplants 🍆
dessert: cake cakes 🎂
sandwich: hamburger hamburgers 🍔
tree: palm palms 🌴
flower: sunflower sunflowers 🌻, rose roses 🌹
plant: cactus cacti 🌵
vehicle: car cars 🚗*, bicycle bicycles 🚲, tractor tractors 🚜, rocket rockets 🚀
aircraft: airplane airplanes ✈
garment: hat hats 👒, shirt shirts 👕*, dress dresses 👗*
instrument: guitar guitars 🎸*, drum drums 🥁*, trumpet trumpets 🎺
seat: sofa sofas 🛋*, chair chairs 🪑*
toy: kite kites 🪁*, balloon balloons 🎈*
building: house houses 🏠
shelter: tent tents ⛺*, umbrella umbrellas ☂*
"""

KINDS = {
    name: Kind(name, many, glyph.removesuffix("*"), parent, glyph.endswith("*"))
    for parent, entries in (line.split(": ") for line in _TABLE.strip().splitlines())
    for name, many, glyph in (entry.split() for entry in entries.split(", "))
}
"""Name → kind, 48 of them."""


def plural(noun: str) -> str:
    """Plural of a kind or class: "mouse" → "mice"; of others a KeyError, as of `hypernyms` and `is_a`."""
    if noun not in KINDS and noun not in CLASSES:
        raise KeyError(f"{noun!r} is no kind or class of scenes; expected a singular noun such as 'dog', see `KINDS`.")
    return KINDS[noun].plural if noun in KINDS else CLASSES[noun][0]


def hypernyms(noun: str) -> tuple[str, ...]:
    """What a kind or class is a kind of, nearest first: "apple" → ("fruit", "food")."""
    plural(noun)
    above = KINDS[noun].parent if noun in KINDS else CLASSES[noun][1]
    return () if above is None else (above, *hypernyms(above))


def is_a(noun: str, other: str) -> bool:
    """Whether everything that is a `noun` is also an `other`; a kind is itself: `is_a("dog", "animal")`."""
    plural(other)
    return noun == other or other in hypernyms(noun)


NUMBERS = {1: "one", 2: "two", 3: "three"}
LARGEST_COUNT = max(NUMBERS)
"""Most objects in a group."""
SIZES = ("small", "big")

PLACE_PHRASES = {place: tuple(phrase.split()) for place, phrase in {
    "top left": "in the top left corner", "top": "at the top", "top right": "in the top right corner",
    "left": "on the left", "middle": "in the middle", "right": "on the right",
    "bottom left": "in the bottom left corner", "bottom": "at the bottom", "bottom right": "in the bottom right corner",
}.items()}  # fmt: skip
"""The nine places of an image and how they are said."""

RELATION_PHRASES = {towards: tuple(tuple(phrase.split()) for phrase in phrases) for towards, phrases in {
    "left": ("to the left of",), "right": ("to the right of",), "above": ("above",), "below": ("below", "under"),
    "above left": ("above and to the left of",), "above right": ("above and to the right of",),
    "below left": ("below and to the left of",), "below right": ("below and to the right of",),
}.items()}  # fmt: skip
"""The eight directions in which one group can lie from another, and their wordings."""

OPPOSITE = {"left": "right", "right": "left", "above": "below", "below": "above"}
OPPOSITE |= {f"{v} {h}": f"{OPPOSITE[v]} {OPPOSITE[h]}" for v in ("above", "below") for h in ("left", "right")}

SWEEPS = {("from", "left", "to", "right"): "left", ("from", "right", "to", "left"): "right",
          ("from", "top", "to", "bottom"): "above", ("from", "bottom", "to", "top"): "below"}  # fmt: skip
"""How a row is announced → the direction in which each group lies from the next."""


def article(word: str) -> str:
    """The indefinite article before a word: "an" before a written vowel, which holds for all words of scenes."""
    return "an" if word[0] in "aeiou" else "a"


def verb(count: int) -> str:
    """ "is" for one thing, "are" for more."""
    return "is" if count == 1 else "are"


def noun(kind: str, count: int) -> str:
    """The noun that names so many objects of a kind or class: ("mouse", 2) → "mice"."""
    return kind if count == 1 else plural(kind)


def noun_phrase(
    kind: str, count: int, size: str | None = None, colour: str | None = None, *, definite: bool = False
) -> tuple[str, ...]:
    """Number, size, colour and noun in English order: "two small red cars", "an elephant"; definite: "the dogs".

    A ValueError says that the count, size or colour has no word; a KeyError, that the noun is no kind or class.
    """
    for name, value, known in (("count", count, NUMBERS), ("size", size, SIZES), ("colour", colour, COLOURS)):
        if value not in known and (value is not None or name == "count"):
            raise ValueError(f"{name}={value!r}: scenes have no word for it; expected one of {tuple(known)}.")
    rest = tuple(word for word in (size, colour, noun(kind, count)) if word is not None)
    return ("the" if definite else article(rest[0]) if count == 1 else NUMBERS[count], *rest)


LAYOUTS = {
    2: (("left", "right"), ("top", "bottom"), ("top left", "bottom right"), ("top right", "bottom left")),
    3: (
        ("left", "middle", "right"), ("top", "middle", "bottom"),
        ("top", "bottom left", "bottom right"), ("top left", "top right", "bottom"),
        ("left", "top right", "bottom right"), ("top left", "right", "bottom left"),
        ("top left", "top right", "bottom left"), ("top left", "top right", "bottom right"),
        ("top left", "bottom left", "bottom right"), ("top right", "bottom left", "bottom right"),
    ),
    4: (("top left", "top right", "bottom left", "bottom right"),),
}  # fmt: skip
"""Number of groups → the combinations of places in which they can stand."""


def hashed(text: str) -> int:
    """A whole number below 2⁶⁴ that is the same for a text on every machine."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())


def split_of(words: Sequence[str]) -> str:
    """The split that synthetic examples with these words belong to: 80 % "train", 10 % "validation", 10 % "test"."""
    return ("train", "validation", "test")[max(0, hashed(" ".join(words)) % 10 - 7)]


def pick(random: Random, options: Sequence) -> Any:
    """Sample one; asks for one random number, whatever the options."""
    return options[int(random.random() * len(options))]


def take(random: Random, options: Sequence, count: int) -> list:
    """Sample several different ones."""
    left = list(options)
    return [left.pop(int(random.random() * len(left))) for _ in range(count)]


def sample_groups(random: Random, kinds: Sequence[str]) -> list[tuple[str, int, str, str | None, str]]:
    """Sample kind, count, size, colour (None unless it is painted) and place of each of two to four groups."""
    places = take(random, pick(random, LAYOUTS[len(kinds)]), len(kinds))
    groups = []
    for kind, place in zip(kinds, places, strict=True):
        count, size = 1 + int(random.random() * LARGEST_COUNT), pick(random, SIZES)
        groups.append((kind, count, size, pick(random, tuple(COLOURS)) if KINDS[kind].painted else None, place))
    return groups
