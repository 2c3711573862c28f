"""The words of the phrases: nouns, adjectives, determiners and countries, with what French grammar asks about them."""

from dataclasses import dataclass

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


@dataclass(frozen=True)
class Noun:
    """A noun in both languages and numbers; ``sort`` decides which adjectives make sense with it."""

    singular: str
    plural: str
    feminine: bool
    english: str
    english_plural: str
    sort: str
    owned: bool = True  # whether "my …" says the same in English


@dataclass(frozen=True)
class Adjective:
    """An adjective with its French forms.

    ``before_vowel`` is the masculine singular in front of a vowel or a mute h ("bel", "vieil", "nouvel").
    ``rank`` is the place in the English order: 1 opinion, 2 quality, 3 size, 4 age, 5 condition, 6 shape, 7 colour,
    8 origin.
    """

    masculine: str
    feminine: str
    masculine_plural: str
    feminine_plural: str
    english: str
    rank: int
    sorts: frozenset[str]
    before_vowel: str

    def form(self, feminine: bool, plural: bool, next_word: str = "") -> str:
        """The French form that agrees, in front of ``next_word`` where that matters."""
        if plural:
            return self.feminine_plural if feminine else self.masculine_plural
        if feminine:
            return self.feminine
        return self.before_vowel if next_word and elides(next_word) else self.masculine


def _nouns(sort: str, text: str) -> list[Noun]:
    """Read "gender singular plural english english_plural" lines; "+s" forms the plural with s."""
    nouns = []
    for line in text.strip().splitlines():
        gender, singular, plural, english, english_plural, *flags = line.split()
        plural = singular + "s" if plural == "+s" else plural
        english_plural = english + "s" if english_plural == "+s" else english_plural
        nouns.append(Noun(singular, plural, gender == "f", english, english_plural, sort, "unowned" not in flags))
    return nouns


NOUNS: tuple[Noun, ...] = (
    *_nouns("man", "m homme +s man men unowned\n m roi +s king +s\n m ami +s friend +s\n m héritier +s heir +s"),
    *_nouns("person", "m enfant +s child children\n f reine +s queen +s\n f actrice +s actress actresses"),
    *_nouns(
        "animal",
        "m chat +s cat +s\n m chien +s dog +s\n m cheval chevaux horse +s\n m oiseau oiseaux bird +s\n"
        "m hibou hiboux owl +s",
    ),
    *_nouns("vehicle", "f voiture +s car +s\n m bateau bateaux boat +s\n m train +s train +s\n m avion +s plane +s"),
    *_nouns(
        "place",
        "f maison +s house +s\n f école +s school +s\n m hôtel +s hotel +s\n f île +s island +s\n"
        "f ville +s city cities\n f université +s university universities\n m jardin +s garden +s",
    ),
    *_nouns(
        "object",
        "f table +s table +s\n f lettre +s letter +s\n m journal journaux newspaper +s\n"
        "m uniforme +s uniform +s\n m couteau couteaux knife knives\n f horloge +s clock +s",
    ),
    *_nouns("food", "f pomme +s apple +s\n m gâteau gâteaux cake +s\n m haricot +s bean +s\n m oignon +s onion +s"),
    *_nouns("plant", "m arbre +s tree +s\n f fleur +s flower +s"),
)

_SORTS = frozenset(noun.sort for noun in NOUNS)


def _adjective(forms: str, english: str, rank: int, sorts: str) -> Adjective:
    """``forms``: the four French forms, with "/" between them and the form before a vowel fifth if it differs.

    ``sorts``: the sorts of noun it goes with, or "-" and those it does not go with.
    """
    masculine, feminine, *rest = forms.split("/")
    plurals = rest[:2] or [masculine + "s", feminine + "s"]
    named = frozenset(sorts.replace("-", " ").split())
    if not named <= _SORTS:
        raise ValueError(f"sorts={sorts!r}: expected names among {sorted(_SORTS)}; correct the table.")
    allowed = _SORTS - named if sorts.startswith("-") else named
    before_vowel = rest[2] if len(rest) == 3 else masculine
    return Adjective(masculine, feminine, *plurals, english, rank, allowed, before_vowel)


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

PAIRS_BEFORE_NOUN = (
    ("beau", "petit"),
    ("joli", "petit"),
    ("bon", "petit"),
    ("beau", "grand"),
    ("bon", "vieux"),
    ("beau", "vieux"),
)

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
    "GB": "1 0",
    "US": "1 0",
    "NL": "(0) (0)",
    "AE": "2 1 0",
    "DO": "1 0",
    "SA": "1 0",
    "KR": "1 (0) 0",
    "ZA": "1 (0) 0",
}
"""For each French token of a name the English token that it makes; in brackets where the link is only possible."""
