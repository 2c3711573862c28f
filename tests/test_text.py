"""Text in one spelling, tokenizers and their inverse, vocabulary."""

import os
import random
import unicodedata
from functools import partial
from pathlib import Path

import pytest

from course_utils.data.normalise import normalise
from course_utils.data.phrases.aligned import tokenize_phrase
from course_utils.data.text import BEGIN, END, PAD, UNKNOWN, Vocabulary, join_words, tokenize_sentence

STAGED = Path(os.environ.get("WHERE_TO_LOOK_DATA", Path(__file__).resolve().parents[2] / "shared" / "datasets"))
APOSTROPHES = "’‘‛ʼ´`′＇"


@pytest.mark.parametrize(
    ("typed", "normal"),
    [
        *((f"l{apostrophe}île", "l'île") for apostrophe in APOSTROPHES),
        *((f"vingt{hyphen}deux", "vingt-deux") for hyphen in "\u2010\u2011\u2012\u2013\u2212\ufe63\uff0d"),
        ("\ufeffun\u200b cha\u00adt\u2060 no\u200dir\u200e", "un chat noir"),
        ("e\u0301le\u0300ve", "élève"),
        ("e\u00ad\u0301", "é"),  # composed once nothing invisible stands between
        ("x\u030c", "x\u030c"),  # no such letter
        ("chef-d’Œuvre, æ, ﬁn", "chef-d'Œuvre, æ, ﬁn"),
        ("“Halt”, « non »", '"Halt", «non»'),
        ("Quoi\u202f? Oui\u00a0!\n\tEt  50 % …", "Quoi? Oui! Et 50%…"),
        ("l' herbe, l\"herbe, d’ accord", "l'herbe, l'herbe, d'accord"),
        ("Q&amp;A , 10 ( ten ) .5 ;he", "Q&A, 10 (ten) .5; he"),
        ("on the base .a group fighting- all", "on the base. a group fighting - all"),
        ("12–15 — 3.5", "12-15 — 3.5"),
        ("", ""),
    ],
)
def test_a_text_has_one_spelling(typed, normal):
    assert normalise(typed) == normalise(normalise(typed)) == normal


def test_normalising_again_changes_nothing():
    signs = [*"ab é'’`´\"“«»-\u2011–—.,;:!?()[] 05%$#&/\u200b\u00ad\u00a0\u0301œSsl\n", "amp;", "l'", "qu' ", " 's"]
    draw = random.Random(0)
    for _ in range(5000):
        text = "".join(draw.choices(signs, k=draw.randint(1, 14)))
        once = normalise(text)
        assert normalise(once) == once, text
        assert normalise(text.lower()) == once.lower(), text
        assert unicodedata.is_normalized("NFC", once) and once == " ".join(once.split())


@pytest.mark.parametrize("wrong", [None, 3, b"chat", ["chat"]])
def test_what_is_no_text_is_refused(wrong):
    for tokenize in (normalise, partial(tokenize_phrase, language="fr"), partial(tokenize_sentence, language="en")):
        with pytest.raises(ValueError, match="expected a text"):
            tokenize(wrong)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sa main-d'œuvre", "sa main-d'œuvre"),
        ("va-t'en, le rock'n'roll", "va-t'en , le rock'n'roll"),
        ("d'aujourd'hui", "d' aujourd'hui"),
        ("j't'aime, qu'est-ce", "j' t' aime , qu' est-ce"),
        ("c'est-à-dire quelqu'un", "c' est-à-dire quelqu'un"),
        ("une presqu'île", "une presqu'île"),
        ('l\'"élève" dit', 'l\' " élève " dit'),
    ],
)
def test_compounds_stay_whole_with_any_apostrophe(text, words):
    for apostrophe in f"'{APOSTROPHES}":
        typed = text.replace("'", apostrophe).replace("-", "\u2011")
        assert tokenize_sentence(typed, "fr") == words.split()
        assert join_words(tokenize_sentence(typed, "fr")) == text
        assert join_words(tokenize_phrase(typed, "fr")) == text  # phrases cut compounds, and glue them again
    decomposed = unicodedata.normalize("NFD", text)
    assert tokenize_sentence(f"\ufeff{decomposed}\u200b", "fr") == words.split()


def test_accents_without_a_composed_letter_stay_with_their_letter():
    assert tokenize_sentence("x\u030cy n\u0304 İ", "fr") == ["x\u030cy", "n\u0304", "i\u0307"]
    assert tokenize_phrase("m\u0304ot", "fr") == tokenize_phrase("m\u0304ot", "en") == ("m\u0304ot",)


def test_every_box_reads_the_same_words_in_any_spelling():
    from course_utils.data.inference.pairs import read_pair
    from course_utils.data.speech.phonemes import words_of_text

    assert words_of_text("\ufeffDON´T say\u00ad “he\u200bllo”") == ("don't", "say", "hello")
    plain = read_pair("anna paints two dogs, ben paints an owl", "anna paints dogs")
    assert read_pair("\ufeffAnna paints two\u00a0do\u00adgs , Ben paints an owl", "anna paints\u200b dogs") == plain


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ('a man says "stop!" (loudly), and they \'re off.', "en"),
        ("the girls' game, a 'grand opening' sign", "en"),
        ("a 'grand opening' sign for the girls'", "en"),
        ("at 11:27, q&a, 10,000 dollars, $2.52, #19, 50%, 360°", "en"),
        ("servant à 126 kilomètres/heure: «lent»", "fr"),
    ],
)
def test_joining_the_words_gives_back_the_sentence(text, language):
    assert join_words(tokenize_sentence(text, language)) == text


def test_joining_the_words_gives_back_every_sentence_of_multi30k(monkeypatch):
    if not (STAGED / "multi30k_en_fr").is_dir():
        pytest.skip("no staged multi30k_en_fr: set WHERE_TO_LOOK_DATA to the folder that holds it")
    from course_utils.data.phrases.parallel import load_translation_pairs

    monkeypatch.setenv("WHERE_TO_LOOK_DATA", str(STAGED))
    pairs = [pair for split in ("train", "validation", "test") for pair in load_translation_pairs(split=split)]
    assert len(pairs) == 31_014
    for pair in pairs:
        for sentence, language in zip(pair, ("fr", "en"), strict=True):
            normal = normalise(sentence).lower()
            assert join_words(tokenize_sentence(normal, language)) == normal


def test_the_vocabulary():
    vocabulary = Vocabulary.from_sentences([["le", "chat"], ["le", "chien"], ["le", "chat", "noir"]])
    assert vocabulary.words[:4] == ("<pad>", "<unk>", "<s>", "</s>")
    assert vocabulary.words[4:] == ("le", "chat", "chien", "noir")  # by frequency, then by name
    assert (PAD, UNKNOWN, BEGIN, END) == (0, 1, 2, 3) and len(vocabulary) == 8
    assert vocabulary.encode(["le", "chien"]) == [4, 6]
    assert vocabulary.decode(vocabulary.encode(["noir", "chat"])) == ["noir", "chat"]
    assert "chat" in vocabulary and "souris" not in vocabulary
    assert vocabulary.encode(["le", "deux"]) == [4, UNKNOWN]
    assert vocabulary.unknown_words(["deux", "le", "trois"]) == ["deux", "trois"]
    sentences = [["a", "a", "a", "b", "b", "c"]]
    assert Vocabulary.from_sentences(sentences, minimum_count=2).words[4:] == ("a", "b")
    assert Vocabulary.from_sentences(sentences, maximum_size=1).words[4:] == ("a",)
    assert Vocabulary(["a"]) == Vocabulary.from_sentences(sentences, maximum_size=1) != Vocabulary(["b"])


def test_errors_of_the_vocabulary():
    with pytest.raises(ValueError, match="no word occurs 1 times or more.*expected a non-empty corpus"):
        Vocabulary.from_sentences([])
    with pytest.raises(ValueError, match="no word occurs 3 times or more.*lower minimum_count"):
        Vocabulary.from_sentences([["a", "a"]], minimum_count=3)
    with pytest.raises(ValueError, match=r"holds \['a'\] twice or uses a special word; expected distinct"):
        Vocabulary(["a", "b", "a"])
    with pytest.raises(ValueError, match="special word; expected distinct words"):
        Vocabulary(["<pad>"])
    with pytest.raises(KeyError, match=r"unknown words \['deux'\]; expected words of the training vocabulary"):
        Vocabulary(["un"]).encode(["un", "deux"], strict=True)
    with pytest.raises(TypeError, match="words is the string 'le chat'; expected a sequence of words. Tokenise it"):
        Vocabulary(["le"]).encode("le chat")
    for outside in (5, -1):
        with pytest.raises(IndexError, match=rf"ids holds \[{outside}\]; expected 0 to 4. Was another vocabulary used"):
            Vocabulary(["le"]).decode([4, outside])
