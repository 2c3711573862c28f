"""Images of one's own with captions, in the shape of the real ones."""

from pathlib import Path

from course_utils.data.images import read_image
from course_utils.data.own import load_own, own_vocabulary
from course_utils.data.scenes.captions import Caption
from course_utils.data.scenes.photographs import Photograph, PhotographData
from course_utils.data.scenes.scenes import CANVAS
from course_utils.data.text import tokenize_sentence


def own_photograph_data(path: str) -> PhotographData:
    """Load a folder of images with captions; they have no gold boxes. For errors see `own.load_own`."""

    def captioned(file: Path, caption: str) -> Photograph:
        words = Caption(tuple(tokenize_sentence(caption, "en")))
        return Photograph(read_image(file.read_bytes(), CANVAS, file.name), (words,), {}, "your own")

    splits = load_own(path, "images", captioned)
    vocabulary = own_vocabulary(path, (photograph.words() for photograph in splits["train"]))
    train, validation, test = splits.values()
    return PhotographData(str(path), vocabulary, train, validation, {"test": test}, "your own")
