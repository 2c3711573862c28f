"""Explorers in a real browser: what hovering, keys, switches, the slider and the play button do.

Needs the packages of the extra "test" and Chromium (on Debian: `apt-get install chromium`); is skipped without.
"""

import re
import time
from functools import partial

import numpy
import pytest
from browser import axe_findings, contrast, luminance, needs_browser, open_browser, sync_api
from test_explorer import KINDS, alignment, every_kind, glimpses, speech, word_maps

pytestmark = [needs_browser, pytest.mark.slow]
PAGE = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Test</title>'
    '<meta name="viewport" content="width=device-width,initial-scale=1"></head>'
    "<body {}><main><h1>Test</h1>{}</main></body></html>"
)


@pytest.fixture(scope="module")
def pages():
    """Pages by their options, each opened once: a new one costs more than a test."""
    with open_browser() as browser:
        opened, problems = {}, []

        def page_with(**options):
            key = tuple(sorted(options.items()))
            if key not in opened:
                page = opened[key] = browser.new_context(reduced_motion="reduce", **options).new_page()
                page.on("pageerror", lambda error: problems.append(str(error)))
                page.on("request", lambda request: request.url.startswith("http") and problems.append(request.url))
            return opened[key]

        yield page_with, problems


@pytest.fixture
def open_page(pages):
    page_with, problems = pages
    problems.clear()

    def open_page(*explorers, body="", width=1280, content=None, **options):
        page = page_with(**options)
        page.set_viewport_size({"width": width, "height": 800})
        page.mouse.move(0, 0)
        page.set_content(content or PAGE.format(body, "".join(explorer.html for explorer in explorers)))
        return page

    yield open_page
    assert not problems, "an error in the script, or something was fetched"


def lit(place, index=0):
    """The light of every source of an explorer."""
    script = "root => [...root.querySelectorAll('.s')].map(s => +getComputedStyle(s).getPropertyValue('--w'))"
    return place.locator(".wtl").nth(index).evaluate(script)


def outlined(place):
    script = "nodes => nodes.map(node => parseFloat(getComputedStyle(node).outlineWidth) > 1)"
    return place.locator(".words .s b, .box").evaluate_all(script)


def says(page):
    return page.locator(".says").inner_text()


def becomes(expected, look, *arguments, patience=10):
    """Wait until something is seen: a busy machine hands the mouse on late."""
    end = time.monotonic() + patience
    while (seen := look(*arguments)) != expected and time.monotonic() < end:
        time.sleep(0.05)
    assert seen == expected


def test_hovering_lights_and_leaving_goes_back(open_page):
    page = open_page(alignment())
    becomes([0.9, 0.1, 0], lit, page)
    assert says(page) == "“the” looks at “les” 0.90, “chats” 0.10."
    page.locator(".t").nth(1).hover()
    becomes([0.02, 0.26, 0.72], lit, page)
    assert says(page).startswith("“black” looks at “noirs” 0.72")
    shown = page.locator(".s").evaluate_all("nodes => nodes.map(node => node.dataset.v || '')")
    assert shown == ["", ".26", ".72"] and page.locator(".threads path").count() == 3
    page.locator(".title").hover()
    becomes([0.9, 0.1, 0], lit, page)


def test_the_light_is_what_is_painted(open_page):
    """The bar is as long, and the ground as opaque, as the weight."""
    page = open_page(alignment())
    page.locator(".t").nth(1).hover()
    style = "s => [getComputedStyle(s.firstChild, '::before').opacity, getComputedStyle(s, '::before').backgroundSize]"
    becomes(["0.72", "100% 72%"], page.locator(".s").nth(2).evaluate, style)


@every_kind
def test_keys_choose(open_page, make):
    page = open_page(make())
    page.keyboard.press("Tab")
    while not page.evaluate("document.activeElement.type === 'radio'"):
        page.keyboard.press("Tab")
    before = says(page)
    page.keyboard.press("ArrowRight")
    assert says(page) != before and page.locator(".wtl").get_attribute("data-on") == "1"
    ring = page.locator(".t").nth(1).evaluate("label => getComputedStyle(label).outlineStyle")
    assert ring == "solid", "the focus must be seen"
    page.keyboard.press("ArrowLeft")
    assert says(page) == before


@every_kind
def test_gold_and_the_table_are_shown_when_switched_on(open_page, make):
    page = open_page(make())
    assert not page.locator("table").is_visible() and not page.locator(".plain").is_visible()
    page.locator(".t").nth(1).click()
    assert not any(outlined(page)) and "Truth" not in says(page)
    page.locator(".switch", has=page.locator(".gold")).click()
    assert outlined(page).count(True) == 1 and "Truth" in says(page)
    page.locator(".gold").press("Space")
    assert not any(outlined(page)) and "Truth" not in says(page)
    page.locator(".switch", has=page.locator(".all")).click()
    assert page.locator("table").is_visible()


def test_an_image_is_bright_where_a_word_attends(open_page):
    page = open_page(word_maps())
    page.locator(".t").nth(1).hover()
    becomes("1", page.locator(".wtl").get_attribute, "data-on")
    shade = page.locator(".s").evaluate_all("nodes => nodes.map(node => +getComputedStyle(node).opacity)")
    assert shade.index(min(shade)) == 6 and shade[6] == 0 and min(shade[:6] + shade[7:]) > 0.7
    cell, canvas = page.locator(".s").nth(6).bounding_box(), page.locator(".canvas").bounding_box()
    assert cell["x"] - canvas["x"] == pytest.approx(canvas["width"] / 2, abs=1)
    assert cell["y"] - canvas["y"] == pytest.approx(canvas["height"] / 4, abs=1)


def test_the_slider_walks_through_the_glimpses(open_page):
    page = open_page(glimpses())
    slider = page.locator(".slider")
    seen = "nodes => nodes.map(node => +getComputedStyle(node).opacity)"
    looks = page.locator(".look.sharp")
    assert looks.evaluate_all(seen) == [1, 0]
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert looks.evaluate_all(seen) == [0.45, 1] and says(page).startswith("Glimpse 2 of 2")
    assert page.locator(".t input").nth(1).is_checked()
    assert slider.get_attribute("aria-valuetext") == says(page)
    sprite, window = (page.locator(name).bounding_box() for name in (".window img", ".window"))
    assert window["x"] - sprite["x"] == pytest.approx(window["width"], abs=0.5)
    page.locator(".t").nth(0).click()
    assert slider.input_value() == "1" and looks.evaluate_all(seen) == [1, 0]


def test_the_button_plays_the_sound_under_the_attention(open_page):
    page = open_page(speech())
    page.locator(".t").nth(1).click()
    assert not page.locator("audio").is_visible()
    page.get_by_role("button", name="play what it listened to").click()
    assert float(page.locator(".wtl").get_attribute("data-from")) == pytest.approx(0.08), "a step before the attention"
    page.wait_for_function("!document.querySelector('.wtl').classList.contains('playing')")
    audio = page.locator("audio").evaluate("audio => [audio.error, audio.duration, audio.currentTime]")
    assert audio[0] is None and audio[1] == pytest.approx(0.23, abs=0.02)
    assert 0.19 <= audio[2] <= 0.23, "it stops a step after the attention"


def test_two_explorers_do_not_clash_nor_does_one_shown_twice(open_page):
    page = open_page(alignment(), alignment(numpy.eye(3)), alignment())
    for index in (0, 2):
        page.locator(".wtl").nth(index).locator(".t").nth(1).click()
    page.locator(".title").first.hover()
    for index, light in enumerate([[0.02, 0.26, 0.72], [1, 0, 0], [0.02, 0.26, 0.72]]):
        becomes(light, lit, page, index)
    assert page.locator(".t input:checked").count() == 3


def test_styles_alone_are_enough_to_choose(open_page):
    page = open_page(alignment(), java_script_enabled=False)
    becomes([0.9, 0.1, 0], lit, page)
    page.locator(".t").nth(1).hover()
    becomes([0.02, 0.26, 0.72], lit, page)
    page.locator(".t").nth(2).click()
    page.locator(".switch").nth(0).click()
    page.locator(".title").hover()
    becomes([0, 0.96, 0.04], lit, page)
    assert outlined(page) == [False, True, False]
    assert page.locator(".t input").nth(2).get_attribute("title").startswith("“cats” looks at “chats”")


@every_kind
def test_without_styles_and_scripts_a_plain_table_is_left(open_page, make):
    stripped = re.sub(r"<(style|script)>.*?</\1>", "", make().html, flags=re.DOTALL)
    page = open_page(content=PAGE.format("", stripped))
    assert page.locator("table").is_visible() and page.locator(".plain").first.is_visible()
    assert not page.locator(".t").first.is_visible() and not page.locator(".says").is_visible()
    assert page.locator("tbody th").nth(1).get_attribute("title") in make().description


def test_a_sandboxed_frame_is_enough(open_page):
    """Output frames of hosted notebooks have an origin of their own and no way out."""
    page = open_page()
    page.set_content('<iframe sandbox="allow-scripts" width="700" height="400"></iframe>')
    page.locator("iframe").evaluate("(frame, html) => { frame.srcdoc = html }", PAGE.format("", alignment().html))
    frame = page.frame_locator("iframe")
    frame.locator(".wtl.js .t").nth(1).hover()
    sync_api.expect(frame.locator(".says")).to_contain_text("“black” looks at", timeout=10_000)


LONG = partial(alignment, source=["les", "anticonstitutionnellement" * 4, "noirs"])


@pytest.mark.parametrize("make", [*KINDS.values(), LONG], ids=[*KINDS, "a long word"])
def test_a_telephone_needs_no_sideways_scrolling(open_page, make):
    page = open_page(make(), width=390)
    page.locator(".switch", has=page.locator(".all")).click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


THEMES = {
    "light": ({"color_scheme": "light"}, "", False),
    "dark": ({"color_scheme": "dark"}, "", True),
    "JupyterLab dark on a light desktop": ({"color_scheme": "light"}, 'data-jp-theme-light="false"', True),
    "JupyterLab light on a dark desktop": ({"color_scheme": "dark"}, 'data-jp-theme-light="true"', False),
    "site dark on a light desktop": ({"color_scheme": "light"}, 'data-theme="dark"', True),
}


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_every_theme_has_contrast(open_page, theme):
    options, body, dark = theme
    page = open_page(alignment(numpy.eye(3)), body=body, **options)
    page.locator(".switch", has=page.locator(".all")).click()
    colours = page.locator(".wtl").evaluate(
        """root => {
            const ground = getComputedStyle(root).backgroundColor;
            const full = getComputedStyle(root.querySelector('.s b'), '::before').backgroundColor;
            const chip = getComputedStyle(root.querySelector('.s b')).backgroundColor;
            const ink = (name) => [name, getComputedStyle(root.querySelector(name)).color];
            const plain = ['.title', '.hint', '.row-name', '.says', '.scale', '.switch', 'caption', 'th', 'td'];
            return [
                ...plain.map((name) => [...ink(name), ground]),
                [...ink('.s b'), full], [...ink('.s b'), chip], [...ink('.t'), full], [...ink('.t'), chip],
            ];
        }"""
    )
    assert (luminance(colours[0][2]) < 0.1) == dark
    for name, ink, ground in colours:
        assert contrast(ink, ground) >= 4.5, (name, ink, ground)
    gold = page.locator(".wtl").evaluate("root => getComputedStyle(root.querySelector('.s b')).outlineColor")
    assert contrast(gold, colours[0][2]) >= 3, "an outline must be told from the ground"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(open_page, scheme):
    page = open_page(*(make() for make in KINDS.values()), color_scheme=scheme)
    for switch in page.locator(".switch").all():
        switch.click()
    assert axe_findings(page) == []
