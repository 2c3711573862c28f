"""Where the course's own small files are: trained checkpoints, the results of the claims, and the lessons' sources."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def data_folder(kind: str) -> Path:
    """Find the folder `kind` of the course's data.

    In a checkout this is `data/<kind>`, where the documented commands also write, or `lessons`. In an installed
    package (Colab) it is the read-only copy that travels inside it.

    Args:
        kind: "checkpoints", "results" or "lessons".

    Returns:
        The folder, which exists.

    Raises:
        ValueError: `kind` is none of the three.
        FileNotFoundError: neither place holds the folder.
    """
    if kind not in ("checkpoints", "results", "lessons"):
        raise ValueError(f"kind is {kind!r}; expected 'checkpoints', 'results' or 'lessons'")
    places = [_PACKAGE / "_data" / kind]
    if (_PACKAGE.parent / "pyproject.toml").is_file():
        places.insert(0, _PACKAGE.parent / ("lessons" if kind == "lessons" else f"data/{kind}"))
    for place in places:
        if place.is_dir():
            return place
    searched = " and ".join(str(place) for place in places)
    raise FileNotFoundError(
        f"the course's {kind} were found neither beside nor inside the package (searched {searched}). "
        "Install the package again from the course's repository, or work in a complete checkout."
    )


def result_path(name: str) -> Path:
    """Path of one results file, for example "02-default.json"; it need not exist yet."""
    return data_folder("results") / name
