"""Maps of words over an image: what is lit, what is framed, what the alternative text says."""

import matplotlib.pyplot as plt
import numpy
import pytest

from course_utils.teaching.maps import DIMMEST, lit_image, plot_word_maps


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_the_most_attended_cell_keeps_its_brightness():
    image = numpy.full((3, 4, 8), 0.5)
    lit = lit_image(image, [[0.0, 0.1], [0.2, 0.05]])
    assert lit.shape == image.shape
    assert (lit[:, 2:, :4] == 0.5).all()  # row 1, column 0
    assert numpy.allclose(lit[:, :2, :4], 0.5 * DIMMEST)
    assert numpy.allclose(lit[:, :2, 4:], 0.5 * (DIMMEST + (1 - DIMMEST) / 2))
    assert (image == 0.5).all()
    red = numpy.stack([numpy.ones((4, 4)), *numpy.zeros((2, 4, 4))])
    seen, unseen = lit_image(red, [[1.0, 0.0]])[:, 0, [0, 2]].T
    assert seen.tolist() == [1, 0, 0] and numpy.allclose(unseen, DIMMEST / 3), "what is not attended is grey"
    assert numpy.allclose(lit_image(image, numpy.zeros((2, 2))), 0.5 * DIMMEST)


@pytest.mark.parametrize("shape", [(3, 2), (2, 3), (4,)])
def test_a_map_that_does_not_fit_is_refused(shape):
    with pytest.raises(ValueError, match=r"expected \(rows, columns\) that divide the image's 4 x 8"):
        lit_image(numpy.zeros((3, 4, 8)), numpy.ones(shape))


def test_every_word_gets_a_copy_and_nouns_get_frames():
    maps = numpy.zeros((3, 2, 2))
    maps[[0, 1, 2], [0, 1, 1], [1, 0, 1]] = 1.0
    words, gold = ["two", "dogs", "(end)"], {1: ((0, 4, 4, 8), (4, 4, 8, 8))}
    axes = plot_word_maps(
        numpy.ones((3, 8, 8)), words, maps, title="Dogs are seen", gold=gold, gates=[0.1, 0.875, 0.3], columns=2
    )
    grid = axes.figure.axes
    assert [small.get_title(loc="center") for small in grid] == ["the image", *words]
    assert [len(small.patches) for small in grid] == [0, 0, 2, 0]
    assert grid[2].get_xlabel() == "88 % let in" and axes.figure.get_suptitle() == "Dogs are seen"
    text, key = axes.figure.get_label(), axes.figure.get_supxlabel()
    assert "two: row 1, column 2, 10 % let in" in text and "dogs: row 2, column 1" in text
    assert text.startswith("Dogs are seen.") and all(word in key for word in ("colour", "orange", "gate"))


def test_what_is_not_drawn_is_not_explained():
    axes = plot_word_maps(numpy.ones((3, 8, 8)), ["two"], numpy.ones((1, 2, 2)), title="A look")
    assert "gate" not in axes.figure.get_supxlabel() + axes.figure.get_label()
    assert "orange" not in axes.figure.get_supxlabel()


def test_maps_and_words_must_match():
    with pytest.raises(ValueError, match="got 2 maps for 1 words; expected one for each"):
        plot_word_maps(numpy.ones((3, 8, 8)), ["dog"], numpy.ones((2, 2, 2)), title="")
