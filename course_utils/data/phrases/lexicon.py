"""The words of the phrases, with what French grammar asks about them."""

from typing import NamedTuple


def elides(french: str) -> bool:
    """Whether "le", "la" and "de" lose their vowel before this word: it begins with a vowel or a mute h."""
    return french.startswith((*"aàâeéèêëiîïoôuùû", "homme", "horloge", "hôtel", "héritier"))


class Noun(NamedTuple):
    """A noun in both languages and numbers; `sort` decides which adjectives make sense with it."""

    sort: str
    feminine: bool
    singular: str
    plural: str
    english: str
    english_plural: str
    owned: bool  # whether "my …" says the same in English


class Modifier(NamedTuple):
    """A determiner or an adjective."""

    forms: tuple[str, ...]  # masculine, feminine: in the singular, the plural, the singular before a vowel or a mute h
    english: tuple[str, str]  # in the singular and in the plural
    rank: int  # place in English: 1 opinion, 2 quality, 3 size, 4 age, 5 condition, 6 shape, 7 colour, 8 origin
    sorts: frozenset[str]  # sorts of noun that it makes sense with

    def form(self, feminine: bool, plural: bool, next_word: str = "") -> str:
        """The French form that agrees with a noun and with the next word."""
        return self.forms[feminine + (2 if plural else 4 * elides(next_word))]


# Sort: gender, singular, plural, English singular and plural; "+s" forms the plural with s.
_NOUNS = """
man: m homme +s man men unowned, m roi +s king +s, m ami +s friend +s, m héritier +s heir +s
person: m enfant +s child children, f reine +s queen +s, f actrice +s actress actresses
animal: m chat +s cat +s, m chien +s dog +s, m cheval chevaux horse +s, m oiseau oiseaux bird +s, m hibou hiboux owl +s
vehicle: f voiture +s car +s, m bateau bateaux boat +s, m train +s train +s, m avion +s plane +s
place: f maison +s house +s, f école +s school +s, m hôtel +s hotel +s, f île +s island +s
place: f ville +s city cities, f université +s university universities, m jardin +s garden +s
object: f table +s table +s, f lettre +s letter +s, m journal journaux newspaper +s, m uniforme +s uniform +s
object: m couteau couteaux knife knives, f horloge +s clock +s
food: f pomme +s apple +s, m gâteau gâteaux cake +s, m haricot +s bean +s, m oignon +s onion +s
plant: m arbre +s tree +s, f fleur +s flower +s
"""

# Place, rank and sorts of noun, or after "not" those without: forms in the order of `Modifier.forms`, and English. The
# plural may be left to an s, the forms before a vowel out; English may differ in the plural.
_MODIFIERS = """
determiner 0 not: le la les les l' l' the, un une des des a/some, ce cette ces ces cet cette this/these
determiner 0 not: chaque chaque each, plusieurs plusieurs plusieurs plusieurs several
determiner 0 not: mon ma mes mes mon mon my, notre notre nos nos our, leur leur their
before 3 not: petit petite small
before 3 not man person: grand grande big
before 1 not man: beau belle beaux belles bel belle beautiful
before 1 not man person: joli jolie pretty
before 4 not: vieux vieille vieux vieilles vieil vieille old
before 4 not person plant: nouveau nouvelle nouveaux nouvelles nouvel nouvelle new
before 1 not plant: bon bonne good
before 4 man person animal plant: jeune jeune young
origin 8 not plant: italien italienne italian, français française français françaises french, allemand allemande german
colour 7 not man person: rouge rouge red, bleu bleue blue, vert verte green, noir noire black, blanc blanche white
colour 7 not man person: gris grise gris grises grey, jaune jaune yellow
quality 2 not: étrange étrange strange
quality 2 not food plant: intéressant intéressante interesting
quality 2 man person vehicle place object: élégant élégante elegant
quality 2 man person: honnête honnête honest
quality 2 animal vehicle object: utile utile useful
quality 2 vehicle place object food: cher chère expensive
quality 5 animal vehicle: rapide rapide fast
quality 5 vehicle place: vide vide empty
quality 6 object food: rond ronde round
"""
PAIRS_BEFORE_NOUN = ("beau petit", "joli petit", "bon petit", "beau grand", "bon vieux", "beau vieux")


def _rows(table: str) -> list[tuple[list[str], list[str]]]:
    lines = [line.split(":") for line in table.strip().splitlines()]
    return [(head.split(), entry.split()) for head, entries in lines for entry in entries.split(",")]


def _noun(sort: str, gender: str, singular: str, plural: str, english: str, english_plural: str, *unowned: str) -> Noun:
    plurals = plural.replace("+", singular), english_plural.replace("+", english)
    return Noun(sort, gender == "f", singular, plurals[0], english, plurals[1], not unowned)


NOUNS = [_noun(*head, *entry) for head, entry in _rows(_NOUNS)]


def _modifier(rank: str, sorts: list[str], entry: list[str]) -> Modifier:
    masculine, feminine, *others, english = entry
    plurals, before_vowel = others[:2] or [masculine + "s", feminine + "s"], others[2:] or [masculine, feminine]
    fitting = {noun.sort for noun in NOUNS}.difference(sorts) if sorts[0] == "not" else sorts
    one, _, many = english.partition("/")
    return Modifier((masculine, feminine, *plurals, *before_vowel), (one, many or one), int(rank), frozenset(fitting))


MODIFIERS: dict[str, dict[str, Modifier]] = {}
"""By place (determiner, before, origin, colour, quality), and there by the masculine form."""
for (_place, _rank, *_sorts), _entry in _rows(_MODIFIERS):
    MODIFIERS.setdefault(_place, {})[_entry[0]] = _modifier(_rank, _sorts, _entry)

# ISO 3166 codes by gender; "bare" countries are islands and cities that take no article in French. Left out on purpose:
# names which CLDR has lately changed or may change.
COUNTRIES = {
    "f": "FR DE IT ES BE CH AT IE PL GR SE NO FI CN IN RU EG AR AU TN DZ HU RO TH KR NZ ZA SA DO",
    "m": "PT GB DK CA MX BR PE JP MA SN KE IR IQ IL EC",
    "plural": "US NL PH AE",
    "bare": "CU MG MT SG",
}
WITH_ENGLISH_ARTICLE = frozenset({"GB", "US", "NL", "PH", "AE", "DO"})
NAME_ORDER = dict.fromkeys(("GB", "US", "DO", "SA"), "1 0") | dict.fromkeys(("KR", "ZA"), "1 (0) 0")
NAME_ORDER |= {"AE": "2 1 0", "NL": "(0) (0)"}
"""For each French word of a name the English word that it makes; in brackets where the link is only possible."""
