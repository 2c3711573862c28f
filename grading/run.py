"""Grade one submission in the sandbox: run its cells and the tests, and say what each test is worth."""

import time

from grading.restore import Plan, Unreadable, plan, read
from grading.sandbox import Died, Ending, Limits, Sandbox, TooLong, busy

RESTARTS = 8  # after so many cells that ended Python, the rest is not run
HIDDEN_HINT = (
    "Hidden tests call your function with inputs that the visible check does not use, and something is not right "
    "there. Think of other sizes, of edge cases, and of numbers typed in instead of computed."
)
NOT_ATTEMPTED = "Not attempted: the cell still holds its stub."


def grade(sandbox: Sandbox, limits: Limits, assignment: dict, text: str | bytes, seed: int | None = None) -> dict:
    """Grade the text of a notebook file.

    Returns:
        A result that JSON can hold: score, max_score, tests (id, exercise, points, max_points, cases, message,
        output), notes, look, answers, seconds, processor_seconds, megabytes, restarts, unreadable.
    """
    started = time.monotonic()
    try:
        notebook = read(text)
        made = plan(notebook, assignment)
    except Unreadable as error:
        tests = [_zero(name, test, str(error)) for name, e in assignment["exercises"].items() for test in e["tests"]]
        return _result(tests, Plan([]), started, Ending(), 0, str(error))
    outcomes, errors, use, restarts = _run(sandbox, limits, made, seed, started + limits.total_seconds * busy())
    tests = []
    for number, step in enumerate(made.steps):
        if step.test is not None:
            tests.append(_judge(step, outcomes.get(number, {"message": "It was not reached."}), errors))
    for number, message in errors.items():
        source = made.steps[number].source.strip().partition("\n")[0]
        made.notes.append(f"The cell that begins with “{source[:60]}”: {message}")
    for outcome in outcomes.values():
        for name in dict.fromkeys(outcome.get("replaced", [])):
            note = f"Your code replaced {name}, which belongs to the course; it was put back before the tests."
            if note not in made.notes:
                made.notes.append(note)
                made.look.append(f"{name} was replaced")
    return _result(tests, made, started, use, restarts, "")


def _run(sandbox: Sandbox, limits: Limits, made: Plan, seed: int | None, deadline: float):
    """Run a plan; begin anew without a cell that ended Python.

    Returns:
        Outcomes of the tests and errors of the cells by number of the step, what was used, and restarts.
    """
    outcomes: dict[int, dict] = {}
    errors: dict[int, str] = {}
    bad: set[int] = set()
    use, restarts = Ending(), 0
    while True:
        hidden = [number for number, step in enumerate(made.steps) if step.kind == "hidden"]
        conversation = sandbox.open(limits, len(hidden), deadline)
        died = None
        try:
            for number, step in enumerate(made.steps):
                if number in bad:
                    continue
                died = number
                if step.kind == "hidden":
                    conversation.ask({"do": "snapshot", "index": hidden.index(number)})
                elif step.kind == "check":
                    command = {"do": "test", "source": step.source, "variant": seed}
                    answer, printed = conversation.ask(command)
                    outcomes[number] = answer | {"printed": printed}
                else:
                    answer, printed = conversation.ask({"do": step.kind, "source": step.source})
                    if "error" in answer and step.kind == "cell":
                        errors[number] = _words(answer["error"])
            for index, number in enumerate(hidden):
                if number in bad:
                    continue
                try:
                    command = {"do": "test", "source": made.steps[number].source, "variant": seed}
                    outcomes[number] = conversation.ask(command, hidden=index)[0]
                except TooLong:
                    outcomes[number] = {"checks": [], "error": {"kind": "TooSlow"}}
                except Died as error:
                    outcomes[number] = {"message": str(error)}
            return outcomes, errors, use.and_then(conversation.close()), restarts
        except Died as error:
            use = use.and_then(conversation.close())
            bad.add(died)
            restarts += 1
            if made.steps[died].test is not None:
                outcomes[died] = {"message": str(error)}
            else:
                errors[died] = str(error)
            if restarts > RESTARTS or time.monotonic() > deadline or made.steps[died].kind == "settings":
                for number, step in enumerate(made.steps):
                    if step.test is not None:
                        outcomes.setdefault(number, {"message": str(error)})
                return outcomes, errors, use, restarts


def _words(error: dict) -> str:
    """An error in one line."""
    place = f" (line {error['line']})" if error.get("line") else ""
    message = error.get("message", "")
    if error["kind"] == "TooSlow":
        return f"It was stopped, because {message}."
    if "allocate" in message or error["kind"] == "MemoryError":
        return f"It asked for more memory than a submission may have{place}."
    return f"{error['kind']}: {message}{place}"


def _judge(step, outcome: dict, errors: dict[int, str]) -> dict:
    """Points and message of one test."""
    test, maximum = step.test, step.test["points"]
    judged = _zero(step.exercise, test, outcome.get("message", ""))
    judged["output"] = outcome.get("printed", "")
    if judged["message"]:
        return judged
    if "checks" not in outcome:
        return judged | {"message": "It was not reached."}
    error = outcome.get("error")
    if step.kind == "hidden":
        if error is None:
            return judged | {"points": maximum}
        kind = error["kind"]
        told = {
            "NotImplementedError": NOT_ATTEMPTED,
            "NameError": "The function was not defined when the tests ran.",
            "TooSlow": "Your function takes too long on the hidden tests' inputs: does it end for every input?",
            "AssertionError": HIDDEN_HINT,
        }
        raised = f"The hidden tests ended with a {kind}: your function raised it, or what it returned (None?) did."
        return judged | {"message": told.get(kind, f"{raised} {HIDDEN_HINT}")}
    if error is not None:
        problem = _words(error)
        if error["kind"] == "NameError":
            problem = "The function was not defined when the check ran. " + " ".join(errors.values())
        return judged | {"message": problem.strip()}
    findings = [finding for check in outcome["checks"] for finding in check["findings"]]
    if not all(check["attempted"] for check in outcome["checks"]) or not findings:
        return judged | {"message": NOT_ATTEMPTED}
    right = sum(hint is None for _, hint in findings)
    return judged | {"cases": findings, "points": round(maximum * right / len(findings), 4)}


def _zero(exercise: str, test: dict, message: str) -> dict:
    return {
        "id": test["id"],
        "exercise": exercise,
        "hidden": test["hidden"],
        "points": 0.0,
        "max_points": test["points"],
        "cases": [],
        "message": message,
        "output": "",
    }


def _result(tests: list[dict], made: Plan, started: float, use: Ending, restarts: int, unreadable: str) -> dict:
    return {
        "score": round(sum(test["points"] for test in tests), 4),
        "max_score": sum(test["max_points"] for test in tests),
        "tests": tests,
        "notes": made.notes,
        "look": sorted(set(made.look)),
        "answers": made.answers,
        "unreadable": unreadable,
        "restarts": restarts,
        "seconds": round(time.monotonic() - started, 2),
        "processor_seconds": round(use.processor_seconds, 2),
        "megabytes": round(use.megabytes),
    }
