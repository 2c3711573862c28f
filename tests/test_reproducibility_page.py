"""The page about other machines is that of the stored figures, and tells differences as they are."""

import json
import math

import pytest

from experiments.snapshot import LOSSES_AGREE, METRICS_AGREE
from tools.reproducibility import VARIANTS, compute, main
from tools.reproducibility_page import KEPT, PAGE, differing, reproducibility_page

pytestmark = pytest.mark.slow

needs_figures = pytest.mark.skipif(not KEPT.exists(), reason="not measured: python -m tools.reproducibility --write")


def snapshot(*losses, **figures):
    return {"losses": [list(losses)], "metrics": figures}


@pytest.mark.parametrize(
    ("now", "found"),
    [
        (snapshot(2.0, 1.0, bleu=10.0, steps=400.0), (0.0, 0.0, "")),
        (snapshot(2.0, 1.01, bleu=10.0, steps=400.0), (0.01, 0.0, "")),
        (snapshot(2.0, 1.0, bleu=12.5, steps=400.0), (0.0, 2.5, "bleu")),
        (snapshot(2.0, 1.0, bleu=11.0, steps=408.0), (0.0, 2.0, "steps")),  # above a hundred in per cent
        (snapshot(2.0, 1.0, bleu=math.nan, steps=400.0), (0.0, 0.0, "")),
    ],
)
def test_the_largest_differences_are_found(now, found):
    difference = differing(snapshot(2.0, 1.0, bleu=10.0, steps=400.0), now)
    assert (pytest.approx(difference["loss"]), pytest.approx(difference["figure"]), difference["worst"]) == found


FOUND = {
    "machine": "a processor",
    "versions": {"torch": "2.15.0"},
    "variants": [
        {"name": "once more", "threads": 1, "lessons": {"01": {"loss": 0.0, "figure": 0.0, "worst": ""}}},
        {"name": "older", "threads": 1, "lessons": {"01": {"loss": 2e-7, "figure": 0.5, "worst": "bleu"}}},
    ],
    "stored": {"01": {"loss": 0.004, "figure": 0.25, "worst": "bleu"}},
    "training": [{"figure": "bleu", "stored": [92.0, 93.5], "here": {"as it is": 92.5, "older": 91.25}}],
    "cards": [
        {"checkpoint": "02-x", "figure": "aer", "card": 0.06, "here": 0.061, "allowed": 0.02},
        {"checkpoint": "02-x", "figure": "bleu", "card": 99.0, "here": 99.0, "allowed": 1.5},
    ],
}


def test_the_page_tells_what_was_found():
    page = reproducibility_page(FOUND)
    assert "| 01 | the same | below 0.001 % (0.5) |" in page
    assert "| 01 | 0.4 % | 0.25 | bleu |" in page
    assert "| bleu | 92.0 | 92.5 | 91.2 | 92.0 to 93.5 |" in page
    assert "| 02-x | 2 | 1 | aer: 0.06 on the card, 0.061 here, 0.02 allowed |" in page


def test_only_whole_measurements_are_kept(capsys):
    with pytest.raises(SystemExit):
        main(["--write", "--lessons", "01"])
    assert "--write is for everything together" in capsys.readouterr().err


def test_what_is_computed_in_a_process_of_its_own_is_what_is_computed_here():
    first, again = (compute(VARIANTS[number], ("07",), trains=False) for number in (0, 1))
    assert first["lessons"] == again["lessons"] and first["training"] is None
    sums = first["lessons"]["07"]
    assert differing(sums, again["lessons"]["07"]) == {"loss": 0.0, "figure": 0.0, "worst": ""}


def test_the_first_variant_is_the_machine_as_it_is():
    assert VARIANTS[0].instructions == {} and VARIANTS[0].trains
    assert sum(variant.trains for variant in VARIANTS) > 1 and len({v.name for v in VARIANTS}) == len(VARIANTS)


@needs_figures
def test_the_page_is_that_of_the_stored_figures():
    found = json.loads(KEPT.read_text(encoding="utf-8"))
    assert PAGE.read_text(encoding="utf-8") == reproducibility_page(found), (
        "run: python -m tools.reproducibility --page"
    )


@needs_figures
def test_what_was_found_lies_within_what_tests_allow():
    found = json.loads(KEPT.read_text(encoding="utf-8"))
    for difference in found["stored"].values():
        assert difference["loss"] <= LOSSES_AGREE and difference["figure"] <= METRICS_AGREE
    assert all(abs(row["here"] - row["card"]) <= row["allowed"] for row in found["cards"])
    once_more = next(variant for variant in found["variants"] if variant["name"] == "once more")
    assert all(d["loss"] == d["figure"] == 0 for d in once_more["lessons"].values()), (
        "the same machine, the same numbers"
    )
