"""The table of real data sets: where each comes from, what it must contain, and who made it.

`python -m tools.data_card` writes the table of `data/README.md` from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

SPLITS = ("train", "validation", "test")

TEXT, INTEGER, FILE, PAIR, LIST = "text", "integer", "a file with bytes", "text per language", "list"
"""What a column may hold. FILE is an encoded image or sound and its path; PAIR is a text in "en" and one in "fr"."""

COLUMNS = {
    TEXT: ("premise", "hypothesis", "document", "summary", "article", "highlights", "word", "text", "speaker",
           "caption", *(f"caption_{number}" for number in range(5))),
    INTEGER: ("label",),
    FILE: ("image", "audio"),
    PAIR: ("translation",),
    LIST: ("digits", "objects", "vector", "words", "phones"),
}  # fmt: skip
"""The columns that the course reads, by what they must hold."""

_STRING = r"(large_)?string(_view)?( not null)?"
ARROW_TYPES = {
    TEXT: _STRING,
    INTEGER: r"u?int\d+",
    FILE: r"struct<(.*, )?bytes: (large_)?binary\b.*>",
    PAIR: rf"struct<\w+: {_STRING}(, \w+: {_STRING})*>",
    LIST: r"(struct|(large_|fixed_size_)?list)<.*",
}
"""The types of Arrow, as patterns of their names, that can hold it."""


class Hub(NamedTuple):
    """A data set on the hub."""

    id: str
    files: str = "data/{split}-*.parquet"
    revision: str | None = None  # commit; None = none is known, so it is what the hub has at the first download


@dataclass(frozen=True)
class RealSource:
    """Where a set of real data comes from (one of the last four; else it can only be staged), and what it must hold."""

    name: str  # also of its folder in a staged folder
    lessons: tuple[int, ...]
    columns: tuple[str, ...]  # those that must be there
    rows: str  # of each split, for the data card
    licence: str  # what one may do with it, in a phrase
    credit: str  # who made it
    size: str = "not measured"  # of its files, for the data card
    splits: tuple[str, ...] = SPLITS  # that the set itself has; the loader of its lesson makes the others of them
    hub: Hub | None = None
    address: str | None = None  # public folder of text files, a line per row and a file per language
    sha256: Mapping[str, tuple[str, str]] = field(default_factory=dict)  # of these, by <split>.<language>, after a name
    torchvision: str | None = None  # class of torchvision.datasets


_MULTI30K = (
    "https://raw.githubusercontent.com/multi30k/dataset/a3d2e0d26b56f3846f66a952536ffed4e401d05a/data/task1/raw/"
)
_MULTI30K_FILES = (
    ("train.en", "train.en.gz", "d79cfa999dd4c51d2cb42499b6796d5a882c3a8a961923c25a898c90f8bbd56f"),
    ("train.fr", "train.fr.gz", "622e75069e9f4c577425c4f277116ce66e63a2401c0a2312d90073cb12379a3c"),
    ("validation.en", "val.en.gz", "14f7d25ddd868909a9213e361768460edcacdd6ab9d1e77b92560dc10c10dc28"),
    ("validation.fr", "val.fr.gz", "ca3106f1a72390591d25f6c45cb4cd39dec4cd3f123e099748a3ce5256c160e9"),
    ("test.en", "test_2016_flickr.en.gz", "611d361c6334bc7246101d48097c13cf5c4413c5befc793cc629934359d532d9"),
    ("test.fr", "test_2016_flickr.fr.gz", "6d326e188d259fb1d04ac19eae3af956559b3a0b93d7635e56c90987c40c8b90"),
    ("test_2017.en", "test_2017_flickr.en.gz", "76a444ee25172e72695cddb13ae4a3bda59430617be88e0bb46b60504f054074"),
    ("test_2017.fr", "test_2017_flickr.fr.gz", "3ba671ceb2299f3304ffafefea7a833d08632fbaf0ba18546f8a2ec2391af496"),
    ("test_2017_coco.en", "test_2017_mscoco.en.gz", "aab300bfb4427697987e02cd0aacd44bfe8aa50456231b6474c08038bbed2b58"),
    ("test_2017_coco.fr", "test_2017_mscoco.fr.gz", "754f3072ba9f124569ba5258b32730fc1d214bbf8e0c6dfb2b74401676220db0"),
    ("test_2018.en", "test_2018_flickr.en.gz", "ef4f4844037d4c5dea75c9a8ed5fd78905967a26f67c255e230cc9780032654d"),
    ("test_2018.fr", "test_2018_flickr.fr.gz", "fb2b83fcceb937a4f7e3e93c1c51c22aba92f1e342391e6b5ba392b16a920501"),
)
_TABLE = (
    RealSource(
        "multi30k_en_fr", lessons=(1, 2), columns=("translation",),
        rows="29,000 / 1,014 / 1,000, and three later test sets", size="1.3 MB",
        licence="none stated by its authors; for research and education",
        credit="Multi30k task 1 (Elliott et al. 2016, 2017); English captions from Flickr30k (Young et al. 2014)",
        address=_MULTI30K, sha256={key: (file, digest) for key, file, digest in _MULTI30K_FILES},
    ),
    RealSource(
        "opus_books_en_fr", lessons=(1, 2), columns=("translation",), splits=("train",),
        rows="127,085 in one split, divided 90 : 5 : 5", size="21 MB",
        licence="'other' on its hub page, which gives the terms; the books themselves are free of copyright",
        credit="OPUS Books (Tiedemann 2012), books aligned by Andras Farkas",
        hub=Hub("Helsinki-NLP/opus_books", "en-fr/{split}-*.parquet", "1f9f6191d0e91a3c539c2595e2fe48fc1420de9b"),
    ),
    RealSource(
        "opus100_en_fr", lessons=(1, 2), columns=("translation",), rows="1,000,000 / 2,000 / 2,000", size="142 MB",
        licence="that of the corpora it was drawn from; none stated for the whole",
        credit="OPUS-100 (Zhang et al. 2020), drawn from OPUS (Tiedemann 2012)",
        hub=Hub("Helsinki-NLP/opus-100", "en-fr/{split}-*.parquet", "805090dc28bf78897da9641cdf08b61287580df9"),
    ),
    RealSource(
        "mnist", lessons=(3,), columns=("image", "label"), splits=("train", "test"),
        rows="60,000 / – / 10,000, the last 5,000 of the first for validation", size="12 MB",
        licence="CC BY-SA 3.0 as most say; its authors state none", credit="MNIST (LeCun, Cortes, Burges 1998)",
        torchvision="MNIST",
    ),
    RealSource(
        "svhn", lessons=(3,), columns=("image", "digits"), splits=("train", "test"),
        rows="33,402 / – / 13,068 photographs, the last tenth of the first for validation",
        licence="non-commercial use", credit="SVHN, full numbers (Netzer et al. 2011)",
        hub=Hub("ufldl-stanford/svhn", "full_numbers/{split}-*.parquet"),
    ),
    RealSource(
        "svhn_layouts", lessons=(3,), columns=("digits",), splits=("train", "test"),
        rows="boxes of 33,402 / – / 13,068 photographs, without the photographs", size="1 MB",
        licence="non-commercial use", credit="where the digits are in SVHN's photographs (Netzer et al. 2011)",
    ),
    RealSource(
        "tuxpaint_stamps", lessons=(4,), columns=("image", "caption"), splits=("train", "test"),
        rows="706 / – / 78, a tenth of the first for validation", size="3 MB", licence="GPL-2",
        credit="stamps of Tux Paint, with the names its artists gave them",
    ),
    RealSource(
        "coco_tiny_captions", lessons=(4,), columns=("image", "caption_0", "objects"), splits=("train", "validation"),
        rows="50 / 50 / –, to point at, too few to train on", size="8 MB",
        licence="annotations CC BY 4.0; each photograph has its own licence",
        credit="100 photographs of COCO 2017 (Lin et al. 2014) with captions and boxes",
    ),
    RealSource(
        "flickr8k", lessons=(4,), columns=("image", "caption_0"), rows="6,000 / 1,000 / 1,000",
        licence="none stated by its authors; for research and education",
        credit="Flickr8k (Hodosh, Young, Hockenmaier 2013)", hub=Hub("jxie/flickr8k"),
    ),
    RealSource(
        "flickr8k_1000", lessons=(4,), columns=("image", "caption_0"),
        rows="850 / 50 / 100 of Flickr8k, scaled to 200 pixels", size="18 MB",
        licence="none stated by its authors; for research and education",
        credit="1,000 photographs of Flickr8k (Hodosh, Young, Hockenmaier 2013)",
    ),
    RealSource(
        "snli", lessons=(5,), columns=("premise", "hypothesis", "label"), rows="550,152 / 10,000 / 10,000",
        licence="CC BY-SA 4.0", credit="SNLI (Bowman et al. 2015), on captions from Flickr30k (Young et al. 2014)",
        hub=Hub("stanfordnlp/snli", "plain_text/{split}-*.parquet", "cdb5c3d5eed6ead6e5a341c8e56e669bb666725b"),
    ),
    RealSource(
        "snli_dev", lessons=(5,), columns=("premise", "hypothesis", "label"), splits=("validation",),
        rows="9,842 in one split, divided 80 : 10 : 10", size="0.3 MB", licence="CC BY-SA 4.0",
        credit="development pairs of SNLI (Bowman et al. 2015) from e-SNLI (Camburu et al. 2018)",
    ),
    RealSource(
        "glove_100d", lessons=(5,), columns=("word", "vector"), splits=("train",),
        rows="the 20,000 most frequent words", size="4 MB", licence="PDDL 1.0",
        credit="GloVe of 100 dimensions (Pennington, Socher, Manning 2014)",
    ),
    RealSource(
        "fsdd", lessons=(6,), columns=("audio", "text", "speaker"), splits=("train", "test"),
        rows="2,700 / – / 300, divided again by speaker", size="15 MB", licence="CC BY-SA 4.0",
        credit="Free Spoken Digit Dataset (Jackson and others 2016 to 2020), six speakers",
    ),
    RealSource(
        "asterisk_prompts_en", lessons=(6,), columns=("audio", "text"), splits=("train", "test"),
        rows="498 / – / 55, of which 488 have times", size="15 MB", licence="CC BY-SA 3.0",
        credit="telephone prompts of Asterisk, read by Allison Smith, with times found by a machine",
    ),
    RealSource(
        "librivox_sample", lessons=(6,), columns=("audio", "text"), splits=("test",),
        rows="– / – / 5", size="0.7 MB", licence="public domain",
        credit="five sentences of Sense and Sensibility, read for LibriVox",
    ),
    RealSource(
        "librispeech", lessons=(6,), columns=("audio", "text"), splits=("validation", "test"),
        rows="– / 2,703 / 2,620", size="360 and 368 MB", licence="CC BY 4.0",
        credit="LibriSpeech (Panayotov et al. 2015), read for LibriVox",
        hub=Hub("openslr/librispeech_asr", "clean/{split}/*.parquet", "71cacbfb7e2354c4226d01e70d77d5fca3d04ba1"),
    ),
    RealSource(
        "debian_synopsis", lessons=(7,), columns=("document", "summary"), rows="27,232 / 1,000 / 1,000", size="3 MB",
        licence="each description that of its package, free by Debian's guidelines, mostly GPL",
        credit="descriptions and synopses of the packages of Debian 12, by their maintainers",
    ),
    RealSource(
        "cnn_dailymail", lessons=(7,), columns=("article", "highlights"),
        rows="287,113 / 13,368 / 11,490, of which the first 30,000 / 1,000 / 1,000 are read",
        licence="Apache 2.0 on its hub page; the articles belong to CNN and the Daily Mail",
        credit="CNN / Daily Mail (Hermann et al. 2015, See et al. 2017)",
        hub=Hub("abisee/cnn_dailymail", "3.0.0/{split}-*.parquet", "96df5e686bee6baa90b8bee7c28b81fa3fa6223d"),
    ),
    RealSource(
        "xsum", lessons=(7,), columns=("document", "summary"),
        rows="204,045 / 11,332 / 11,334, of which the first 30,000 / 1,000 / 1,000 are read",
        licence="none stated by its authors; the articles belong to the BBC", credit="XSum (Narayan et al. 2018)",
        hub=Hub("EdinburghNLP/xsum"),
    ),
)  # fmt: skip

REAL_SOURCES = {source.name: source for source in _TABLE}
"""All sets of real data by name. To add a set, add a row to the table."""
