"""One's own data: every form is read, every bad row is named, and the lessons train on what is left."""

import csv
import importlib
import json
import re
import warnings
from dataclasses import replace
from itertools import product
from math import isfinite
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from course_utils.data.own import COLUMNS, ENOUGH_ROWS, FEWEST_ROWS, MOST_WORDS, OwnDataError, load_own, own_vocabulary
from course_utils.data.real_errors import DataFormatError
from course_utils.data.real_sets import SPLITS
from tools.project import ROOT

EXAMPLES = ROOT / "data" / "examples"
ROWS = [{"source": f"le chat {number}", "target": f"the cat {number}"} for number in range(1, 13)]


def write_csv(path: Path, rows: list[dict], delimiter: str = ",") -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=delimiter, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_lines(path: Path, rows: list[dict]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def write_parquet(path: Path, rows: list[dict]) -> Path:
    import datasets

    datasets.Dataset.from_list(rows).to_parquet(path)
    return path


def write_texts(folder: Path, rows: list[dict], name: str = "{}.txt") -> Path:
    for column in rows[0]:
        text = "".join(f"{row[column]}\n" for row in rows)
        (folder / name.format(column)).write_text(text, encoding="utf-8")
    return folder


def write_images(folder: Path, count: int = 10) -> Path:
    """Draw shapes of one colour each; the ten of data/examples/04 are the first ten."""
    shapes = {"circle": ImageDraw.ImageDraw.ellipse, "square": ImageDraw.ImageDraw.rectangle}
    every = product(range(0, 40, 4), ("red", "green", "blue", "yellow", "black"), shapes)
    rows = []
    for number, (corner, colour, shape) in zip(range(1, count + 1), every, strict=False):
        image = Image.new("RGB", (64, 64), "white")
        shapes[shape](ImageDraw.Draw(image), (corner, corner, corner + 22, corner + 22), fill=colour)
        image.quantize(8).save(folder / f"shape_{number}.png", optimize=True)
        rows.append({"file_name": f"shape_{number}.png", "caption": f"a {colour} {shape}"})
    write_csv(folder / "metadata.csv", rows)
    return folder


def write_recordings(folder: Path, count: int = 10) -> Path:
    """Let the synthesizer say words; the ten of data/examples/06 are the first ten."""
    import soundfile

    from course_utils.data.speech.features import SAMPLE_RATE
    from course_utils.data.speech.utterances import Utterance, waveform

    words = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
    rows = []
    for number in range(count):
        said = (words[number % 10],) if number < 10 else (words[number % 10], words[number // 10 % 10])
        name = f"{'_'.join(said)}_{number}.flac"
        soundfile.write(folder / name, waveform(Utterance(said, "en-us", key=str(number))), SAMPLE_RATE)
        rows.append({"file_name": name, "transcript": " ".join(said)})
    write_lines(folder / "metadata.jsonl", rows)
    return folder


def read(source: Path | str, kind: str = "pairs", **options) -> tuple[dict[str, list], list[str]]:
    """What `load_own` gives back, and what it warns of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        splits = load_own(source, kind, options.pop("make", lambda **row: tuple(row.values())), **options)
    return splits, [str(one.message) for one in caught if str(source) in str(one.message)]


def together(splits: dict[str, list]) -> list:
    assert list(sorted(splits)) == sorted(SPLITS) and all(splits.values())
    return sorted(example for examples in splits.values() for example in examples)


RENAMED = [{"": 1, "English": row["target"], "FR": row["source"]} for row in ROWS]
FORMS = {
    "csv": lambda folder: write_csv(folder / "mine.csv", ROWS),
    "semicolons": lambda folder: write_csv(folder / "mine.csv", ROWS, ";"),
    "tsv": lambda folder: write_csv(folder / "MINE.TSV", ROWS, "\t"),
    "json lines": lambda folder: write_lines(folder / "mine.jsonl", ROWS),
    "parquet": lambda folder: write_parquet(folder / "mine.parquet", ROWS),
    "two text files": lambda folder: write_texts(folder, ROWS),
    "a folder": lambda folder: write_csv(folder / "mine.csv", ROWS).parent,
    "other names and order": lambda folder: write_csv(folder / "mine.csv", RENAMED),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_every_form_gives_the_same_splits(form, tmp_path):
    folder = tmp_path / "my [1] *data*"  # what a pattern of file names would take for one
    folder.mkdir()
    splits, said = read(form(folder))
    assert together(splits) == sorted((row["source"], row["target"]) for row in ROWS)
    assert [len(splits[split]) for split in SPLITS] == [10, 1, 1]
    assert len(said) == 1 and "12 rows show that everything runs" in said[0] and str(ENOUGH_ROWS) in said[0]


def test_rows_stay_in_their_split_when_others_are_added_and_equal_sources_stay_together(tmp_path):
    rows = [{"source": f"phrase {number % 60}", "target": f"{number}"} for number in range(120)]
    fewer, _ = read(write_csv(tmp_path / "few.csv", rows[:90]))
    more, _ = read(write_csv(tmp_path / "more.csv", rows[::-1]))
    for split in SPLITS:
        assert set(fewer[split]) <= set(more[split])
        others = [source for other in SPLITS if other != split for source, _ in more[other]]
        assert not {source for source, _ in more[split]} & set(others)


def test_splits_that_have_a_name_are_kept_and_a_missing_one_is_taken_from_training(tmp_path):
    write_texts(tmp_path, ROWS, "train.{}")
    write_texts(tmp_path, [{"source": f"essai {n}", "target": f"try {n}"} for n in range(3)], "test.{}.txt")
    splits, _ = read(tmp_path)
    assert [source for source, _ in splits["test"]] == ["essai 0", "essai 1", "essai 2"]
    assert sorted(splits["train"] + splits["validation"]) == sorted((row["source"], row["target"]) for row in ROWS)
    folder = tmp_path / "hub"
    for split in ("train", "valid", "test"):
        (folder / split).mkdir(parents=True)
        write_csv(folder / split / "part-0.csv", [{"source": f"{split} {n}", "target": "x"} for n in range(9)])
    splits, _ = read(folder)
    assert [splits[split][0][0] for split in SPLITS] == ["train 0", "valid 0", "test 0"]


def test_every_bad_row_is_listed_by_its_number_and_the_others_are_read(tmp_path):
    lines = ["\ufefffr,en", *(f"le chat {n},the cat {n}" for n in range(2, 9)), "un, deux, trois", "seul", ",nothing",
             '" ","\u200b"', f"{'mot ' * 61},words", '"dit ""oui"", puis non","says ""yes"", then no"']  # fmt: skip
    file = tmp_path / "mine.csv"
    file.write_bytes("\n".join([*lines, ""]).encode() + b"caf\xe9,coffee\n")
    splits, (said, _) = read(file)
    assert len(together(splits)) == 8 and ('dit "oui", puis non', 'says "yes", then no') in together(splits)
    assert said.startswith(f"{file}: 6 of 14 rows are left out: ") and said.endswith("Repair them, or go on without.")
    for reason in ("more fields than the first line", "target is empty (row 10)", "source is empty (row 11, 12)",
                   "source has more than 60 words (row 13)", "source is not text in UTF-8 (row 15)"):  # fmt: skip
        assert reason in said
    file = write_lines(tmp_path / "mine.jsonl", [*ROWS, {"source": 5, "target": "five"}, {"target": "alone"}, [1]])
    file.write_text(file.read_text() + '{"source": "cut o')
    reasons = (
        "source is not text but 5 (row 13); source is empty (row 14); it is not a JSON object on one line (row 15, 16)"
    )
    assert reasons in read(file)[1][0]
    many = write_csv(tmp_path / "many.csv", ROWS + [{"source": "", "target": f"{n}"} for n in range(30)])
    assert "(row 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, and 20 more)" in read(many)[1][0]


def test_a_row_that_an_example_cannot_be_made_of_is_left_out_too(tmp_path):
    def make(source: str, target: str) -> str:
        if target.endswith("7"):
            raise DataFormatError("sevens cannot be read.")
        return source

    splits, (said, _) = read(write_csv(tmp_path / "mine.csv", ROWS), make=make)
    assert len(together(splits)) == 11 and "sevens cannot be read (row 8)" in said


def test_labels_are_words_of_any_case_or_the_numbers_of_the_public_set(tmp_path):
    labels = ["entailment", "Neutral", "CONTRADICTION", 0, 1, 2, -1, "maybe", 3, None]
    rows = [{"premise": f"premise {n}", "hypothesis": "it is", "label": label} for n, label in enumerate(labels)]
    splits, (said, _) = read(write_lines(tmp_path / "mine.jsonl", rows), "inferences")
    assert [label for _, _, label in together(splits)] == ["entailment", "neutral", "contradiction"] * 2
    for value, row in ((-1, 7), ("maybe", 8), (3, 9)):
        assert f"label is '{value}'; expected entailment, neutral, contradiction (row {row})" in said
    assert "label is empty (row 10)" in said


def test_the_files_of_a_table_are_looked_for_beside_it(tmp_path):
    write_images(tmp_path, 8)
    (tmp_path / "shape_3.png").unlink()
    splits, (said, _) = read(tmp_path, "images")
    assert len(together(splits)) == 7 and all(file.is_file() for file, _ in together(splits))
    assert "there is no file 'shape_3.png' (row 4 of metadata.csv)" in said


UNUSABLE = {
    "a spreadsheet": (
        "mine.xlsx",
        b"PK",
        "holds mine.xlsx; expected a table with the columns source, target: .csv, .tsv",
    ),
    "no names": (
        "mine.csv",
        b"un,deux\nle chat,the cat\n",
        "columns un, deux; expected one named source or fr or french",
    ),
    "too few": ("mine.csv", b"fr,en\nun,one\ndeux,two\ndeux,too\n", "3 rows can be used, 2 without .*at least 5"),
    "nothing": ("mine.csv", b"", "0 rows can be used"),
    "open quotation": ("mine.csv", b'fr,en\n"never closed,' + b"x,y\n" * 90_000, "line 1: .*mark never closed"),
    "one side only": ("source.txt", b"un\ndeux\n", "expected a table .*own_data.md"),
}


@pytest.mark.parametrize(("name", "content", "message"), UNUSABLE.values(), ids=UNUSABLE)
def test_what_cannot_be_used_is_refused_in_a_sentence(name, content, message, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(OwnDataError, match=message):
        read(tmp_path / name)


def test_folders_that_cannot_be_used_are_refused_in_a_sentence(tmp_path):
    with pytest.raises(OwnDataError, match="holds nothing; expected a table .* or source.txt and target.txt"):
        read(tmp_path)
    with pytest.raises(OwnDataError, match="metadata.csv or metadata.jsonl beside the files"):
        read(tmp_path, "images")
    write_texts(tmp_path, ROWS)
    (tmp_path / "target.txt").write_text("the cat\n")
    with pytest.raises(OwnDataError, match=r"different numbers of lines \(source.txt has 12, target.txt has 1\)"):
        read(tmp_path)
    (tmp_path / "mine.parquet").write_bytes(b"PAR1 and then nothing")
    with pytest.raises(DataFormatError, match="mine.parquet from .* cannot be read"):
        read(tmp_path)


def test_a_wrong_path_is_told_with_the_name_that_may_be_meant(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_csv(tmp_path / "my_pairs.csv", ROWS)
    with pytest.raises(OwnDataError, match="SOURCE is 'reel'; expected 'default', 'real', or the path .*mean 'real'"):
        read("reel")
    with pytest.raises(OwnDataError) as refused:
        read("my_pair.csv")
    assert f"There is none at {tmp_path / 'my_pair.csv'}. Did you mean 'my_pairs.csv'?" in str(refused.value)
    assert together(read(" my_pairs.csv ")[0])


def test_of_too_many_words_the_most_frequent_are_kept():
    sentences = [[f"word{number}", "the"] for number in range(MOST_WORDS + 5)]
    with pytest.warns(UserWarning, match=f"mine.csv: {MOST_WORDS + 6} different words are too many"):
        assert own_vocabulary("mine.csv", sentences * 2).words[4] == "the"
    assert len(own_vocabulary("mine.csv", sentences[:FEWEST_ROWS])) == 4 + FEWEST_ROWS + 1
    assert own_vocabulary("mine.csv", sentences[:ENOUGH_ROWS]).words[4:] == ("the",)  # the others occur once


def test_the_page_names_every_column_and_every_example():
    page = (ROOT / "docs" / "own_data.md").read_text(encoding="utf-8")
    for columns in COLUMNS.values():
        for column in columns.values():
            assert all(f"`{name}`" in page for name in column.names)
    for folder in EXAMPLES.iterdir():
        assert f"data/examples/{folder.name}" in page


# What the lessons train on


def write_phrases(folder: Path, count: int) -> Path:
    numbers = {"deux": "two", "trois": "three", "quatre": "four", "cinq": "five"}
    things = {"chats": "cats", "chiens": "dogs", "maisons": "houses", "pommes": "apples"}
    colours = {"rouges": "red", "noirs": "black", "verts": "green", "jaunes": "yellow"}
    every = list(product(numbers, things, colours))
    rows = []
    for number, thing, colour in (every[k % len(every)] for k in range(count)):
        source, target = f"les {number} {thing} {colour}", f"the {numbers[number]} {colours[colour]} {things[thing]}"
        more = len(rows) % 3
        rows.append({"source": source + " et un chien" * more, "target": target + " and a dog" * more})
    return write_csv(folder / "pairs.csv", rows)


def write_inferences(folder: Path, count: int) -> Path:
    names, things = ("anna", "ben", "carl", "dora", "emil"), ("a dog", "a cat", "a house", "a tree")
    rows = []
    for number, (name, thing, other) in enumerate(product(names, things, things)):
        label = "entailment" if thing == other else ("neutral", "contradiction")[number % 2]
        said = f"{name} paints {other}" if label != "contradiction" else f"{name} paints nothing"
        rows.append({"premise": f"{name} paints {thing} and a bird", "hypothesis": said, "label": label})
    return write_csv(folder / "pairs.tsv", rows[:count], "\t")


def write_summaries(folder: Path, count: int) -> Path:
    towns, things, days = ("bern", "oslo", "rome", "york"), ("bridge", "school", "pool", "road"), ("monday", "friday")
    rows = [
        {
            "text": f"The {thing} of {town} is old. It will close on {day} for {weeks} weeks. Nobody knows why.",
            "summary": f"{town} closes its {thing} on {day}",
        }
        for town, thing, day, weeks in product(towns, things, days, ("two", "six"))
    ]
    return write_lines(folder / "texts.jsonl", rows[:count])


def trained_on(lesson: str, source: str | Path):
    """Data of one's own in the shape of a lesson's, and a model of the lesson after three steps on it."""
    if lesson not in WRITERS:
        pytest.fail(f"data/examples has a folder {lesson}; say here what loads and trains on data of one's own")
    loader, trainer, experiment = PLACES[lesson]
    experiment = importlib.import_module(f"experiments.lesson_{lesson}_{experiment}")
    recipe = {
        "01": lambda: experiment.REAL_FIXED,
        "02": lambda: experiment.REAL_ATTENTION,
        "04": lambda: experiment.LIVE["soft"],
        "05": lambda: replace(experiment.LIVE["word-by-word"], fresh=False, rename=False),
        "06": lambda: experiment.LIVE["location"],
        "07": lambda: experiment.RECIPES["real"]["ras-copy"],
    }[lesson]()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = own_loader(loader)(str(source))
    fit = importlib.import_module(f"experiments.{trainer}").fit
    return data, fit(replace(recipe, steps=3), data, 0, progress=False)[1]


PLACES = {
    "01": ("phrases", "translation", "bottleneck"), "02": ("phrases", "translation", "additive_attention"),
    "04": ("scenes", "captioning", "captioning"), "05": ("inference", "entailment", "entailment"),
    "06": ("speech", "speech", "speech"), "07": ("reports", "summarization", "summarization"),
}  # fmt: skip
"""The world in `data` that loads it, the module of `experiments` that trains on it, and the lesson's name."""
WRITERS = {
    "01": write_phrases, "02": write_phrases, "04": write_images, "05": write_inferences, "06": write_recordings,
    "07": write_summaries,
}  # fmt: skip


GOLD = {"01": "possible", "02": "possible", "04": "objects", "05": "alignment", "06": "phonemes", "07": "support"}


@pytest.mark.parametrize("lesson", WRITERS)
def test_a_lesson_trains_on_data_of_ones_own_and_knows_that_gold_is_missing(lesson, tmp_path):
    source = WRITERS[lesson](tmp_path, 64)
    data, history = trained_on(lesson, source)
    assert data.name == str(source) and data.draw is None and data.credit == "your own"
    assert len(data.train) + len(data.validation) + len(data.examples) == 64
    assert len(history.losses) == 3 and all(map(isfinite, history.losses))
    assert not any(any(getattr(example, GOLD[lesson])) for example in data.examples)


@pytest.mark.parametrize("folder", sorted(path.name for path in EXAMPLES.iterdir()))
def test_the_ten_rows_of_each_example_are_read_and_trained_on(folder):
    inside = list((EXAMPLES / folder).iterdir())
    data, history = trained_on(folder, inside[0] if len(inside) == 1 else EXAMPLES / folder)
    assert len(data.train) + len(data.validation) + len(data.examples) == 10
    assert all(map(isfinite, history.losses))


@pytest.mark.filterwarnings("ignore:.*little can be learned")
def test_images_and_recordings_that_cannot_be_read_are_left_out_of_a_lesson(tmp_path):
    from course_utils.data.scenes.own import own_photograph_data
    from course_utils.data.speech import own as recordings

    images, sounds = tmp_path / "images", tmp_path / "sounds"
    images.mkdir(), sounds.mkdir()
    (write_images(images) / "shape_2.png").write_bytes(b"no image")
    with pytest.warns(UserWarning, match=r"1 of 10 rows are left out: shape_2.png: the image cannot be read .*row 3"):
        assert len(own_photograph_data(images).train) == 7
    write_recordings(sounds)
    (sounds / "one_0.flac").write_bytes(b"no sound")
    table = sounds / "metadata.jsonl"
    table.write_text(table.read_text().replace('"transcript": "two"', '"transcript": "…"'))
    with pytest.warns(UserWarning, match=r"2 of 10 rows are left out: the .* \(one_0.flac\): .*row 1 .*\(row 2 of"):
        data = recordings.own_recording_data(sounds)
    assert {one.symbols for one in data.examples} and not data.examples[0].phonemes


def own_loader(world: str):
    """The function of a world that reads what `SOURCE` names."""
    if world in ("phrases", "reports"):
        name = {"phrases": "parallel.load_parallel", "reports": "data.load_summaries"}[world]
        module, _, function = name.partition(".")
        return getattr(importlib.import_module(f"course_utils.data.{world}.{module}"), function)
    module = importlib.import_module(f"course_utils.data.{world}.own")
    return next(getattr(module, name) for name in dir(module) if re.fullmatch(r"own_\w+_data", name))


@pytest.mark.parametrize("world", sorted({world for world, _, _ in PLACES.values()}))
def test_a_name_that_is_neither_a_source_nor_a_path_is_refused(world):
    with pytest.raises(OwnDataError, match="SOURCE is 'imaginary'; expected 'default', .*or the path"):
        own_loader(world)("imaginary")
