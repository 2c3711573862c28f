"""Real French–English sentence pairs: Multi30k, and two larger sets for those who ask for them by name."""

import hashlib
import unicodedata

from course_utils.data.real import SPLITS, DataFormatError, load_real, no_such_split, real_source


def load_translation_pairs(
    name: str = "multi30k_en_fr", split: str = "train", source_language: str = "fr", target_language: str = "en"
) -> list[tuple[str, str]]:
    """Load sentence pairs from a set with a `translation` column.

    A set that has only a `train` split is divided 90 : 5 : 5 by a hash of the source sentence, the same on every
    machine; equal source sentences stay on one side. Pairs with an empty side are left out.

    Args:
        name: Key of `real.REAL_SOURCES`.
        split: `"train"`, `"validation"` or `"test"`; Multi30k has `"test_2017"`, `"test_2017_coco"` and `"test_2018"`,
            too, where it is not staged.
        source_language: Language code of the first of each pair.
        target_language: Language code of the second.

    Returns:
        Pairs `(source sentence, target sentence)` in the order of the file.

    Raises:
        RealDataError: as `real.load_real`; `DataFormatError` also where a language is missing.
    """
    divide = real_source(name).splits == ("train",)
    if divide and split not in SPLITS:
        raise no_such_split(name, split, SPLITS)
    rows = load_real(name, "train" if divide else split, columns=["translation"])["translation"][:]
    if missing := [language for language in (source_language, target_language) if language not in rows[0]]:
        raise DataFormatError(
            f"the translation column of {name} has no {', '.join(missing)}; it has {', '.join(rows[0])}."
        )
    pairs = [(row[source_language] or "", row[target_language] or "") for row in rows]
    pairs = [pair for pair in pairs if pair[0].strip() and pair[1].strip()]
    return [pair for pair in pairs if _hashed_split(pair[0]) == split] if divide else pairs


def _hashed_split(sentence: str) -> str:
    """Put a sentence into train (90 of 100), validation (5) or test (5) by a hash that ignores case and spacing."""
    text = " ".join(unicodedata.normalize("NFC", sentence).casefold().split())
    percent = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) % 100
    return "train" if percent < 90 else "validation" if percent < 95 else "test"
