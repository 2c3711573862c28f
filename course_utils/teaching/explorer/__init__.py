"""Attention that can be explored: hover over a word, or reach it with the keyboard, and what it attends to lights up.

    explore_alignment(weights, source_words, target_words, gold, title="…")     # words over words
    explore_word_maps(image, words, maps, gold, title="…")                    # words over an image
    explore_speech(weights, written, features, title="…", samples=sound)        # phonemes over a spectrogram
    explore_glimpses(image, boxes, patches, gold=boxes_of_digits, title="…")  # a path of glimpses

The arguments are those of the figures of the same things in `plots`, `maps`, `sounds` and `images`. Each call
returns an `Explorer`, which a notebook shows when it is a cell's last expression or is given to `display`. The gold
alignment is hidden until the reader switches it on, so that there is something to guess.

An explorer is one piece of HTML that needs nothing else, no network and no kernel. It works on three floors: where
scripts run, it is complete; where only styles are allowed (a sandboxed frame), hovering and choosing still work; where
neither is (a notebook that is not trusted yet), a table of coloured words and small maps is left, with the numbers.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from course_utils.teaching.explorer.page import MOST_BYTES, Explorer

if TYPE_CHECKING:
    from course_utils.teaching.explorer.alignment import explore_alignment
    from course_utils.teaching.explorer.glimpses import explore_glimpses
    from course_utils.teaching.explorer.speech import explore_speech
    from course_utils.teaching.explorer.word_maps import explore_word_maps

__all__ = ["MOST_BYTES", "Explorer", "explore_alignment", "explore_glimpses", "explore_speech", "explore_word_maps"]


def __getattr__(name: str) -> object:
    """Import an explorer when it is asked for: that of speech loads the world of speech."""
    if not name.startswith("explore_") or name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{name.removeprefix('explore_')}"), name)
