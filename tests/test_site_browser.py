"""The site as people meet it: at a desk and on a telephone, by mouse, by keyboard, with a screen reader's eyes.

Screenshots are in build/screenshots.
"""

import re

import pytest
from browser import axe_findings, keep_screenshot, needs_browser, open_browser, serve, sync_api

from tools.project import ROOT, Project
from tools.site.build import FROM_ELSEWHERE

pytestmark = [needs_browser, pytest.mark.slow]
WIDTHS = {"desk": 1280, "telephone": 390}
LESSON = "notebooks/02_additive_attention"
REFERENCE = ["reference/index", "reference/course_utils.mechanisms.attention", "reference/course_utils.models.glimpses"]
PAGES = [
    *(path.relative_to(ROOT / "docs").with_suffix("").as_posix() for path in sorted((ROOT / "docs").rglob("*.md"))),
    *(f"notebooks/{path.stem}" for path in sorted(Project().learner_notebooks.glob("[0-9]*.ipynb"))),
    *(page.removesuffix(".md") for page in FROM_ELSEWHERE.values()),
    *REFERENCE,
    "search",
]
CODE = ".highlight"  # thousands of coloured words, all in the same few colours: one page is enough


@pytest.fixture(scope="module")
def browser():
    with open_browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def address(site):
    with serve(site) as served:
        yield served


@pytest.fixture(scope="module")
def opened(browser):
    """Pages by width and colour scheme, each opened once, and what went wrong on them."""
    pages, problems = {}, []

    def page_with(width: int, scheme: str):
        if (width, scheme) not in pages:
            context = browser.new_context(
                viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce"
            )
            page = pages[width, scheme] = context.new_page()
            page.on("pageerror", lambda error: problems.append(str(error)))
            page.on("response", lambda answer: answer.status >= 400 and problems.append(answer.url))
        return pages[width, scheme]

    return page_with, problems


@pytest.fixture
def visit(opened, address):
    page_with, problems = opened
    problems.clear()

    def visit(name: str, width: int = WIDTHS["desk"], scheme: str = "light"):
        page = page_with(width, scheme)
        outside = []
        page.on("request", lambda request: outside.append(request.url))
        page.goto(f"{address}/{name}")
        problems.extend(url for url in outside if not url.startswith((address, "data:", "blob:")))
        return page

    yield visit
    assert not problems, "an error in a script, a file that is missing, or something from outside"


def fits(page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_that_matters_and_no_page_scrolls_sideways(visit, name):
    assert fits(visit(f"{name}.html", WIDTHS["telephone"]))
    page = visit(f"{name}.html")
    assert fits(page)
    assert [found for found in axe_findings(page, (CODE,)) if found[0] != "minor"] == []


@pytest.mark.parametrize("name", ["index", "claims", LESSON, REFERENCE[1]])
def test_axe_finds_nothing_by_night(visit, name):
    page = visit(f"{name}.html", scheme="dark")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert [found for found in axe_findings(page, (CODE,)) if found[0] != "minor"] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_code_has_contrast(visit, scheme):
    page = visit("notebooks/00_start_here.html", scheme=scheme)
    assert [found for found in axe_findings(page) if found[0] != "minor"] == []


@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
def test_the_first_page_can_be_tried(visit, width):
    page = visit("index.html", width)
    words = page.locator(".wtl .t")
    words.nth(3).click()
    chosen = words.nth(3).inner_text()
    sync_api.expect(page.locator(".wtl .says")).to_contain_text(f"“{chosen}”")
    page.locator(".wtl .switch", has=page.locator(".gold")).click()
    sync_api.expect(page.locator(".wtl .says")).to_contain_text("Truth:")
    keep_screenshot(page, f"site-first-page-{width}", full_page=True)
    page.get_by_role("link", name="The lessons", exact=True).last.click()
    page.wait_for_url("**/lessons.html")
    keep_screenshot(page, f"site-lessons-{width}", full_page=True)


@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
def test_a_lesson_shows_its_formulas_and_its_explorers(visit, width):
    page = visit(f"{LESSON}.html", width)
    page.wait_for_selector("mjx-container", state="attached", timeout=60_000)
    page.wait_for_function(
        "document.querySelectorAll('.math').length <= document.querySelectorAll('mjx-container').length"
    )
    assert page.locator("mjx-merror").count() == 0
    explorer = page.locator(".wtl.js").first
    explorer.scroll_into_view_if_needed()
    explorer.locator(".t").nth(1).click()
    assert fits(page)
    keep_screenshot(page, f"site-lesson-explorer-{width}")
    page.evaluate("window.scrollTo(0, 0)")
    keep_screenshot(page, f"site-lesson-{width}")
    links = page.locator("article a[href*='colab.research'], article a[href*='mybinder.org']")
    assert links.count() == 2


@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
def test_the_search_finds_a_word_of_a_lesson(visit, width):
    page = visit("run_times.html", width)
    page.locator(".search-button__button:visible").first.click()
    page.locator("#pst-search-dialog input[type=search]").fill("alignment error rate")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=*")
    results = page.locator("#search-results li a")
    sync_api.expect(page.locator("#search-results")).to_contain_text(re.compile("found|matching"), timeout=30_000)
    titles = results.all_inner_texts()
    assert "Glossary" in titles and any(title.startswith("2 · ") for title in titles), titles
    page.wait_for_load_state("networkidle")  # each result fetches the lines around the word
    assert fits(page)
    keep_screenshot(page, f"site-search-{width}")


def test_a_telephone_unfolds_the_list_of_pages(visit):
    page = visit("claims.html", WIDTHS["telephone"])
    page.locator(".primary-toggle:visible").first.click()
    link = page.locator("#pst-primary-sidebar-modal").get_by_role("link", name="Glossary")
    sync_api.expect(link).to_be_visible()
    keep_screenshot(page, "site-menu-390")
    link.click()
    page.wait_for_url("**/glossary.html")


def test_wide_tables_are_cards_on_a_telephone(visit):
    page = visit("claims.html", WIDTHS["telephone"])
    cell = page.locator("table.cards tbody td:last-child").first
    assert cell.evaluate("cell => getComputedStyle(cell, '::before').content").startswith('"verdict')
    page.locator("table.cards").first.scroll_into_view_if_needed()
    keep_screenshot(page, "site-claims-390")


def test_the_keyboard_skips_to_the_text(visit):
    page = visit("claims.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#main-content"
