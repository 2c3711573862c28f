"""The French, the English and the alignment of the phrases, checked by rules written apart from the generator."""

import os
import re
import subprocess
import sys
import time
from collections import Counter, defaultdict
from datetime import date
from itertools import product
from pathlib import Path

import pytest
from num2words import num2words

from course_utils.data.phrases.aligned import AlignedPair, tokenize_phrase
from course_utils.data.phrases.grammar import (
    adjectives_for,
    country_fragments,
    country_name,
    noun_phrase,
    spoken_time,
    station_time,
)
from course_utils.data.phrases.lexicon import MODIFIERS, NOUNS
from course_utils.data.phrases.numbers import cardinal, day_of_month, year_name
from course_utils.data.phrases.phrases import MAX_LENGTH, SPLITS, make_phrases, split_of
from course_utils.data.text import join_words


def words(text):
    return text.split()


# The table that grammar is checked against: gender, then the singular and plural of each noun.
MASCULINE = words("""homme hommes roi rois ami amis héritier héritiers enfant enfants chat chats chien chiens cheval
    chevaux oiseau oiseaux hibou hiboux bateau bateaux train trains avion avions hôtel hôtels jardin jardins journal
    journaux uniforme uniformes couteau couteaux gâteau gâteaux haricot haricots oignon oignons arbre arbres""")
FEMININE = words("""reine reines actrice actrices voiture voitures maison maisons école écoles île îles ville villes
    université universités table tables lettre lettres horloge horloges pomme pommes fleur fleurs""")
GENDER = dict.fromkeys(MASCULINE, "m") | dict.fromkeys(FEMININE, "f")
PLURAL = {word: place % 2 == 1 for group in (MASCULINE, FEMININE) for place, word in enumerate(group)}
ENGLISH_NOUNS = words("""man men king kings friend friends heir heirs child children cat cats dog dogs horse horses
    bird birds owl owls boat boats train trains plane planes hotel hotels garden gardens newspaper newspapers
    uniform uniforms knife knives cake cakes bean beans onion onions tree trees queen queens actress actresses
    car cars house houses school schools island islands city cities university universities table tables
    letter letters clock clocks apple apples flower flowers""")
ENGLISH_OF = dict(zip(MASCULINE + FEMININE, ENGLISH_NOUNS, strict=True))

# Adjectives: what each form can be, m and f in the singular, M and F in the plural.
ADJECTIVE_FORMS = {}
for regular in words("petit grand joli bleu vert noir allemand élégant intéressant rond"):
    ADJECTIVE_FORMS |= {regular: "m", regular + "e": "f", regular + "s": "M", regular + "es": "F"}
for on_s in words("français gris"):
    ADJECTIVE_FORMS |= {on_s: "mM", on_s + "e": "f", on_s + "es": "F"}
for on_e in words("jeune rouge jaune étrange honnête utile rapide vide"):
    ADJECTIVE_FORMS |= {on_e: "mf", on_e + "s": "MF"}
for masculine, feminine in [("bon", "bonne"), ("italien", "italienne"), ("blanc", "blanche"), ("cher", "chère")]:
    ADJECTIVE_FORMS |= {masculine: "m", feminine: "f", masculine + "s": "M", feminine + "s": "F"}
ADJECTIVE_FORMS |= {"beau": "m", "bel": "m", "belle": "f", "beaux": "M", "belles": "F"}
ADJECTIVE_FORMS |= {"vieux": "mM", "vieil": "m", "vieille": "f", "vieilles": "F"}
ADJECTIVE_FORMS |= {"nouveau": "m", "nouvel": "m", "nouvelle": "f", "nouveaux": "M", "nouvelles": "F"}
STANDS_BEFORE = set(
    words("""petit petite petits petites grand grande grands grandes joli jolie jolis jolies beau bel belle beaux belles
    vieux vieil vieille vieilles nouveau nouvel nouvelle nouveaux nouvelles bon bonne bons bonnes jeune jeunes""")
)
DETERMINERS = {"l'": "mf"} | dict.fromkeys(words("le un ce cet"), "m") | dict.fromkeys(words("la une ma cette"), "f")
DETERMINERS |= dict.fromkeys(words("les des de mes nos leurs ces plusieurs"), "MF")
DETERMINERS |= dict.fromkeys(words("mon notre leur chaque"), "mf")
SILENT_H = ("homme", "hôtel", "héritier", "horloge", "honnête")

# Numbers as num2words spells them; a phrase has them in pieces, agreeing and without the s that "mille" takes away.
FRENCH = {tokenize_phrase(num2words(number, lang="fr"), "fr"): number for number in range(1000)}
FRENCH |= {(*key[:-1], key[-1] + "e"): number for key, number in FRENCH.items() if key[-1] in ("un", "-un")}
BEFORE_MILLE = {(*key[:-1], re.sub("(vingt|cent)s$", r"\1", key[-1])): n for key, n in FRENCH.items()} | {(): 1}
ENGLISH = {tokenize_phrase(num2words(number), "en"): number for number in range(1000)}
DAYS = {tokenize_phrase(num2words(day, to="ordinal"), "en"): day for day in range(1, 32)}
FRENCH_NUMBER_WORDS = {word.lstrip("-") for key in FRENCH for word in key} - {"et"} | {"mille", "million", "millions"}
WEEKDAYS = tuple(words("lundi mardi mercredi jeudi vendredi samedi dimanche"))
MONTHS = tuple(words("janvier février mars avril mai juin juillet août septembre octobre novembre décembre"))
ENGLISH_WEEKDAYS = tuple(words("monday tuesday wednesday thursday friday saturday sunday"))
ENGLISH_MONTHS = tuple(words("january february march april may june july august september october november december"))


def french_value(tokens):
    """Read a French number; a KeyError says that it is misspelled."""
    tokens = tuple(tokens)
    if many := {"million", "millions"}.intersection(tokens):
        assert (many == {"million"}) == (tokens == ("un", "million"))
        return 10**6 * french_value(tokens[:-1])
    if "mille" in tokens:
        place = tokens.index("mille")
        assert tokens[:place] != ("un",)
        return 1000 * BEFORE_MILLE[tokens[:place]] + (FRENCH[tokens[place + 1 :]] if tokens[place + 1 :] else 0)
    return FRENCH[tokens]


def english_value(tokens):
    """Read an English number, with the "and" before what is left below one hundred."""
    tokens = tuple(tokens)
    for word, size in (("million", 10**6), ("thousand", 1000)):
        if word in tokens:
            place = tokens.index(word)
            rest = tokens[place + 1 + (tokens[place + 1 : place + 2] == ("and",)) :]
            assert not rest or (tokens[place + 1] == "and") == (ENGLISH[rest] < 100)
            return size * english_value(tokens[:place]) + (ENGLISH[rest] if rest else 0)
    return ENGLISH[tokens]


def vowel_first(word):
    return word[0] in "aeiouâàéèêëîïôûü" or word.rstrip("s").startswith(SILENT_H)


def is_number(token):
    return token.lstrip("-") in FRENCH_NUMBER_WORDS


@pytest.fixture(scope="module")
def twenty_thousand():
    """20,000 phrases of the default lengths, and the seconds that they took."""
    started = time.perf_counter()
    return make_phrases(20_000), time.perf_counter() - started


@pytest.fixture(scope="module")
def phrases(twenty_thousand):
    return twenty_thousand[0][:3000]


@pytest.fixture(scope="module")
def all_phrases(phrases):
    """Also short ones: many distinct fragments next to few others."""
    return phrases + make_phrases(4000, seed=4, min_length=2, max_length=9)


def noun_groups(tokens):
    """(determiner or None, number tokens, adjectives before, noun, adjectives after) for each noun."""
    for place, noun in enumerate(tokens):
        if noun not in GENDER:
            continue
        start = place
        while start and tokens[start - 1] in ADJECTIVE_FORMS:
            start -= 1
        before = tokens[start:place]
        number_start = start
        while number_start and (
            is_number(tokens[number_start - 1])
            or (tokens[number_start - 1] == "et" and number_start > 1 and is_number(tokens[number_start - 2])
                and tokens[number_start] in ("un", "une", "onze"))
        ):  # fmt: skip
            number_start -= 1
        number = tokens[number_start:start]
        determiner = tokens[number_start - 1] if number_start and tokens[number_start - 1] in DETERMINERS else None
        if number in (("un",), ("une",)):
            determiner, number = number[0], ()
        end = place + 1
        while end < len(tokens) and tokens[end] in ADJECTIVE_FORMS:
            end += 1
        yield determiner, number, before, noun, tokens[place + 1 : end]


def test_the_groups_agree_in_gender_and_number(all_phrases):
    groups = 0
    for phrase in all_phrases:
        for determiner, number, before, noun, after in noun_groups(phrase.source):
            form = GENDER[noun].upper() if PLURAL[noun] else GENDER[noun]
            assert determiner or number, join_words(phrase.source)
            for adjective in (*before, *after):
                assert form in ADJECTIVE_FORMS[adjective], (noun, adjective, join_words(phrase.source))
            assert all(adjective in STANDS_BEFORE for adjective in before), join_words(phrase.source)
            assert not any(adjective in STANDS_BEFORE for adjective in after), join_words(phrase.source)
            if determiner:
                assert form in DETERMINERS[determiner], (determiner, noun, join_words(phrase.source))
            if number:
                assert PLURAL[noun] and french_value(number) > 1, join_words(phrase.source)
                assert determiner in (None, "les", "mes", "nos", "leurs", "ces"), join_words(phrase.source)
                last = number[-1].lstrip("-")
                if last in ("un", "une"):
                    assert (last == "une") == (GENDER[noun] == "f"), join_words(phrase.source)
            groups += 1
    assert groups > 8000


def test_forms_before_a_vowel(all_phrases):
    seen = Counter()
    for phrase in all_phrases:
        tokens = phrase.source
        for determiner, number, before, noun, _ in noun_groups(tokens):
            group = [*([] if number else [determiner]), *before, noun]
            for word, following in zip(group, group[1:], strict=False):
                vowel = vowel_first(following)
                if word in ("le", "la", "ce", "ma", "beau", "nouveau") or word == "vieux" and not PLURAL[noun]:
                    assert not vowel, join_words(phrase.source)
                elif word in ("l'", "cet", "bel", "vieil", "nouvel"):
                    assert vowel, join_words(phrase.source)
                    seen[word] += 1
                elif word == "mon" and GENDER[noun] == "f":
                    assert vowel, join_words(phrase.source)
                    seen["mon, feminine"] += 1
                elif word in ("des", "de"):
                    assert (word == "de") == bool(before), join_words(phrase.source)
                    seen[word] += 1
                if following in ("hibou", "haricot"):
                    seen["aspirated " + word] += 1
    assert min(seen[word] for word in ("l'", "cet", "bel", "vieil", "nouvel", "mon, feminine", "des", "de")) > 20
    assert seen["aspirated le"] and seen["aspirated ce"] and seen["aspirated nouveau"], seen


def test_elided_words_stand_before_a_vowel_and_full_ones_do_not(all_phrases):
    elided = Counter()
    for phrase in all_phrases:
        for word, following in zip(phrase.source, phrase.source[1:], strict=False):
            if word in ("l'", "d'"):
                assert vowel_first(following), join_words(phrase.source)
                elided[word] += 1
            elif word in ("le", "la", "de") and not is_number(following):
                assert not vowel_first(following), join_words(phrase.source)
        assert phrase.source[-1] not in ("l'", "d'", "le", "la", "de")
        assert "hongrie" not in phrase.source or not re.search(r"[ld]'hongrie", join_words(phrase.source))
    assert elided["l'"] > 500 and elided["d'"] > 200


def number_runs(tokens):
    """(start, end) of each maximal run of French number words, with the "et" inside."""
    start = None
    for place in range(len(tokens) + 1):
        inside = place < len(tokens) and (
            is_number(tokens[place])
            or (tokens[place] == "et" and start is not None and place + 1 < len(tokens)
                and tokens[place + 1] in ("un", "une", "onze")
                and tokens[place - 1] in ("vingt", "trente", "quarante", "cinquante", "soixante"))
        )  # fmt: skip
        if inside and start is None:
            start = place
        elif not inside and start is not None:
            yield start, place
            start = None


def test_every_number_reads_the_same_in_both_languages(all_phrases):
    runs = 0
    for phrase in all_phrases:
        tokens = phrase.source
        for start, end in number_runs(tokens):
            if tokens[start] in ("un", "une") and end == start + 1:
                continue  # an article, or one
            after = tokens[end] if end < len(tokens) else None
            before = tokens[start - 1] if start else None
            value = french_value(tokens[start:end])
            times = ("heure", "heures", *MONTHS)
            if before in ("à", "moins", "midi", "minuit", "en", *WEEKDAYS, *times) or after in times:
                continue  # times, days and years have tests of their own
            rows = [i for i, j in phrase.possible if start <= j < end]
            english = phrase.target[min(rows) : max(rows) + 1]
            assert english_value(english) == value, (english, join_words(phrase.source))
            runs += 1
            if after in ("euro", "euros", "dollar", "dollars", "livre", "livres", "centime", "centimes"):
                assert after.endswith("s") == (value >= 2), join_words(phrase.source)
                assert phrase.target[max(rows) + 1].endswith("s") == (value != 1), phrase.reference
                feminine = after.startswith("livre")
                assert tokens[end - 1].lstrip("-") != ("un" if feminine else "une"), join_words(phrase.source)
    assert runs > 2000


def test_cardinals_against_the_oracle_and_num2words():
    some = (1998, 2000, 2001, 2080, 2081, 2100, 3080, 9999, 10_000, 21_000, 80_000, 80_080, 81_001, 200_000, 200_200)
    for number in (*range(1300), *some, 999_999):
        unit = cardinal(number)
        assert french_value(unit.source) == number
        assert english_value(unit.target) == number
        assert join_words(unit.source) == num2words(number, lang="fr")
        assert join_words(unit.target) == num2words(number, lang="en").replace(", ", " ")
        if number % 10 == 1 and number % 100 not in (11, 71, 91):
            assert join_words(cardinal(number, feminine=True).source) == num2words(number, lang="fr") + "e"
    with pytest.raises(ValueError, match="number=1000000: expected 0 to 999999"):
        cardinal(1_000_000)


def test_traditional_spelling():
    for number, french in {21: "vingt et un", 22: "vingt-deux", 71: "soixante et onze", 80: "quatre-vingts",
                           81: "quatre-vingt-un", 97: "quatre-vingt-dix-sept", 200: "deux cents",
                           203: "deux cent trois", 280: "deux cent quatre-vingts", 1001: "mille un",
                           80_000: "quatre-vingt mille", 200_000: "deux cent mille"}.items():  # fmt: skip
        assert join_words(cardinal(number).source) == french


def year_value(tokens):
    """Read an English year."""
    if "thousand" in tokens:
        return english_value(tokens)
    if tokens[-1] == "hundred":
        return 100 * english_value(tokens[:-1])
    century, rest = tokens[:1], [token for token in tokens[1:] if token != "oh"]
    assert ("oh" in tokens) == (english_value(rest) < 10)
    return english_value(century) * 100 + english_value(rest)


def test_years_and_days():
    for year in range(1100, 2100):
        unit = year_name(year)
        assert french_value(unit.source) == year
        assert year_value(unit.target) == year
    assert join_words(year_name(1998).target) == "nineteen ninety-eight"
    assert join_words(year_name(1905).target) == "nineteen oh five"
    with pytest.raises(ValueError, match="year=2100"):
        year_name(2100)
    assert day_of_month(1).source == ("premier",)
    for day in range(2, 32):
        assert french_value(day_of_month(day).source) == DAYS[day_of_month(day).target] == day


def test_dates_exist_and_the_first_is_premier(phrases):
    dates = 0
    for phrase in phrases:
        tokens = phrase.source
        for place, month in enumerate(tokens):
            if month not in MONTHS or tokens[place - 1] == "en":
                continue
            start = place - 1
            while start >= 0 and tokens[start] != "le":
                start -= 1
            day_words = tokens[start + 1 : place]
            weekday = WEEKDAYS.index(day_words[0]) if day_words[0] in WEEKDAYS else None
            day_words = day_words[weekday is not None :]
            day = 1 if day_words == ("premier",) else french_value(day_words)
            assert (day == 1) == (day_words == ("premier",)), join_words(phrase.source)
            assert 1 <= day <= 31
            end = place + 1
            while end < len(tokens) and (is_number(tokens[end]) or tokens[end] == "et" and is_number(tokens[end - 1])
                                         and end + 1 < len(tokens) and tokens[end + 1] in ("un", "onze")):  # fmt: skip
                end += 1
            year = french_value(tokens[place + 1 : end]) if end > place + 1 else 2000  # a leap year
            when = date(year, MONTHS.index(month) + 1, day)
            if weekday is not None and end > place + 1:
                assert when.weekday() == weekday, join_words(phrase.source)
            linked = [i for i, j in phrase.possible if start <= j < end]
            english = phrase.target[min(linked) : max(linked) + 1]
            of = english.index("of")
            assert DAYS[english[english.index("the") + 1 : of]] == day, phrase.reference
            assert english[of + 1] == ENGLISH_MONTHS[when.month - 1], phrase.reference
            if end > place + 1:
                assert year_value(english[of + 2 :]) == year, phrase.reference
            dates += 1
    assert dates > 1000


def test_clock_times():
    for time_of_day, french, english in [
        (spoken_time(3, 15), "à trois heures et quart", "at a quarter past three"),
        (spoken_time(3, -15), "à trois heures moins le quart", "at a quarter to three"),
        (spoken_time(1, 0), "à une heure", "at one o'clock"),
        (spoken_time(1, 30), "à une heure et demie", "at half past one"),
        (spoken_time(12, 30), "à midi et demi", "at half past noon"),
        (spoken_time(0, -10), "à minuit moins dix", "at ten to midnight"),
        (spoken_time(10, 25), "à dix heures vingt-cinq", "at twenty-five past ten"),
        (spoken_time(5, 0, "de l'après-midi"), "à cinq heures de l'après-midi", "at five o'clock in the afternoon"),
        (spoken_time(7, 30, "du matin"), "à sept heures et demie du matin", "at half past seven in the morning"),
        (station_time(15, 30), "à quinze heures trente", "at three thirty in the afternoon"),
        (station_time(21, 0), "à vingt et une heures", "at nine o'clock in the evening"),
        (station_time(14, 5), "à quatorze heures cinq", "at two oh five in the afternoon"),
    ]:
        assert (join_words(time_of_day.source), join_words(time_of_day.target)) == (french, english)


def test_times_in_phrases_name_the_same_hour(phrases):
    times = 0
    for phrase in phrases:
        for place, token in enumerate(phrase.source):
            if token not in ("heure", "heures"):
                continue
            start = max(j for j in range(place) if phrase.source[j] == "à")
            number = phrase.source[start + 1 : place]
            hour = french_value(number)
            assert 1 <= hour <= 23
            assert (token == "heures") == (hour > 1), join_words(phrase.source)
            assert number[-1] not in ("un", "-un"), join_words(phrase.source)
            named = {phrase.target[i] for i, j in phrase.possible if start < j <= place}
            assert num2words((hour - 1) % 12 + 1) in named, (number, phrase.reference)
            if hour > 12:
                assert ("afternoon" if hour < 18 else "evening") in named, (number, phrase.reference)
            times += 1
    assert times > 700


# Preposition, article and English name of every country, written down here once more.
COUNTRY_TABLE = {
    "en la": """france allemagne italie espagne belgique suisse autriche irlande pologne grèce suède norvège finlande
        chine inde russie égypte argentine australie tunisie algérie hongrie roumanie thaïlande corée nouvelle afrique
        arabie république""",
    "au le": "portugal royaume danemark canada mexique brésil pérou japon maroc sénégal kenya",
    "en l'": "iran irak israël équateur",
    "aux les": "états pays philippines émirats",
    "à -": "cuba madagascar malte singapour",
}


def test_countries_take_their_own_preposition_and_article(all_phrases):
    grammar = {name: key.split() for key, names in COUNTRY_TABLE.items() for name in names.split()}
    elided = {name for name in grammar if vowel_first(name)}
    seen = set()
    for phrase in all_phrases:
        tokens = phrase.source
        for place, name in enumerate(tokens):
            if name not in grammar or (name == "nouvelle" and tokens[place + 1 : place + 2] != ("-zélande",)):
                continue
            preposition, article = grammar[name]
            origin = {"aux": "des", "au": "du"}.get(preposition, "d'" if name in elided else "de")
            before = tokens[place - 1] if place else None
            if article == "-":
                assert before not in ("le", "la", "l'", "les", "en", "au", "aux", "du", "des", "d'")
            else:
                allowed = {preposition, origin, "l'" if name in elided and article != "les" else article}
                assert before in allowed, join_words(phrase.source)
            seen.add(name)
    assert seen == set(grammar)


def test_country_names_and_links():
    french_english = {join_words(u.source): join_words(u.target) for us in country_fragments().values() for u in us}
    for french, english in {
        "en france": "in france", "au portugal": "in portugal", "aux états-unis": "in the united states",
        "les états-unis": "the united states", "à cuba": "in cuba", "cuba": "cuba", "d'italie": "from italy",
        "du japon": "from japan", "des pays-bas": "from the netherlands", "de hongrie": "from hungary",
        "la hongrie": "hungary", "l'iran": "iran", "en république dominicaine": "in the dominican republic",
    }.items():  # fmt: skip
        assert french_english[french] == english
    korea = country_name("KR")  # corée du sud → south korea
    assert set(korea.sure) == {(1, 0), (0, 2)} and (0, 1) in korea.possible
    assert country_name("US").sure == {(1, 0), (0, 1)}


def test_a_and_an_follow_the_sound(all_phrases):
    seen = Counter()
    for phrase in all_phrases:
        for word, following in zip(phrase.target, phrase.target[1:], strict=False):
            if word in ("a", "an"):
                sound = following[0] in "aeiou" and not following.startswith(("uni", "use", "eu", "one"))
                sound = sound or following.startswith(("heir", "hon", "hour"))
                assert (word == "an") == sound, phrase.reference
                seen[word, following] += 1
        assert phrase.target[-1] not in ("a", "an", "the", "of")
    for pair in [("a", "uniform"), ("a", "university"), ("a", "useful"), ("an", "heir"), ("an", "honest")]:
        assert seen[pair], f"{pair} never came up"


def test_english_adjectives_keep_their_order(phrases):
    order = [
        {"beautiful", "pretty", "good"},
        {"strange", "interesting", "elegant", "honest", "useful", "expensive"},
        {"small", "big"},
        {"old", "new", "young"},
        {"fast", "empty"},
        {"round"},
        {"red", "blue", "green", "black", "white", "grey", "yellow"},
        {"italian", "french", "german"},
    ]
    rank = {word: place for place, group in enumerate(order) for word in group}
    nouns = set(ENGLISH_OF.values())
    for phrase in phrases:
        for word, following in zip(phrase.target, phrase.target[1:], strict=False):
            if word in rank and following != "zealand":
                assert following in nouns or rank[following] >= rank[word], phrase.reference


def test_every_link_is_in_bounds_and_every_word_is_linked(all_phrases):
    for phrase in all_phrases:
        assert phrase.sure <= phrase.possible
        assert {i for i, _ in phrase.possible} == set(range(len(phrase.target))), phrase.reference
        assert {j for _, j in phrase.possible} == set(range(len(phrase.source))), join_words(phrase.source)
        rows = [i for i, _ in phrase.sure]
        assert len(rows) == len(set(rows)), "two sure links for one target word"
        assert len(phrase.sure) >= 0.3 * len(phrase.target) or len(phrase.target) < 14


# What each French word may be linked to for sure, written down apart from the generator. Number words come after.
DICTIONARY = {
    "le": "the on", "la": "the", "l'": "the", "les": "the", "un": "a an one -one -first", "une": "a an one -one",
    "de": "some from in", "d'": "from", "des": "some from", "du": "from in", "au": "in", "aux": "in", "en": "in",
    "à": "in at", "mon": "my", "ma": "my", "mes": "my", "notre": "our", "nos": "our", "leur": "their",
    "leurs": "their", "ce": "this", "cet": "this", "cette": "this", "ces": "these", "chaque": "each",
    "plusieurs": "several", "et": "and past", "puis": "then", "ou": "or", "avec": "with", "sans": "without",
    "mais": "but", "pas": "not", "pour": "for", ",": ",", "moins": "to", "quart": "quarter", "demi": "half",
    "demie": "half", "midi": "noon", "minuit": "midnight", "heure": "o'clock", "heures": "o'clock",
    "matin": "morning", "soir": "evening", "prochain": "next", "dernier": "last", "premier": "first",
    "euro": "euro euros", "euros": "euros", "dollar": "dollar dollars", "dollars": "dollars", "livre": "pound pounds",
    "livres": "pounds", "centime": "cent", "centimes": "cents", "million": "million", "millions": "million",
    "cent": "hundred", "cents": "hundred", "mille": "thousand", "royaume": "kingdom", "-uni": "united",
    "états": "states", "-unis": "united", "émirats": "emirates", "arabes": "arab", "unis": "united", "corée": "korea",
    "sud": "south", "afrique": "africa", "nouvelle": "new", "-zélande": "zealand", "arabie": "arabia",
    "saoudite": "saudi", "république": "republic", "dominicaine": "dominican",
}  # fmt: skip
DICTIONARY = {french: set(words(english)) for french, english in DICTIONARY.items()}
DICTIONARY |= {french: {english} for french, english in ENGLISH_OF.items()}
STEMS = """petit small grand big joli pretty beau beautiful bel beautiful vieux old vieil old nouveau new nouvel new
    bon good jeune young rouge red bleu blue vert green noir black blan white gris grey jaune yellow italien italian
    français french allemand german étrange strange intéressant interesting élégant elegant honnête honest utile useful
    cher expensive chère expensive rapide fast vide empty rond round"""
STEMS = dict(zip(words(STEMS)[::2], words(STEMS)[1::2], strict=True))
for form in ADJECTIVE_FORMS:
    stem = max((stem for stem in STEMS if form.startswith(stem)), key=len)
    DICTIONARY[form] = {STEMS[stem]}
DICTIONARY |= {french: {english} for french, english in zip(WEEKDAYS, ENGLISH_WEEKDAYS, strict=True)}
DICTIONARY |= {french: {english} for french, english in zip(MONTHS, ENGLISH_MONTHS, strict=True)}
ONE_WORD_COUNTRIES = """france france allemagne germany italie italy espagne spain belgique belgium suisse switzerland
    autriche austria irlande ireland pologne poland grèce greece suède sweden norvège norway finlande finland
    chine china inde india russie russia égypte egypt argentine argentina australie australia tunisie tunisia algérie
    algeria hongrie hungary roumanie romania thaïlande thailand portugal portugal danemark denmark canada canada
    mexique mexico brésil brazil pérou peru japon japan maroc morocco sénégal senegal kenya kenya iran iran irak
    iraq israël israel équateur ecuador philippines philippines cuba cuba madagascar madagascar malte malta
    singapour singapore"""
DICTIONARY |= {f: {e} for f, e in zip(words(ONE_WORD_COUNTRIES)[::2], words(ONE_WORD_COUNTRIES)[1::2], strict=True)}
NEVER_SURE = {"après", "-midi", "pays", "-bas", "-vingts", "-onze", "-douze", "-treize", "-quatorze", "-quinze"}
NEVER_SURE |= {"-seize", "-vingt", "-dix"}


def number_translations(token):
    """The cardinal and ordinal of a French number word, with the hyphen that the French has."""
    hyphen, word = token[: token.startswith("-")], token.lstrip("-")
    return {hyphen + num2words(FRENCH[(word,)], to=form) for form in ("cardinal", "ordinal")}


def test_sure_links_read_like_a_dictionary(all_phrases):
    partners = defaultdict(set)
    for phrase in all_phrases:
        for i, j in phrase.sure:
            partners[phrase.source[j]].add(phrase.target[i])
    for french, english in partners.items():
        expected = DICTIONARY[french] if french in DICTIONARY else number_translations(french)
        assert english <= expected, (french, english)


def test_no_french_word_is_unknown(twenty_thousand):
    used = {token for phrase in twenty_thousand[0] for token in phrase.source}
    numbers = {token for token in used if token.lstrip("-") in FRENCH_NUMBER_WORDS}
    assert used - numbers - NEVER_SURE == DICTIONARY.keys() - numbers


def test_alignment_of_numbers():
    unit = cardinal(97)
    assert unit.target == ("ninety", "-seven")
    assert set(unit.sure) == {(1, 3)} and set(unit.possible) == {(0, 0), (0, 1), (0, 2), (1, 3)}
    unit = cardinal(74)
    assert not unit.sure and set(unit.possible) == {(0, 0), (0, 1), (1, 1)}
    unit = cardinal(21)
    assert set(unit.sure) == {(0, 0), (1, 2)} and set(unit.possible) - set(unit.sure) == {(1, 1)}
    unit = cardinal(103)  # cent trois → one hundred and three
    assert set(unit.sure) == {(1, 0), (3, 1)} and set(unit.possible) - set(unit.sure) == {(0, 0), (2, 0), (2, 1)}


def test_adjectives_cross_the_noun(phrases):
    noun = next(noun for noun in NOUNS if noun.singular == "maison")
    phrase = noun_phrase(noun, True, "le", 3, [MODIFIERS["before"]["petit"]], [MODIFIERS["colour"]["rouge"]])
    assert join_words(phrase.source) == "les trois petites maisons rouges"
    assert phrase.reference == "the three small red houses"
    assert phrase.sure == phrase.possible == {(0, 0), (1, 1), (2, 2), (3, 4), (4, 3)}
    crossings = 0
    for phrase in phrases:
        place_of = {j: i for i, j in phrase.sure}
        for j, word in enumerate(phrase.source[:-1]):
            if word in GENDER and phrase.source[j + 1] in ADJECTIVE_FORMS:
                assert place_of[j + 1] < place_of[j], join_words(phrase.source)
                crossings += 1
    assert crossings > 2000


def test_french_has_one_translation():
    english = {}
    for seed in range(2):
        for phrase in make_phrases(2500, seed=seed, max_length=8):
            assert english.setdefault(phrase.source, phrase.target) == phrase.target, join_words(phrase.source)


def test_splits_are_disjoint_for_all_seeds_and_lengths_and_share_eight_one_one():
    sources = {split: set() for split in SPLITS}
    for split in SPLITS:
        for seed, low, high in [(0, 2, 60), (1, 2, 6), (2, 2, 4), (3, 30, 90)]:
            for phrase in make_phrases(200, split=split, seed=seed, min_length=low, max_length=high):
                assert split_of(phrase.source) == split
                sources[split].add(join_words(phrase.source))
    train, validation, test = sources.values()
    assert not (train & validation or train & test or validation & test)
    counts = Counter(split_of(("phrase", str(number))) for number in range(5000))
    assert abs(counts["train"] - 4000) < 200 and abs(counts["test"] - 500) < 120 and counts["validation"] > 380


def test_the_same_arguments_give_the_same_phrases_in_any_process():
    here = make_phrases(300, seed=11)
    assert make_phrases(300, seed=11) == here
    assert make_phrases(120, seed=11) == here[:120]
    assert make_phrases(300, seed=12) != here
    code = "from course_utils.data.phrases.phrases import make_phrases; print(make_phrases(300, seed=11))"
    environment = os.environ | {"PYTHONHASHSEED": "77", "PYTHONPATH": os.pathsep.join(sys.path)}
    there = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert eval(there.stdout, {"AlignedPair": AlignedPair}) == here


def test_twenty_thousand_phrases(twenty_thousand):
    phrases, seconds = twenty_thousand
    assert seconds < 20, f"20,000 phrases took {seconds:.1f} s"
    assert len({phrase.source for phrase in phrases}) == 20_000
    lengths = Counter(len(phrase.source) for phrase in phrases)
    assert set(lengths) == set(range(2, 61))
    assert min(lengths.values()) > 150 and max(lengths.values()) < 500
    french = Counter(token for phrase in phrases for token in phrase.source)
    english = Counter(token for phrase in phrases for token in phrase.target)
    assert len(french) <= 420 and len(english) <= 380
    assert min(french.values()) >= 100, french.most_common()[-5:]
    assert min(english.values()) >= 100, english.most_common()[-5:]
    for token in (*french, *english):
        assert token == token.lower() and token.strip() == token and token
    card = (Path(__file__).parents[1] / "data" / "README.md").read_text(encoding="utf-8")
    assert f"{len(french)} French and {len(english)} English token types" in card


def test_lengths_are_respected_and_short_phrases_are_various():
    for low, high in [(2, 2), (5, 5), (59, 60), (110, 120), (MAX_LENGTH, MAX_LENGTH)]:
        phrases = make_phrases(60, min_length=low, max_length=high)
        assert all(low <= len(phrase.source) <= high for phrase in phrases)
    phrases = make_phrases(600, max_length=4)
    assert len({phrase.source[0] for phrase in phrases}) > 45
    assert len({phrase.source[-1] for phrase in phrases}) > 150


ADJECTIVE_PAIRS = [("origin", "colour"), ("colour", "quality"), ("origin", "quality")]
SINGULAR, PLURAL_WITHOUT_NUMBER = ["un", "le", "ce", "chaque"], ["un", "plusieurs"]
POSSESSIVES = ["mon", "notre", "leur"]


def choices_before(noun):
    return [[], *adjectives_for(noun.sort, "before"), *adjectives_for(noun.sort, "pair")]


def choices_after(noun):
    fit = {place: adjectives_for(noun.sort, place) for place in ("origin", "colour", "quality")}
    pairs = [[*one, *other] for first, second in ADJECTIVE_PAIRS for one in fit[first] for other in fit[second]]
    return [[], *(group for groups in fit.values() for group in groups), *pairs]


def count_noun_phrases(nouns, numbers):
    """How many noun phrases with at least two tokens there are, with so many numbers for each."""
    total = 0
    for noun in nouns:
        possessives = len(POSSESSIVES) * noun.owned
        plural = len(PLURAL_WITHOUT_NUMBER) + (2 + possessives) * (1 + numbers) + numbers  # les, ces and no determiner
        total += (len(SINGULAR) + possessives + plural) * len(choices_before(noun)) * len(choices_after(noun))
    return total


def test_over_a_million_distinct_phrases():
    """By a formula, and that against plain enumeration, with few nouns and few numbers so that both are quick."""
    assert count_noun_phrases(NOUNS, numbers=9_999) > 2 * 10**9  # 2 to 9,999, and 80,000
    few = [noun for noun in NOUNS if noun.singular in ("homme", "école")]
    numbers = (2, 21, 80)
    french = set()
    for noun in few:
        counted = ["le", "ce", *(POSSESSIVES if noun.owned else [])]
        kinds = [(False, kind, None) for kind in {*SINGULAR, *counted}]
        kinds += [(True, kind, None) for kind in {*PLURAL_WITHOUT_NUMBER, *counted}]
        kinds += [(True, kind, number) for kind in (None, *counted) for number in numbers]
        for kind, before, after in product(kinds, choices_before(noun), choices_after(noun)):
            french.add(noun_phrase(noun, *kind, before, after).source)
    assert len(french) == count_noun_phrases(few, len(numbers))


def test_tokenizing_and_joining_are_inverse(phrases):
    for phrase in phrases:
        for words, language in ((phrase.source, "fr"), (phrase.target, "en")):
            text = join_words(words)
            assert tokenize_phrase(text, language) == words and join_words(tokenize_phrase(text, language)) == text
            assert "  " not in text and " ," not in text


@pytest.mark.parametrize(
    ("typed", "tokens"),
    [
        ("L’Homme, à Quatre\u2011vingt\u2010dix-sept", "l' homme , à quatre -vingt -dix -sept"),
        ("E\u0301cole de l\u2019après-midi", "école de l' après -midi"),
        ("  AUX ÉTATS-UNIS ", "aux états -unis"),
        ("\ufeffl´ho\u00admme, l‘é\u200bcole", "l' homme , l' école"),
        ("un chef-d’œuvre", "un chef -d'œuvre"),
        ("d'aujourd'hui l'", "d' aujourd'hui l'"),
        ("x\u030cx", "x\u030cx"),
        ("le 1er mars", "le premier mars"),
        ("", ""),
    ],
)
def test_phrases_as_a_learner_types_them(typed, tokens):
    assert tokenize_phrase(typed, "fr") == tuple(tokens.split())
    words = ("at", "one", "o'clock", ",", "ninety", "-seven")
    assert tokenize_phrase("At One O’Clock, Ninety\u2011seven", "en") == words


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"count": 0}, "count=0, .*: expected whole numbers, count from 1"),
        ({"count": 1.5}, "count=1.5, .*: expected whole numbers"),
        ({"count": 1, "split": "dev"}, "split='dev': expected one of"),
        ({"count": 1, "min_length": 1}, "min_length=1, .*: expected.* 2 ≤ min_length"),
        ({"count": 1, "max_length": MAX_LENGTH + 1}, f"max_length={MAX_LENGTH + 1}: expected.* ≤ {MAX_LENGTH}"),
        ({"count": 1, "min_length": 9, "max_length": 8}, "min_length=9, max_length=8: .*min_length ≤ max_length"),
        ({"count": 50_000, "max_length": 2}, r"only \d+ distinct phrases of 2 to 2 French words"),
    ],
)
def test_errors_say_what_to_do(arguments, message):
    with pytest.raises(ValueError, match=message):
        make_phrases(**arguments)
