"""The kinds of object that scenes are made of: nouns, artwork, what each is a kind of, and which kinds never meet.

The table is the ground of every lesson about scenes: captions name a kind, entailment climbs from "dog" to "animal".
Colours belong to the *painted* kinds alone, whose artwork comes in every colour; an apple keeps that of the artwork.
"""

from dataclasses import dataclass

COLOURS = {"red": (214, 60, 50), "yellow": (246, 205, 40), "green": (92, 172, 62), "blue": (62, 130, 214),
           "purple": (150, 92, 190)}  # fmt: skip
"""Colour words and the red, green and blue (0 to 255) that painted kinds are filled with."""

BLOCKS = 8
"""Kinds are dealt out into this many blocks; two kinds of one block meet only in the test of unseen pairs."""


@dataclass(frozen=True)
class Kind:
    """One kind of object.

    Attributes:
        name: English noun, singular, one word.
        plural: its plural.
        glyph: the character that the OpenMoji font draws for it.
        parent: the nearest class it belongs to, a key of `CLASSES`.
        painted: whether it comes in every colour of `COLOURS`, so that its colour has to be said.
    """

    name: str
    plural: str
    glyph: str
    parent: str
    painted: bool = False


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
_TABLE = (
    Kind("dog", "dogs", "\U0001f436", "mammal"),
    Kind("fox", "foxes", "\U0001f98a", "mammal"),
    Kind("pig", "pigs", "\U0001f437", "mammal"),
    Kind("rabbit", "rabbits", "\U0001f430", "mammal"),
    Kind("panda", "pandas", "\U0001f43c", "mammal"),
    Kind("elephant", "elephants", "\U0001f418", "mammal"),
    Kind("mouse", "mice", "\U0001f42d", "mammal"),
    Kind("whale", "whales", "\U0001f433", "mammal"),
    Kind("owl", "owls", "\U0001f989", "bird"),
    Kind("parrot", "parrots", "\U0001f99c", "bird"),
    Kind("flamingo", "flamingos", "\U0001f9a9", "bird"),
    Kind("bee", "bees", "\U0001f41d", "insect"),
    Kind("ladybug", "ladybugs", "\U0001f41e", "insect"),
    Kind("butterfly", "butterflies", "\U0001f98b", "insect", painted=True),
    Kind("frog", "frogs", "\U0001f438", "amphibian"),
    Kind("turtle", "turtles", "\U0001f422", "reptile"),
    Kind("apple", "apples", "\U0001f34e", "fruit"),
    Kind("banana", "bananas", "\U0001f34c", "fruit"),
    Kind("pear", "pears", "\U0001f350", "fruit"),
    Kind("strawberry", "strawberries", "\U0001f353", "fruit"),
    Kind("lemon", "lemons", "\U0001f34b", "fruit"),
    Kind("cherry", "cherries", "\U0001f352", "fruit"),
    Kind("carrot", "carrots", "\U0001f955", "vegetable"),
    Kind("eggplant", "eggplants", "\U0001f346", "vegetable"),
    Kind("cake", "cakes", "\U0001f382", "dessert"),
    Kind("hamburger", "hamburgers", "\U0001f354", "sandwich"),
    Kind("palm", "palms", "\U0001f334", "tree"),
    Kind("sunflower", "sunflowers", "\U0001f33b", "flower"),
    Kind("rose", "roses", "\U0001f339", "flower"),
    Kind("cactus", "cacti", "\U0001f335", "plant"),
    Kind("car", "cars", "\U0001f697", "vehicle", painted=True),
    Kind("bicycle", "bicycles", "\U0001f6b2", "vehicle"),
    Kind("tractor", "tractors", "\U0001f69c", "vehicle"),
    Kind("rocket", "rockets", "\U0001f680", "vehicle"),
    Kind("airplane", "airplanes", "\u2708", "aircraft"),
    Kind("hat", "hats", "\U0001f452", "garment"),
    Kind("shirt", "shirts", "\U0001f455", "garment", painted=True),
    Kind("dress", "dresses", "\U0001f457", "garment", painted=True),
    Kind("guitar", "guitars", "\U0001f3b8", "instrument", painted=True),
    Kind("drum", "drums", "\U0001f941", "instrument", painted=True),
    Kind("trumpet", "trumpets", "\U0001f3ba", "instrument"),
    Kind("sofa", "sofas", "\U0001f6cb", "seat", painted=True),
    Kind("chair", "chairs", "\U0001fa91", "seat", painted=True),
    Kind("kite", "kites", "\U0001fa81", "toy", painted=True),
    Kind("balloon", "balloons", "\U0001f388", "toy", painted=True),
    Kind("house", "houses", "\U0001f3e0", "building"),
    Kind("tent", "tents", "\u26fa", "shelter", painted=True),
    Kind("umbrella", "umbrellas", "\u2602", "shelter", painted=True),
)

KINDS = {kind.name: kind for kind in _TABLE}
"""Name → kind, 48 of them."""

_BLOCK_OF = {kind.name: index % BLOCKS for index, kind in enumerate(_TABLE)}
_PLURALS = {kind.name: kind.plural for kind in _TABLE} | {name: plural for name, (plural, _) in CLASSES.items()}


def block_of(kind: str) -> int:
    """Block of a kind, 0 to `BLOCKS` − 1.

    Raises:
        KeyError: if it is no kind.
    """
    _check(kind, _BLOCK_OF, "kind")
    return _BLOCK_OF[kind]


def pair_is_seen(first: str, second: str) -> bool:
    """Whether two kinds may meet in a scene of the splits "train", "validation" and "test"."""
    return block_of(first) != block_of(second)


def plural(noun: str) -> str:
    """Plural of a kind or class: "mouse" → "mice".

    Raises:
        KeyError: if it is neither.
    """
    _check(noun, _PLURALS, "kind or class")
    return _PLURALS[noun]


def hypernyms(noun: str) -> tuple[str, ...]:
    """What a kind or class is a kind of, nearest first: "apple" → ("fruit", "food").

    Raises:
        KeyError: if it is neither a kind nor a class.
    """
    _check(noun, _PLURALS, "kind or class")
    above = KINDS[noun].parent if noun in KINDS else CLASSES[noun][1]
    return () if above is None else (above, *hypernyms(above))


def is_a(noun: str, other: str) -> bool:
    """Whether everything that is a `noun` is also an `other`; a kind is itself: `is_a("dog", "animal")`.

    Raises:
        KeyError: if either is neither a kind nor a class.
    """
    _check(other, _PLURALS, "kind or class")
    return noun == other or other in hypernyms(noun)


def _check(noun: str, known: dict, what: str) -> None:
    if noun not in known:
        raise KeyError(f"{noun!r} is no {what} of scenes; expected a singular noun such as 'dog'. `KINDS` lists them.")
