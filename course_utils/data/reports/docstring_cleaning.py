"""From a docstring to a pair for summarization: what is cut away, what is dropped and why, and what belongs together.

PEP 257 asks for a summary line, a blank line, and a description. So the first paragraph is the headline and the running
text after it the source. `clean_docstring` returns the pair or the name of the rule in `RULES` that drops it;
`group_duplicates` finds the pairs that must not stand on two sides of a split.
"""

import hashlib
import re
from bisect import bisect
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import accumulate, chain, combinations
from typing import NamedTuple

from course_utils.data.text import tokenize_sentence

SUMMARY_WORDS, DESCRIPTION_WORDS = (3, 15), (12, 80)
"""Fewest and most words of each; longer descriptions are cut at the end of a sentence."""
LEAST_PROSE = 0.75
"""Least share of a side's words and marks that are made of letters, or are a comma or full stop."""
STOCK_PHRASE = 15
"""Descriptions in which a sentence may stand before it counts as a stock phrase."""
SHARED_WORDS, RUN = 8, 6
"""Descriptions are near-duplicates if a whole sentence of at least `SHARED_WORDS` words is the same, or if one has more
than half of the other's runs of `RUN` words."""
_COMMON_RUN = 40  # runs in more descriptions than this are idiom and prove nothing

RULES = {
    "no description": "nothing but sections, code or lists follows the first paragraph: there is no source",
    "no summary line": "the first paragraph has two sentences or ends in a colon or comma: it is no headline",
    "summary length": f"fewer than {SUMMARY_WORDS[0]} words say too little, more than {SUMMARY_WORDS[1]} are no line",
    "description length": f"fewer than {DESCRIPTION_WORDS[0]} words have nothing to shorten, or no sentence ends",
    "not prose": "formulas, signatures or tables, which words alone cannot summarize",
    "copy": "the description holds the summary word for word, so that copying would be learned",
    "stock phrases": f"too little is left once sentences that stand in over {STOCK_PHRASE} descriptions are cut out",
    "duplicate": "the same summary and description, apart from case, digits and punctuation, came before",
}
"""Name of a rule → why it drops a docstring; in the order in which they are tried."""


class Cleaned(NamedTuple):
    """The words of a summary, without its full stop, and of each sentence of its description; all in lower case."""

    summary: tuple[str, ...]
    sentences: tuple[tuple[str, ...], ...]

    @property
    def description(self) -> tuple[str, ...]:
        """The words of all sentences."""
        return tuple(chain(*self.sentences))


_SECTION = re.compile(
    r"(args|arguments|parameters|params|returns?|raises?|yields?|examples?|notes?|see also|references|attributes|"
    r"methods|warnings?|warns|other parameters|keyword arguments|kwargs|usage|todo|inputs?|outputs?|explanation|shape)"
    r"\s*:{0,2}",
    re.IGNORECASE,
)
_UNDERLINE = re.compile(r"\s*([=\-~^\"'*`#+])\1{2,}\s*")
_NOT_TEXT = re.compile(r"\s+|(:\w+[^:]*:\s)|\.\. |>>>|\.\.\. |[-*+] |\d+[.)] |\(\d+\)|@|\||\+-|#|\$|%|In \[")
_ENDS_TEXT = re.compile(r"\s*(>>> |:(param|return|rtype|raises?|type)\b|@param)")
_MARKUP = (
    (re.compile(r"`([^`<]+?)\s*<[^`>]*>`__?"), r"\1"),  # `text <address>`_
    (re.compile(r":[\w:+-]+:`[~!]?(?:[^`<]*\.)?([^`<.]+)(?:\s*<[^`>]*>)?`"), r"\1"),  # :class:`~package.Name`
    (re.compile(r"``([^`]*)``|`([^`]*)`_{0,2}"), r"\1\2"),
    (re.compile(r"\*\*(\S[^*]*)\*\*|(?<![\w*])\*(\w[^*]*)\*(?![\w*])"), r"\1\2"),
    (re.compile(r"\s*\[[\w, -]+\]_"), ""),  # [1]_
    (re.compile(r"\s*\(?\b(?:https?|ftp)://\S+"), ""),
    (re.compile(r"\|(\w+)\|"), r"\1"),
)


def clean_docstring(text: str) -> Cleaned | str:
    """Make a pair of a docstring, or name the rule that drops it.

    Cut away are sections (parameters, returns, examples and so on) and all that follows them, code, lists, tables and
    directives, and the markup of reStructuredText and Markdown; what is left is the running text under the summary.

    Args:
        text: the docstring, its indentation removed as `ast.get_docstring` does.
    """
    first, *others = re.split(r"\n[ \t]*\n", text.strip())
    paragraphs = _running_text(others)
    if not paragraphs:
        return "no description"
    summary_text = _plain(" ".join(first.split()))
    if re.search(r"[.!?]\s+[A-Z]", summary_text) or summary_text.endswith((":", ",", "...")):
        return "no summary line"
    summary = _words(summary_text.rstrip(". "))
    if not SUMMARY_WORDS[0] <= len(summary) <= SUMMARY_WORDS[1]:
        return "summary length"
    sentences = [_words(sentence) for paragraph in paragraphs for sentence in _sentences(paragraph)]
    lengths = list(accumulate(map(len, sentences)))
    pair = Cleaned(summary, tuple(sentences[: bisect(lengths, DESCRIPTION_WORDS[1])]))
    if len(pair.description) < DESCRIPTION_WORDS[0]:
        return "description length"
    if min(_prose(summary), _prose(pair.description)) < LEAST_PROSE:
        return "not prose"
    if f" {' '.join(summary)} " in f" {' '.join(pair.description)} ":
        return "copy"
    return pair


def _running_text(paragraphs: Iterable[str]) -> list[str]:
    """The paragraphs of prose up to the first section; code, lists, tables and directives left out."""
    found = []
    for paragraph in paragraphs:
        lines = paragraph.split("\n")
        heading = _SECTION.fullmatch(lines[0].strip()) or (len(lines) > 1 and _UNDERLINE.fullmatch(lines[1]))
        if heading or any(map(_ENDS_TEXT.match, lines)):
            break
        if not _NOT_TEXT.match(lines[0]):
            found.append(" ".join(line.strip() for line in lines))
    return found


def _plain(text: str) -> str:
    for pattern, replacement in _MARKUP:
        text = pattern.sub(replacement, text)
    return text


def _sentences(paragraph: str) -> list[str]:
    """Whole sentences; a line that introduces code with a colon goes with the code."""
    sentences = re.split(r"(?<=[.!?])\s+(?=[A-Z\"'(])", _plain(paragraph))
    return [sentence for sentence in sentences if sentence.rstrip().endswith((".", "!", "?", ".)"))]


def _words(text: str) -> tuple[str, ...]:
    return tuple(tokenize_sentence(text, "en"))


def _prose(words: Sequence[str]) -> float:
    return sum(bool(re.fullmatch(r"[a-z]+(?:['-][a-z]+)*|[.,]", word)) for word in words) / len(words)


def remove_stock_phrases(pairs: Sequence[Cleaned]) -> list[Cleaned | None]:
    """Cut out sentences that stand in more than `STOCK_PHRASE` descriptions, such as "read more in the user guide".

    Returns:
        The pairs in their order, None for those whose description is too short without.
    """
    counts = Counter(sentence for pair in pairs for sentence in set(pair.sentences))
    rest = [Cleaned(summary, tuple(s for s in own if counts[s] <= STOCK_PHRASE)) for summary, own in pairs]
    return [pair if len(pair.description) >= DESCRIPTION_WORDS[0] else None for pair in rest]


def normalised(words: Iterable[str]) -> str:
    """The text without case, punctuation and the values of numbers: equal for near-duplicates."""
    text = re.sub(r"\d+", "0", " ".join(words).casefold())
    return " ".join(re.findall(r"[^\W_]+", text))


def drop_duplicates(pairs: Iterable[Cleaned]) -> list[Cleaned]:
    """Keep the first of pairs that are equal once normalised."""
    first: dict[tuple[str, str], Cleaned] = {}
    for pair in pairs:
        first.setdefault((normalised(pair.summary), normalised(pair.description)), pair)
    return list(first.values())


def group_duplicates(pairs: Sequence[Cleaned]) -> list[int]:
    """Put pairs into groups that must stay on one side of a split.

    Together are pairs with the same normalised summary, with near-duplicates of a description (`SHARED_WORDS`, `RUN`),
    and whatever these connect.

    Returns:
        The number of each pair's group: the index of the first pair in it.
    """
    from scipy.cluster.hierarchy import DisjointSet

    groups, seen = DisjointSet(range(len(pairs))), {}
    for index, pair in enumerate(pairs):
        texts = [normalised(sentence) for sentence in pair.sentences]
        for key in (f"summary: {normalised(pair.summary)}", *(t for t in texts if len(t.split()) >= SHARED_WORDS)):
            groups.merge(index, seen.setdefault(key, index))
    for first, second in _overlapping([runs_of(pair.description) for pair in pairs]):
        groups.merge(first, second)
    first_of = {index: min(group) for group in groups.subsets() for index in group}
    return [first_of[index] for index in range(len(pairs))]


def runs_of(words: Sequence[str]) -> set[str]:
    """All runs of `RUN` words of a text, normalised; the whole text if it is shorter."""
    text = normalised(words).split()
    return {" ".join(text[start : start + RUN]) for start in range(max(1, len(text) - RUN + 1))}


def _overlapping(runs: Sequence[set[str]]) -> list[tuple[int, int]]:
    """Pairs of texts that share more than half of the shorter one's runs."""
    holders: dict[str, list[int]] = {}
    for index, own in enumerate(runs):
        for run in own:
            holders.setdefault(run, []).append(index)
    shared = Counter(chain(*(combinations(found, 2) for found in holders.values() if len(found) <= _COMMON_RUN)))
    return [(a, b) for (a, b), count in shared.items() if 2 * count > min(len(runs[a]), len(runs[b]))]


def split_of_group(summary: Sequence[str]) -> str:
    """The split of a group, by a hash of the summary of its first pair: 90 % "train", 5 % each of the others."""
    percent = int.from_bytes(hashlib.blake2b(normalised(summary).encode(), digest_size=8).digest(), "big") % 100
    return "train" if percent < 90 else "validation" if percent < 95 else "test"
