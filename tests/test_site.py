"""The built site: every link and anchor, every image's words, every heading; nothing comes from outside."""

import html
import json
import os
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest

from course_utils.teaching.glossary import TERMS
from course_utils.teaching.run_times import LessonTime, RunTimes
from tools.execution import FOREIGN_PATH
from tools.project import ROOT, Project
from tools.site import landing, lessons, reference, words
from tools.site.build import FROM_ELSEWHERE, Site
from tools.site.links import DeadLinkError, site_links

LARGEST_PAGE = 3_000_000  # bytes
FETCHED = {"script": "src", "link": "href", "img": "src", "iframe": "src", "audio": "src", "source": "src"}


class Page(HTMLParser):
    """What the checks need of a page: its anchors, its links, what it fetches, its images and headings."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors, self.links, self.fetched, self.silent, self.headings = set(), [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list) -> None:
        found = dict(attributes)
        self.anchors |= {found[name] for name in ("id", "name") if found.get(name)}
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if tag in FETCHED and found.get("rel") not in ("next", "prev", "search", "canonical"):
            self.fetched.append(found.get(FETCHED[tag]) or "")
        if tag == "img" and not found.get("alt") and found.get("alt") != "":
            self.silent.append(self.get_starttag_text()[:120])
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))


@pytest.fixture(scope="module")
def pages(site) -> dict[Path, Page]:
    found = [path for path in sorted(site.rglob("*.html")) if "_static" not in path.parts]
    return {path: Page(path.read_text(encoding="utf-8")) for path in found}


def test_every_document_and_every_notebook_is_a_page(site):
    expected = [path.relative_to(ROOT / "docs").with_suffix("").as_posix() for path in (ROOT / "docs").rglob("*.md")]
    expected += [f"notebooks/{path.stem}" for path in (ROOT / "notebooks").glob("[0-9]*.ipynb")]
    expected += [page.removesuffix(".md") for page in FROM_ELSEWHERE.values()]
    expected += [f"reference/{name}" for name in reference.modules(Project())]
    assert [page for page in expected if not (site / f"{page}.html").exists()] == []


def test_every_page_is_reached_from_the_first_one(site, pages):
    reached, waiting = {site / "index.html"}, [site / "index.html"]
    while waiting:
        page = waiting.pop()
        found = {local_target(page, link) for link in pages[page].links} & set(pages) - reached
        reached |= found
        waiting += found
    assert [path.name for path in pages if path not in reached and path.name != "search.html"] == []


def local_target(page: Path, link: str) -> Path | None:
    """The file that a link of a page leads to; None if it leads out of the site."""
    address = urlsplit(link)
    if address.scheme or address.netloc:
        return None
    return Path(os.path.normpath(page.parent / unquote(address.path))) if address.path else page


def test_links_and_anchors_lead_somewhere(pages):
    dead = []
    for path, page in pages.items():
        for link in page.links:
            target, anchor = local_target(path, link), unquote(urlsplit(link).fragment)
            if target is None:
                continue
            if not target.is_file() or (anchor and target in pages and anchor not in pages[target].anchors):
                dead.append(f"{path.name}: {link}")
    assert dead == []


def test_nothing_is_fetched_from_outside_and_all_of_it_is_there(pages):
    missing = []
    for path, page in pages.items():
        for source in page.fetched:
            address = urlsplit(source)
            local = not address.scheme and not address.netloc and (path.parent / unquote(address.path)).is_file()
            if not (local or address.scheme == "data" or not source):
                missing.append(f"{path.name}: {source[:100]}")
    assert missing == []


def test_mathjax_came_along(site):
    assert (site / "_static/mathjax/tex-chtml.js").stat().st_size > 500_000
    assert list((site / "_static/mathjax/output").rglob("*.woff"))


def test_pages_are_small_have_words_for_images_and_headings_in_order_and_no_path_of_this_machine(site, pages):
    for path, page in pages.items():
        assert path.stat().st_size <= LARGEST_PAGE and page.silent == [], path.name
        assert page.headings.count(1) >= 1, path.name
        jumps = [pair for pair in zip(page.headings, page.headings[1:], strict=False) if pair[1] > pair[0] + 1]
        assert jumps == [], f"{path.name} jumps from one heading's level to a lower one"
        text = re.sub(r"data:[\w/+.-]+;base64,[A-Za-z0-9+/=]+", "", path.read_text(encoding="utf-8"))
        assert str(ROOT) not in text, path.name
        assert not path.is_relative_to(site / "notebooks") or not FOREIGN_PATH.search(text), path.name


def test_the_first_page_is_alive_and_shows_the_ways_to_begin(site):
    text = (site / "index.html").read_text(encoding="utf-8")
    assert 'class="wtl words' in text and "show the gold alignment" in text
    address = Project().repository.removeprefix("https://github.com/")
    assert f"colab.research.google.com/github/{address}/blob/{Project().tag}/notebooks/00_start_here.ipynb" in text
    assert f"mybinder.org/v2/gh/{address}/{Project().tag}?" in text


def test_the_explorers_title_is_counted(site):
    text = (site / "index.html").read_text(encoding="utf-8")
    right, words_in_all = map(int, re.search(r"(\d+) of (\d+) English words", text).groups())
    assert 0 < right <= words_in_all == text.count('<input type="radio"')


def test_every_lesson_is_listed_with_its_question(site):
    text = (site / "lessons.html").read_text(encoding="utf-8")
    for lesson in lessons.lesson_pages(Project()):
        assert f'href="{lesson.page}.html"' in text
        assert lesson.question or lesson.path.stem.startswith("00")


def plain(path: Path) -> str:
    """What a page says, without its tags."""
    return html.unescape(re.sub("<[^>]*>", "", path.read_text(encoding="utf-8")))


def test_claims_say_how_they_were_measured(site):
    text, source = plain(site / "claims.html"), (ROOT / "docs" / "claims.md").read_text(encoding="utf-8")
    commands = re.findall(r"`(python -m experiments run [^`]+)`", source)
    assert len(commands) >= 10 and [command for command in commands if command not in text] == []
    assert text.count("holds") >= source.count("| **holds** |") > 20


def test_the_reading_list_has_every_paper_that_is_tested(site):
    text = (site / "reading.html").read_text(encoding="utf-8")
    papers = {
        claim["paper"]
        for path in (ROOT / "data" / "results").glob("[0-9][0-9]-*.json")
        for claim in json.loads(path.read_text(encoding="utf-8"))["claims"]
    }
    on_arxiv = {paper.removeprefix("arXiv:") for paper in papers if paper.startswith("arXiv:")}
    assert on_arxiv and [paper for paper in on_arxiv if f"arxiv.org/abs/{paper}" not in text] == []
    for paper in papers - {f"arXiv:{number}" for number in on_arxiv}:  # "Chopra et al. 2016"
        author, year = re.fullmatch(r"(\w+) et al\. (\d{4})", paper).groups()
        assert re.search(rf"<li>(?:(?!</li>).)*{author}(?:(?!</li>).)*{year}", text, flags=re.DOTALL), paper
    for article in ("distill.pub/2016/augmented-rnns", "wildml.com/2016/01", "blog.heuritech.com/2016/01/20"):
        assert article in text
    assert len(re.findall(r"github\.com/keras-team/keras/issues/\d+", text)) >= 3


def test_the_glossary_has_an_address_for_every_word(site, pages):
    anchors = pages[site / "glossary.html"].anchors
    for name in [name for term in TERMS for name in term.names]:
        expected = f"term-{re.sub(r'[^A-Za-z0-9]+', '-', name).strip('-')}".lower()
        assert any(anchor.lower().startswith(("term-", "index-")) for anchor in anchors)
        assert expected in {anchor.lower() for anchor in anchors} or name[0].isdigit(), expected


def test_lesson_0_and_the_glossary_have_the_same_words(site):
    first = json.loads((ROOT / "notebooks" / "00_start_here.ipynb").read_text(encoding="utf-8"))
    shown = "".join(
        "".join(output.get("data", {}).get("text/markdown", ""))
        for cell in first["cells"]
        for output in cell.get("outputs", [])
    )
    for term in TERMS:
        assert (f"**{term.names[0]}**" in shown) == (term.lesson == 0), "run `make notebooks LESSONS=00`"


# What the site is made of


def test_notebooks_are_shown_without_what_needs_a_kernel():
    project = Project()
    notebook = lessons.site_notebook(project.learner_notebooks / "02_additive_attention.ipynb", project)
    texts = [cell.source for cell in notebook.cells]
    assert not any("importlib.util.find_spec" in text for text in texts), "the set-up cell"
    assert not any("badge" in text for text in texts), "images of badges would be fetched"
    shown = [
        str(output.get("data", {}).get("text/plain", ""))
        for cell in notebook.cells
        for output in cell.get("outputs", [])
    ]
    assert not any(text.startswith("VBox(") or "0%|" in text for text in shown)


def test_a_fork_gets_its_own_addresses(tmp_path):
    text = '[project]\nversion = "2.0.0"\nurls.Repository = "https://github.com/somebody/copy"\n'
    (tmp_path / "pyproject.toml").write_text(text)
    links = lessons.launch_links(Project(tmp_path), "02_x")
    assert "github/somebody/copy/blob/v2.0.0/notebooks/02_x.ipynb" in links and "gh/somebody/copy/v2.0.0?" in links
    assert "somebody/copy" in landing.ways_to_begin(Project(tmp_path))


def test_a_new_lesson_is_picked_up(tmp_path):
    for folder in ("lessons", "notebooks"):
        (tmp_path / folder).mkdir()
    (tmp_path / "lessons" / "09_new.py").write_text("# %% [markdown]\n# # 9 · New\n")
    text = '[project]\nversion = "2.0.0"\nurls.Repository = "https://github.com/a/b"\n'
    (tmp_path / "pyproject.toml").write_text(text)
    texts = ["# 9 · New\n\n**The question of this lesson:** why?", "## Further reading\n\n- A paper"]
    cells = [nbformat.v4.new_markdown_cell(text) for text in texts]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "notebooks" / "09_new.ipynb")
    times = RunTimes("2 cores", "3.13", "2.15", 0.05, (LessonTime("09_new", "9 · New", 100.0, 9.0, "fit()", "1 GB"),))
    cards = lessons.lesson_cards(Project(tmp_path), times, {})
    assert "## [9 · New](notebooks/09_new.ipynb)" in cards and "Why?" in cards and "about 2 min" in cards
    assert "### 9 · New\n\n- A paper" in lessons.further_reading(Project(tmp_path))
    assert "notebooks/09_new" in Site(Project(tmp_path), tmp_path / "build")._groups()["Lessons"]


def test_run_times_are_those_of_the_file_or_say_that_nobody_measured():
    assert "Not measured yet" in words.run_times(None) and "make lessons OPTIONS=--record" in words.run_times(None)
    lesson = LessonTime("02_additive_attention", "2 · Attention", 200.0, 61.0, "fit(a | `b`)", "1.2 GB")
    text = words.run_times(RunTimes("2 cores, no GPU", "3.13.1", "2.15.0", 0.05, (lesson,)))
    assert "| [2 · Attention](notebooks/02_additive_attention.ipynb) | 3 min | 1 min: `fit(a / b)` | 1.2 GB |" in text
    assert "2 cores, no GPU" in text and "50 ms" in text


@pytest.fixture
def two_files(tmp_path):
    for name in ("docs/one.md", "docs/two.md", "tools/x.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    return tmp_path, {tmp_path / "docs/one.md": "one.md", tmp_path / "docs/two.md": "deep/two.md"}


def relinked(text, two_files, page="one"):
    root, page_files = two_files
    return site_links(text, root / "docs/one.md", page, page_files, root, "https://github.com/a/b")


def test_links_are_pointed_at_pages_and_else_at_the_repository(two_files):
    assert relinked("[a](two.md#x) [b](../tools/x.py) [c](#y) [d](https://e.f)", two_files) == (
        "[a](deep/two.md#x) [b](https://github.com/a/b/blob/main/tools/x.py) [c](#y) [d](https://e.f)"
    )
    assert relinked("[a](two.md)", two_files, page="other/one") == "[a](../deep/two.md)"


def test_code_is_no_link(two_files):
    text = "`[a](b.md)`\n\n```python\nx = f[0](y.md)\n```\n"
    assert relinked(text, two_files) == text


@pytest.mark.parametrize("target", ["three.md", "../../outside.md"])
def test_a_dead_link_is_named(target, two_files):
    with pytest.raises(DeadLinkError, match=rf"docs/one\.md links to '{re.escape(target)}'"):
        relinked(f"[a]({target})", two_files)


def test_indented_lines_of_a_docstring_are_code_unless_they_are_marked_already():
    lines = ["Say.", "", "    x = 1", "    y = 2", "", "Args:", "    name: of it.", "", "    more of it"]
    marked = [*lines[:2], ".. code-block:: text", "", *lines[2:]]
    reference.mark_code(None, "", "", None, {}, lines)
    assert lines == marked
    lines = ["Write::", "", "    x = 1", "", "    y = 2"]
    expected = list(lines)
    reference.mark_code(None, "", "", None, {}, lines)
    assert lines == expected


def test_what_is_gone_leaves_the_prepared_pages(tmp_path, monkeypatch):
    monkeypatch.setattr(Site, "_generated", lambda self: {})
    folder = tmp_path / "site"
    stray = folder / "source" / "notebooks" / "99_gone.ipynb"
    stray.parent.mkdir(parents=True)
    stray.write_text("{}")
    Site(Project(), folder).prepare()
    assert not stray.exists() and (folder / "source" / "index.md").exists()
