"""Explorers as HTML: what they say, what they refuse, and that they stay small, safe and the same."""

import base64
import io
import re
from html.parser import HTMLParser

import numpy
import pytest
import torch
from PIL import Image

from course_utils.data.speech.phonemes import Phoneme
from course_utils.teaching import explorer as explorers
from course_utils.teaching.explorer import MOST_BYTES, explore_alignment, explore_glimpses, explore_speech, page
from course_utils.teaching.explorer.media import sound_address

SOURCE, TARGET = ["les", "chats", "noirs"], ["the", "black", "cats"]
WEIGHTS = numpy.array([[0.9, 0.1, 0.0], [0.02, 0.26, 0.72], [0.0, 0.96, 0.04]])
GOLD = {(0, 0), (1, 2), (2, 1)}


def alignment(weights=WEIGHTS, source=SOURCE, target=TARGET, gold=GOLD, title="Two cats", **options):
    return explore_alignment(weights, source, target, gold, title=title, **options)


def word_maps(**changes):
    maps = numpy.full((2, 4, 4), 0.01)
    maps[1, 1, 2] = 0.85
    options = {"image": numpy.full((3, 16, 16), 0.5), "words": ["a", "cat"], "maps": maps, "title": "One cat"}
    return explorers.explore_word_maps(**(options | {"gold": {1: [[8, 4, 12, 8]]}} | changes))


def speech(**changes):
    features = numpy.random.default_rng(0).normal(size=(23, 40))
    weights = numpy.eye(6)[[1, 3]] * 0.8 + 0.02
    phonemes = [Phoneme("K", 40, 80), Phoneme("AE", 120, 160)]
    options = {"attention_weights": weights, "written": ["K", "AE"], "features": features, "phonemes": phonemes}
    samples = 0.5 * numpy.sin(numpy.arange(1840) / 3)
    return explore_speech(**(options | {"samples": samples, "title": "A sound"} | changes))


def glimpses(**changes):
    boxes = numpy.array([[[2, 2, 6, 6], [0, 0, 8, 8]], [[8, 8, 12, 12], [6, 6, 14, 14]]])
    options = {"image": numpy.eye(16), "boxes": boxes, "patches": numpy.full((2, 2, 1, 4, 4), 0.5)}
    options |= {"gold": [[8, 8, 14, 14]], "captions": ["says 3", "says 7"], "title": "Two glimpses"}
    return explore_glimpses(**(options | changes))


KINDS = {"words": alignment, "image": word_maps, "speech": speech, "glimpses": glimpses}
every_kind = pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)


class Reader(HTMLParser):
    """Collects the elements of a page and complains about wrong nesting."""

    VOID = {"input", "img"}  # and "line", which closes itself

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.text = [], [], []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data):
        if not {"script", "style"} & set(self.open):
            self.text.append(data)

    def all(self, kind):
        return [attributes for _, attributes in self.elements if kind in attributes.get("class", "").split()]


@every_kind
def test_html_is_well_formed_and_fetches_nothing(make):
    reader = Reader(make().html)
    for tag, attributes in reader.elements:
        assert not any(name.startswith("on") for name in attributes), attributes
        assert attributes.get("src", "data:").startswith("data:") and "href" not in attributes and tag != "link"
        assert tag != "img" or "alt" in attributes
    assert not re.search(r"url\(|@import|https?://(?!www\.w3\.org/2000/svg)", make().html)


@every_kind
def test_the_same_input_gives_the_same_bytes_and_another_one_another_name(make):
    first, again, other = make().html, make().html, make(title="Another").html
    assert first == again
    names = [re.search(r'id="(wtl-[0-9a-f]{10})"', text)[1] for text in (first, other)]
    assert names[0] != names[1] and names[0] not in other
    assert first.count(" id=") == 1, "more names than one could clash"


@every_kind
def test_targets_are_named_radio_buttons_and_changes_are_announced(make):
    reader = Reader(make().html)
    groups = [attributes for _, attributes in reader.elements if attributes.get("role") == "radiogroup"]
    buttons = [attributes for tag, attributes in reader.elements if attributes.get("type") == "radio"]
    assert len(groups) == 1 and groups[0]["aria-label"]
    assert len(buttons) == len(reader.all("t")) >= 2
    assert all(button["title"] for button in buttons) and ["checked" in button for button in buttons].count(True) == 1
    assert [attributes["aria-live"] for attributes in reader.all("says")] == ["polite"]


@every_kind
def test_without_style_and_script_a_table_with_titles_is_left(make):
    text = re.sub(r"<(style|script)>.*?</\1>", "", make().html, flags=re.DOTALL)
    reader = Reader(text)
    assert all(attributes["hidden"] == "hidden" for attributes in reader.all("live")), "JupyterLab drops an empty one"
    assert all("hidden" not in attributes for attributes in reader.all("numbers") + reader.all("plain"))
    heads = [attributes for tag, attributes in reader.elements if tag == "th" and attributes["scope"] == "row"]
    assert len(heads) == len(reader.all("t")) and all(head["title"] for head in heads)


def test_the_sentences_say_where_each_word_attends_and_should_have():
    first, second, third = alignment().description.splitlines()
    assert first == "“the” looks at “les” 0.90, “chats” 0.10. Truth: “les”; 0.90 of the attention lies there."
    assert second.startswith("“black” looks at “noirs” 0.72, “chats” 0.26.")
    assert third == "“cats” looks at “chats” 0.96. Truth: “chats”; 0.96 of the attention lies there."
    assert repr(alignment()) == "Two cats\n" + alignment().description
    assert "“la” (word 1) 0.90, “la” (word 2) 0.10" in alignment(source=["la", "la", "noirs"]).description
    assert alignment(torch.tensor(WEIGHTS, requires_grad=True)).html == alignment().html


def test_light_is_the_weight_and_gold_is_marked():
    rules = re.findall(r':is\(#[^{]*data-on="(\d)"[^{]*\{([^}]*)\}', alignment().html)
    assert [index for index, _ in rules] == ["0", "1", "2"]
    properties = dict(part.split(":") for part in rules[1][1].split(";"))
    assert properties == {"--k1": "1", "--s0": ".02", "--s1": ".26", "--s2": ".72", "--g2": "1"}
    without = alignment(gold=()).html
    assert "truth" not in without.split("<script>")[0].lower() and not Reader(without).all("gold")


def test_words_are_escaped_and_never_in_the_script():
    nasty = '</script><img src=x onerror="alert(1)">&\0'
    explorer = alignment(source=[nasty, "b", "c"], target=[nasty, "'", ""], title=f'"{nasty}')
    reader = Reader(explorer.html)
    assert not [attributes for tag, attributes in reader.elements if tag == "img"]
    assert nasty.replace("\0", "\ufffd") in reader.text
    scripts = [re.findall(r"<script>(.*?)</script>", one.html, flags=re.DOTALL) for one in (explorer, alignment())]
    assert scripts[0] == scripts[1]


def test_a_masked_row_is_said():
    weights = WEIGHTS.copy()
    weights[0] = numpy.nan
    explorer = alignment(weights)
    assert "“the” was masked: it has no attention weights." in explorer.description
    buttons = [attributes for _, attributes in Reader(explorer.html).elements if attributes.get("type") == "radio"]
    assert "checked" in buttons[1], "the first word with weights is chosen"
    assert "was masked" in alignment(numpy.full((3, 3), numpy.nan)).description


@pytest.mark.parametrize(
    ("make", "changes", "message"),
    [
        (alignment, {"weights": numpy.zeros((2, 3))}, r"shape \(2, 3\); expected .*one row per target word.*\(3, 3\)"),
        (alignment, {"weights": numpy.zeros((3, 3, 1))}, "one column per source word"),
        (alignment, {"weights": WEIGHTS * numpy.array([1, numpy.nan, 1])}, "NaN in a part of row 0.*weight 0"),
        (alignment, {"weights": numpy.where(WEIGHTS > 0.9, numpy.inf, WEIGHTS)}, "inf in row 2, place 1.*finite"),
        (alignment, {"weights": WEIGHTS - 0.5}, r"-0.4 in row 0, place 1.*after the softmax"),
        (alignment, {"weights": WEIGHTS * 9}, "8.1 in row 0, place 0.*0 to 1"),
        (alignment, {"weights": "heavy"}, "attention_weights is str"),
        (alignment, {"source": "les chats"}, r"source_words=\['les', 'chats'\]"),
        (alignment, {"target": []}, "target_words is empty"),
        (alignment, {"gold": {(0, 3)}}, r"link \(0, 3\).*source below 3"),
        (alignment, {"gold": {(-1, 0)}}, r"link \(-1, 0\)"),
        (alignment, {"gold": [3]}, "pairs"),
        (alignment, {"title": " "}, "expected the finding"),
        (word_maps, {"maps": numpy.zeros((3, 4, 4))}, "one map per word"),
        (word_maps, {"image": numpy.zeros((1, 3, 16, 16))}, "not a batch"),
        (word_maps, {"image": numpy.full((16, 16), 255)}, "Divide by 255"),
        (word_maps, {"gold": {2: [[0, 0, 1, 1]]}}, "gold has boxes for word 2.*0 to 1"),
        (word_maps, {"gold": {1: [0, 0, 1, 1]}}, r"gold\[1\] has shape \(4,\)"),
        (word_maps, {"gates": [0.5]}, r"gates has shape \(1,\); expected \(2,\)"),
        (speech, {"features": numpy.zeros((40, 23))}, "about 24 frames"),
        (speech, {"features": numpy.full((23, 40), numpy.nan)}, "features .* not finite"),
        (speech, {"phonemes": [Phoneme("K", 0, 40)] * 3}, "3 phonemes for 2 rows"),
        (speech, {"samples": numpy.zeros((2, 100))}, "one channel"),
        (speech, {"samples": numpy.full(100, 9000)}, "within -1 and 1"),
        (speech, {"samples": numpy.zeros(8000 * 20)}, "leave samples out"),
        (glimpses, {"boxes": numpy.zeros((2, 4))}, "glimpses, scales, 4"),
        (glimpses, {"patches": numpy.zeros((3, 2, 1, 4, 4))}, r"\(2, 2, 1 or 3, size, size\)"),
        (glimpses, {"captions": ["says 3"]}, "1 captions for 2 glimpses"),
    ],
)
def test_what_does_not_fit_is_refused(make, changes, message):
    with pytest.raises((ValueError, TypeError), match=message):
        make(**changes)


def test_sixty_words_over_sixty_fit_and_more_are_refused_with_advice():
    words = [f"quatre-vingt-{index}" for index in range(150)]
    explorer = alignment(numpy.full((60, 60), 1 / 60), words[:60], words[:60], {(i, i) for i in range(60)})
    assert len(explorer.html.encode()) <= MOST_BYTES
    with pytest.raises(ValueError, match=r"expected at most 150 KB.*Show fewer words"):
        alignment(numpy.full((150, 150), 1 / 150), words, words, ())


def test_attention_in_a_box_counts_cells_by_their_share():
    first, second = word_maps().description.splitlines()
    assert first == (
        "“a” looks most at the top left (row 1, column 1): 0.01. Truth: this word names nothing in the picture."
    )
    assert second.startswith("“cat” looks most at the middle (row 2, column 3): 0.85. Truth: 0.85 of the attention")
    assert "covers 0.06 of the picture" in second
    assert "Truth: 0.64 of" in word_maps(gold={1: [[8, 4, 11, 8]]}).description
    assert "its gate lets 0.20 through" in word_maps(gates=[0.1, 0.2]).description


def test_speech_says_when_and_how_much_of_it_was_right():
    first, second = speech().description.splitlines()
    gold = "Truth: it sounds from 0.04 to 0.08 s; 0.82 of the attention lies there."
    assert first == f"“K” listens most at 0.06 s: 0.82. {gold}"
    assert "from 0.12 to 0.16 s; 0.82" in second
    assert "<audio" not in speech(samples=None).html and "<audio" in speech().html


def test_glimpses_say_whether_they_hit():
    first, second = glimpses().description.splitlines()
    assert first == (
        "Glimpse 1 of 2 looks at column 4, row 4 of 16 by 16 pixels; says 3. "
        "Truth: the middle of this glimpse lies outside the gold box."
    )
    assert "in the gold box" in second
    assert not Reader(glimpses(gold=[[-1, -1, -1, -1]]).html).all("gold"), "a negative corner stands for no box"


def test_images_survive_the_way_into_the_page():
    image = numpy.random.default_rng(0).integers(0, 256, (3, 16, 16)) / 255
    address = re.search(r'class="canvas"[^>]*><img src="data:image/png;base64,([^"]+)"', word_maps(image=image).html)[1]
    decoded = numpy.asarray(Image.open(io.BytesIO(base64.b64decode(address))))
    assert (decoded == (image * 255).round().transpose(1, 2, 0)).all()


def test_the_sound_is_mu_law_of_the_same_loudness():
    samples = numpy.concatenate([numpy.sin(numpy.arange(800) / 5) * loud for loud in (0.01, 0.1, 1)])
    content = base64.b64decode(sound_address(samples, 8000).split(",")[1])
    assert content[8:16] == b"WAVEfmt " and content[20] == 7
    size = int.from_bytes(content[content.index(b"data") + 4 :][:4], "little")
    codes = ~numpy.frombuffer(content[-size:], numpy.uint8).astype(int) & 0xFF
    # ITU-T G.711: value = ((2 mantissa + 33) 2^exponent - 33), times 4 in 16 bits
    decoded = (((2 * (codes & 15) + 33) << ((codes >> 4) & 7)) - 33) * 4 / 32768 * numpy.where(codes & 0x80, -1, 1)
    assert len(decoded) == len(samples)
    assert content[:4] == b"RIFF" and len(content) == 8 + int.from_bytes(content[4:8], "little")
    assert numpy.abs(decoded - samples).max() < 0.035
    assert numpy.abs(decoded - samples)[:800].max() < 0.0008, "quiet sounds are kept finely"


def test_page_rules_forgive_a_browser_without_has():
    """One unknown selector in a list voids the whole rule, except within :is()."""
    style = re.search(r"<style>(.*?)</style>", alignment().html, flags=re.DOTALL)[1]
    for selector in re.findall(r"([^{}]*)\{[^{}]*--s\d", style):
        assert selector.startswith(":is(") and selector.endswith(")")
    assert page.GOLD_COLOUR in style
