"""The words of the phrases: nouns, adjectives, determiners and countries, with what French grammar asks about them."""

from typing import NamedTuple

MUTE_H = frozenset({"homme", "hommes", "horloge", "horloges", "hôtel", "hôtels", "héritier", "héritiers"})
"""Words in which the h is silent, so that "le" and "la" are elided before it; any other h here is aspirated."""

_VOWELS = tuple("aàâeéèêëiîïoôuùû")
_SOUNDS_LIKE_A_CONSONANT = frozenset({"uniform", "university", "useful"})
_SOUNDS_LIKE_A_VOWEL = frozenset({"heir", "honest", "hour"})


def elides(french: str) -> bool:
    """Whether "le", "la" and "de" lose their vowel before this French noun, adjective or country."""
    return french.startswith(_VOWELS) or french in MUTE_H


def indefinite_article(english: str) -> str:
    """ "an" before an English word that begins with a vowel sound, else "a"."""
    if english in _SOUNDS_LIKE_A_VOWEL:
        return "an"
    return "an" if english[0] in "aeiou" and english not in _SOUNDS_LIKE_A_CONSONANT else "a"


class Noun(NamedTuple):
    """A noun in both languages and numbers; ``sort`` decides which adjectives make sense with it."""

    singular: str
    plural: str
    feminine: bool
    english: str
    english_plural: str
    sort: str
    owned: bool  # whether "my …" says the same in English


class Adjective(NamedTuple):
    """An adjective with its French forms: masculine and feminine in the singular, then in the plural.

    ``before_vowel`` is the masculine singular in front of a vowel or a mute h ("bel", "vieil", "nouvel").
    ``rank`` is the place in the English order: 1 opinion, 2 quality, 3 size, 4 age, 5 condition, 6 shape, 7 colour,
    8 origin.
    """

    forms: tuple[str, ...]
    before_vowel: str
    english: str
    rank: int
    sorts: frozenset[str]

    def form(self, feminine: bool, plural: bool, next_word: str = "") -> str:
        """The French form that agrees, in front of ``next_word`` where that matters."""
        if elides(next_word) and not feminine and not plural:
            return self.before_vowel
        return self.forms[2 * plural + feminine]


# Gender, singular, plural, English singular and plural; "+s" forms the plural with s.
_NOUN_TABLE = """
man: m homme +s man men unowned, m roi +s king +s, m ami +s friend +s, m héritier +s heir +s
person: m enfant +s child children, f reine +s queen +s, f actrice +s actress actresses
animal: m chat +s cat +s, m chien +s dog +s, m cheval chevaux horse +s, m oiseau oiseaux bird +s, m hibou hiboux owl +s
vehicle: f voiture +s car +s, m bateau bateaux boat +s, m train +s train +s, m avion +s plane +s
place: f maison +s house +s, f école +s school +s, m hôtel +s hotel +s, f île +s island +s, f ville +s city cities,
    f université +s university universities, m jardin +s garden +s
object: f table +s table +s, f lettre +s letter +s, m journal journaux newspaper +s, m uniforme +s uniform +s,
    m couteau couteaux knife knives, f horloge +s clock +s
food: f pomme +s apple +s, m gâteau gâteaux cake +s, m haricot +s bean +s, m oignon +s onion +s
plant: m arbre +s tree +s, f fleur +s flower +s
"""


def _noun(sort: str, entry: str) -> Noun:
    gender, singular, plural, english, english_plural, *flags = entry.split()
    plural, english_plural = plural.replace("+s", singular + "s"), english_plural.replace("+s", english + "s")
    return Noun(singular, plural, gender == "f", english, english_plural, sort, "unowned" not in flags)


_ROWS = [line.partition(":") for line in _NOUN_TABLE.replace(",\n", ",").strip().splitlines()]
NOUNS: tuple[Noun, ...] = tuple(_noun(sort, entry) for sort, _, entries in _ROWS for entry in entries.split(","))
_SORTS = frozenset(noun.sort for noun in NOUNS)


def _adjective(forms: str, english: str, rank: int, sorts: str) -> Adjective:
    """``forms``: the four French forms, with "/" between them and the form before a vowel fifth if it differs.

    ``sorts``: the sorts of noun it goes with, or "-" and those it does not go with.
    """
    masculine, feminine, *rest = forms.split("/")
    plurals = rest[:2] or [masculine + "s", feminine + "s"]
    named = frozenset(sorts.removeprefix("-").split())
    allowed = _SORTS - named if sorts.startswith("-") else named
    return Adjective((masculine, feminine, *plurals), (rest[2:] or [masculine])[0], english, rank, allowed)


BEFORE_NOUN: dict[str, Adjective] = {
    "petit": _adjective("petit/petite", "small", 3, "-"),
    "grand": _adjective("grand/grande", "big", 3, "- man person"),
    "beau": _adjective("beau/belle/beaux/belles/bel", "beautiful", 1, "- man"),
    "joli": _adjective("joli/jolie", "pretty", 1, "- man person"),
    "vieux": _adjective("vieux/vieille/vieux/vieilles/vieil", "old", 4, "-"),
    "nouveau": _adjective("nouveau/nouvelle/nouveaux/nouvelles/nouvel", "new", 4, "- person plant"),
    "bon": _adjective("bon/bonne", "good", 1, "- plant"),
    "jeune": _adjective("jeune/jeune", "young", 4, "man person animal plant"),
}

_PAIRS = "beau petit, joli petit, bon petit, beau grand, bon vieux, beau vieux"
PAIRS_BEFORE_NOUN = tuple(tuple(pair.split()) for pair in _PAIRS.split(", "))

_COLOURED = "animal vehicle place object food plant"

AFTER_NOUN: dict[str, tuple[Adjective, ...]] = {
    "origin": (
        _adjective("italien/italienne", "italian", 8, "- plant"),
        _adjective("français/française/français/françaises", "french", 8, "- plant"),
        _adjective("allemand/allemande", "german", 8, "- plant"),
    ),
    "colour": (
        _adjective("rouge/rouge", "red", 7, _COLOURED),
        _adjective("bleu/bleue", "blue", 7, _COLOURED),
        _adjective("vert/verte", "green", 7, _COLOURED),
        _adjective("noir/noire", "black", 7, _COLOURED),
        _adjective("blanc/blanche", "white", 7, _COLOURED),
        _adjective("gris/grise/gris/grises", "grey", 7, _COLOURED),
        _adjective("jaune/jaune", "yellow", 7, _COLOURED),
    ),
    "quality": (
        _adjective("étrange/étrange", "strange", 2, "-"),
        _adjective("intéressant/intéressante", "interesting", 2, "- food plant"),
        _adjective("élégant/élégante", "elegant", 2, "man person vehicle place object"),
        _adjective("honnête/honnête", "honest", 2, "man person"),
        _adjective("utile/utile", "useful", 2, "animal vehicle object"),
        _adjective("cher/chère", "expensive", 2, "vehicle place object food"),
        _adjective("rapide/rapide", "fast", 5, "animal vehicle"),
        _adjective("vide/vide", "empty", 5, "vehicle place"),
        _adjective("rond/ronde", "round", 6, "object food"),
    ),
}

POSSESSIVES = (("mon", "ma", "mes", "my"), ("notre", "notre", "nos", "our"), ("leur", "leur", "leurs", "their"))
"""Masculine, feminine and plural; "mon" also stands before a feminine word that begins with a vowel."""

COUNTRIES: dict[str, str] = {
    "f": "FR DE IT ES BE CH AT IE PL GR SE NO FI CN IN RU EG AR AU TN DZ HU RO TH KR NZ ZA SA DO",
    "m": "PT GB DK CA MX BR PE JP MA SN KE",
    "m_vowel": "IR IQ IL EC",
    "plural": "US NL PH AE",
    "bare": "CU MG MT SG",
}
"""ISO 3166 codes by gender; "bare" countries are islands and cities that take no article in French.

Left out on purpose: names which CLDR has lately changed or may change.
"""

WITH_ENGLISH_ARTICLE = frozenset({"GB", "US", "NL", "PH", "AE", "DO"})

NAME_ORDER: dict[str, str] = {
    "GB": "1 0", "US": "1 0", "DO": "1 0", "SA": "1 0", "AE": "2 1 0", "KR": "1 (0) 0", "ZA": "1 (0) 0",
    "NL": "(0) (0)",
}  # fmt: skip
"""For each French token of a name the English token that it makes; in brackets where the link is only possible."""
