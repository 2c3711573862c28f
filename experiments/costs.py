"""What remaking the evidence costs, beside its budget: from the seconds in results and on cards, and `budgets.yaml`."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import yaml

from course_utils.paths import data_folder

BUDGETS = Path(__file__).with_name("budgets.yaml")

_TOP = """## What the evidence costs

`python -m experiments costs` prints this table, in core-hours: the seconds on the cards of checkpoints times their
threads, and those of measurements, which count as one core each. Seconds of a busy machine count as they were. Real
data are beside the budget."""


def hours_of(synthetic: bool = True) -> dict[str, float]:
    """Core-hours today, on synthetic data or on all others together.

    Returns:
        By name of a checkpoint ("03-ram") or of a measurement's part ("03/rows"), of all seeds; "03/evaluation" is what
        a measurement takes beside training.
    """
    hours: dict[str, float] = Counter()
    for card, name in _read("checkpoints"):
        if (card["data"]["source"] == "default") == synthetic:
            hours[name] = card["seconds"] * card["threads"] / 3600
    for result, name in _read("results"):
        if (result["source"] == "default") == synthetic:
            parts = {part: recipes for part, recipes in result["settings"].items() if isinstance(recipes, dict)}
            for part, recipes in parts.items():
                seconds = sum(_trained(recipes, seed["metrics"]) for seed in result["measurements"])
                hours[f"{name[:2]}/{part}"] += seconds / 3600
                result["seconds"] -= seconds
            hours[f"{name[:2]}/evaluation"] += max(0, result["seconds"]) / 3600
    return hours


def _read(folder: str) -> Iterator[tuple[dict, str]]:
    for path in sorted(data_folder(folder).glob("[0-9][0-9]-*.json")):
        yield json.loads(path.read_text(encoding="utf-8")), path.stem


def _trained(recipes: dict, metrics: dict) -> float:
    """Seconds of a part's trainings of one seed; those of a model that another one goes on from count once."""
    shared = metrics.get("soft/seconds", 0) * any(r.get("soft_steps") for r in recipes.values() if isinstance(r, dict))
    return sum(metrics.get(f"{name}/seconds", 0) for name in recipes) - (shared if "soft" in recipes else 0)


def budgets() -> list[dict]:
    """The entries of `budgets.yaml`.

    Raises:
        ValueError: if a plan names what is neither a checkpoint nor a part.
    """
    entries, hours = yaml.safe_load(BUDGETS.read_text(encoding="utf-8")), hours_of()
    if unknown := sorted({name for entry in entries for step in entry["plan"] for name in step["of"]} - hours.keys()):
        raise ValueError(f"{BUDGETS.name} plans {', '.join(unknown)}; expected some of {', '.join(hours)}.")
    return entries


def planned_hours(entry: dict, hours: dict[str, float]) -> float:
    """What the lessons of an entry cost when its plan is done."""
    keep = {name: step["keep"] for step in entry["plan"] for name in step["of"]}
    return sum(keep.get(name, 1) * value for name, value in hours.items() if name[:2] in entry["lessons"])


def costs_page() -> str:
    """Write the costs, the budgets and the plan as the end of a page."""
    hours, beside, entries = hours_of(), hours_of(synthetic=False), budgets()
    rows, plan = [], []
    for entry in entries:
        label = " and ".join(str(int(lesson)) for lesson in entry["lessons"])
        mine, real = ({k: v for k, v in side.items() if k[:2] in entry["lessons"]} for side in (hours, beside))
        kinds = [sum(value for name, value in mine.items() if _kind(name) == kind) for kind in range(3)]
        rows.append((label, [*kinds, sum(kinds), entry["hours"], planned_hours(entry, hours), sum(real.values())]))
        steps = [
            f"{', '.join(step['of'])} {(now := sum(hours[name] for name in step['of'])):.2f} → "
            f"{step['keep'] * now:.2f}: {step['how']}"
            for step in entry["plan"]
        ]
        plan.append(f"- Lesson {label}: {'. '.join(steps) or 'nothing'}.")
    rows.append(("all", [sum(column) for column in zip(*(cells for _, cells in rows), strict=True)]))
    table = [f"| {name} | {' | '.join(f'{value:.2f}' for value in cells)} |" for name, cells in rows]
    heads = ("lesson", "checkpoints", "training for claims", "evaluation", "together", "budget", "planned", "real")
    head = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    return "\n".join([_TOP, "", *head, *table, "", "The plan, with what stays of today's core-hours:", "", *plan])


def _kind(name: str) -> int:
    return 0 if "/" not in name else 2 if name.endswith("/evaluation") else 1
