"""Everything in the repository that is made from something else, and what it is made from.

Checkpoints and results are made from the code that trains or measures, the values of their own recipes, and the
checkpoint they begin with; notebooks from the lesson's code, what it imports, its exercises, and the checkpoints and
results it shows. Gallery and pages are compared: is this the image or the text that would be written today?

Not here are the clock's records (bench.json, run_times.json, grading.json): they tell of a machine on a day. Versions
of libraries do not count; an artefact that depends on them names them.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path

from benchmarks.page import speed_page
from course_utils.exercises.registry import modules_of
from course_utils.teaching.run_times import load_run_times
from experiments import report
from experiments.experiment import Experiment
from experiments.runner import find_experiment
from tools import data_card, exercises, gallery
from tools.full_scale import full_scale_page
from tools.project import Project
from tools.refresh.fingerprint import Code, digest, written
from tools.reproducibility_page import reproducibility_page

AFTERWARDS = ("experiments.claims", "experiments.report", "experiments.snapshot", "experiments.costs",
              "experiments.gates", "benchmarks.page")  # fmt: skip
AFTERWARDS += ("tools.full_scale", "tools.reproducibility_page")
"""What is done to measurements afterwards; tests and pages compare it, so no measurement has to be repeated for it."""
VALUES = ("recipes", "settings", "checkpoints", "claims", "gates", "sources", "tolerances", "live_trainings")
TRAINING = [name for name in vars(Experiment) if name not in ("measure", *VALUES) and name[0] != "_"]


@dataclass(frozen=True)
class Artefact:
    """One derived thing."""

    name: str  # "kind/name"
    command: str  # what makes it, without `python -m`; what has the same command is made together
    upstream: tuple[str, ...] = ()  # names of artefacts that it is made from
    seconds: float | None = None  # what making it took, if it tells
    parts: dict[str, str] | None = None  # a hash for each thing that it is made from; None: it is compared
    differs: bool = False  # another one would be made today


class Finder:
    """Finds all artefacts of a checkout, in an order in which they can be made: `found`, by name.

    Values of recipes, and what is compared with, are those of the course that is imported.
    """

    def __init__(self, project: Project) -> None:
        self.project, self.root, self.code = project, project.root, Code(project.root)
        self.found: dict[str, Artefact] = {}
        self.figures = gallery.figures(project)
        paths = sorted(self.root.glob("experiments/lesson_*.py"))
        self.lessons = {path.stem.split("_")[1]: f"experiments.{path.stem}" for path in paths}
        for kind in (self._checkpoints, self._results, self._notebooks, self._gallery, self._pages):
            self.found |= {artefact.name: artefact for artefact in kind()}

    def _read(self, name: str) -> dict:
        path = self.root / "data" / f"{name}.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}

    def _parts(self, modules: Iterable[str], upstream: tuple = (), without: tuple = AFTERWARDS) -> dict[str, str]:
        """Hashes of code, and of the files of upstream checkpoints and results."""
        paths = [path for name in upstream for path in sorted((self.root / "data").glob(f"{name}.*"))]
        files = {path.relative_to(self.root).as_posix(): digest(_content(path)) for path in paths}
        return self.code.closure(modules, without) | files

    def _experiment(self, lesson: str, functions: Iterable[str], values: dict, upstream: tuple = ()) -> dict[str, str]:
        """Of an experiment counts what some functions need; a recipe by its values, and only for what it makes."""
        module = self.lessons[lesson]
        places = (import_module(module), find_experiment(lesson))

        def known(name: str) -> bool:
            return name in VALUES or any(_holds_recipes(getattr(place, name, None)) for place in places)

        part = self.code.part(module, functions, known)
        own = {module: digest(written(part)), "its recipe": digest(json.dumps(values, sort_keys=True, default=str))}
        return self._parts(self.code.imports_of(part) - {module}, upstream) | own

    def _checkpoints(self) -> Iterator[Artefact]:
        for lesson in self.lessons:
            experiment = find_experiment(lesson)
            for stem, recipe in experiment.checkpoints.items():
                name, start = f"checkpoints/{stem}", experiment.start_of(stem)
                upstream = (f"checkpoints/{start}",) if start else ()
                parts = self._experiment(lesson, TRAINING, recipe.configuration(), upstream)
                seconds = self._read(name).get("seconds")
                yield Artefact(name, f"experiments checkpoint {lesson} {stem}", upstream, seconds, parts)

    def _results(self) -> Iterator[Artefact]:
        stored = tuple(self.found)
        for path in sorted((self.root / "data" / "results").glob("[0-9][0-9]-*.json")):
            name, (lesson, _, source) = f"results/{path.stem}", path.stem.partition("-")
            result, settings = self._read(name), find_experiment(lesson).settings(source)
            parts = self._experiment(lesson, ["measure"], settings)
            seeds = f"--seeds {len(result['seeds'])} --work-folder runs/{digest(str(sorted(parts.items())))[:12]}"
            command = f"experiments run {lesson} --source {source} {seeds}"  # no seed measured with other code is taken
            yield Artefact(name, command, (), result["seconds"], parts)
            stored += (name,) * (source == "default")
        for module, upstream in (("benchmarks.operations", ()), ("tools.reproducibility", stored)):
            parts = self._parts([module, *self.lessons.values()], upstream)
            yield Artefact(f"results/{module.split('.')[1]}", f"{module} --write", upstream, None, parts)

    def _notebooks(self) -> Iterator[Artefact]:
        seconds = {entry["name"]: entry["seconds"] for entry in self._read("results/run_times").get("lessons", [])}
        for source in self.project.lesson_sources():
            stem, text = source.stem, source.read_text(encoding="utf-8")
            lessons = {stem[:2], *re.findall(r'load_results\("(\d\d)"', text)}
            stems = {name: name.partition("/")[2] for name in self.found}
            shown = tuple(name for name, made in stems.items() if made[:2] in lessons or f'"{made}"' in text)
            asked = [name for lesson in set(re.findall(r'"(\d\d)\.[a-z0-9-]+"', text)) for name in modules_of(lesson)]
            parts = self._parts([f"lessons.{stem}", "course_utils.teaching.bootstrap", *asked], shown, without=())
            command = f"tools.build_notebooks --force {stem}"
            yield Artefact(f"notebooks/{stem}", command, shown, seconds.get(stem), parts)
        card, image = ("checkpoints/02-additive-attention",), "tools.readme_figure"
        yield Artefact("images/alignment", image, card, None, self._parts([image], card))

    def _gallery(self) -> Iterator[Artefact]:
        shown = {Path(figure.path).stem: figure for figure in self.figures}
        folder = self.root / "docs" / "images" / "gallery"
        for stem in sorted(shown.keys() | {path.stem for path in folder.glob("*.png")}):
            figure, place = shown.get(stem), folder / f"{stem}.png"
            differs = figure is None or not place.exists() or place.read_bytes() != figure.png
            upstream = (f"notebooks/{figure.notebook}",) if figure else ()
            yield Artefact(f"gallery/{stem}", "tools.gallery", upstream, differs=differs)

    def _pages(self) -> Iterator[Artefact]:
        text = cache(lambda name: (self.root / name).read_text(encoding="utf-8"))
        shown = gallery.with_gallery(text("README.md"), gallery.table(self.figures, self.project))
        speed, full = speed_page(self._read("results/bench"), load_run_times()), self._read("results/operations")
        machines = reproducibility_page(self._read("results/reproducibility"))
        written_by = {  # command: pattern of upstream artefacts, and texts by page
            "experiments report --write": (r"results/\d", {"README.md#claims": report.with_claims(text("README.md")),
                                                           "docs/claims.md": report.claims_page()}),
            "tools.gallery": ("gallery/|images/", {"README.md#gallery": shown}),
            "benchmarks --page": ("-", {"docs/speed.md": speed}),
            "tools.full_scale": ("results/operations", {"docs/full_scale.md": full_scale_page(full)}),
            "tools.reproducibility --page": ("results/reproducibility", {"docs/reproducibility.md": machines}),
            "tools.data_card": ("-", {"data/README.md": data_card.updated(text("data/README.md"))}),
            "tools.exercises --write": ("-", {path.relative_to(self.root).as_posix(): made
                                              for path, made in exercises.made(self.project).items()}),
        }  # fmt: skip
        for command, (pattern, pages) in written_by.items():
            upstream = tuple(name for name in self.found if re.match(pattern, name))
            for name, made in pages.items():
                yield Artefact(f"pages/{name}", command, upstream, differs=text(name.partition("#")[0]) != made)


def _content(path: Path) -> str | bytes:
    """What a file says: of results without the reasons why they were accepted."""
    if path.parent.name != "results":
        return path.read_bytes()
    return json.dumps({**json.loads(path.read_text(encoding="utf-8")), "accepted": None}, sort_keys=True)


def _holds_recipes(value: object) -> bool:
    values = value.values() if isinstance(value, Mapping) else value if isinstance(value, (list, tuple)) else ()
    return (hasattr(value, "configuration") and not isinstance(value, type)) or any(map(_holds_recipes, values))
