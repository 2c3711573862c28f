"""What is recorded of every artefact, in data/fingerprints.json: a line for each that is not simply compared."""

import json
import re
from collections.abc import Iterable

from course_utils.files import write_whole
from tools.project import Project
from tools.refresh.artefacts import Finder
from tools.refresh.fingerprint import digest


class Record:
    """The artefacts of a checkout, as they are now, and their records.

    A record has `fingerprint`, the hash of all that it was made from; `made_from`, the beginning of the hash of each
    piece, which tells later what changed; `seconds`; and, if it was accepted without remaking, `reason` and `date`.
    """

    def __init__(self, project: Project) -> None:
        self.path, self.artefacts = project.root / "data" / "fingerprints.json", Finder(project).found
        self.records = json.loads(self.path.read_text(encoding="utf-8")) if self.path.exists() else {}
        self.stale: dict[str, str] = {}  # why each stale artefact is; one that is made from a stale one is stale, too
        for name, artefact in self.artefacts.items():
            above = [other for other in artefact.upstream if other in self.stale]
            more = f" and {len(above) - 2} more" if len(above) > 2 else ""
            why = [self._changed(name), f"made from stale {', '.join(above[:2])}{more}" if above else ""]
            self.stale |= {name: "; ".join(filter(None, why))} if any(why) else {}

    def seconds(self, name: str) -> float | None:
        """What making an artefact took, if anybody knows."""
        return self.artefacts[name].seconds or self.records.get(name, {}).get("seconds")

    def _changed(self, name: str) -> str:
        artefact, record = self.artefacts[name], self.records.get(name)
        if artefact.parts is None:
            return "not what would be made today" if artefact.differs else ""
        if record is None:
            return "no record"
        if record["fingerprint"] == _fingerprint(artefact.parts):
            return ""
        changed = [part for part, piece in _pieces(artefact.parts).items() if piece not in record["made_from"].split()]
        return f"changed: {', '.join(sorted(changed))}" if changed else "it no longer needs something"

    def select(self, words: Iterable[str]) -> list[str]:
        """The stale artefacts that words name.

        Raises:
            ValueError: if a word names no artefact.
        """
        chosen: set[str] = set()
        for word in words:
            named = {name for name in self.artefacts if word in ("all", name, *re.split(r"[/.]|(?<=\d\d)[-_]", name))}
            if not named:
                raise ValueError(f"{word!r} names no artefact; expected a lesson (04), a kind (pages), a name, or all.")
            chosen |= named
        return [name for name in self.stale if name in chosen]

    def keep(self, names: Iterable[str], taken: float | None = None, **more: str) -> None:
        """Record artefacts as made from what is there now; `taken` seconds, unless they tell."""
        for name in names:
            if parts := self.artefacts[name].parts:
                entry = {
                    "fingerprint": _fingerprint(parts),
                    "seconds": taken or self.seconds(name),
                    **more,
                }
                self.records[name] = {**entry, "made_from": " ".join(sorted(_pieces(parts).values()))}
        kept = sorted(self.records.keys() & self.artefacts.keys())
        lines = [f"{json.dumps(name)}: {json.dumps(self.records[name], ensure_ascii=False)}" for name in kept]
        write_whole(self.path, ("{\n" + ",\n".join(lines) + "\n}\n").encode())


def _pieces(parts: dict[str, str]) -> dict[str, str]:
    return {name: digest(f"{name} {value}")[:6] for name, value in parts.items()}


def _fingerprint(parts: dict[str, str]) -> str:
    return digest(json.dumps(sorted(parts.items())))[:16]
