"""What an exercise is, and how an answer is tried.

An exercise has a **reference**, **cases** and one **list of mistakes**, each a hint and a function that makes it::

    EXERCISE = Exercise(
        Task("02.context", "Average the values by their weights", 1, 5, "(batch, value_size)"),  # ● of ●●●, 5 minutes
        context,
        sample,  # (generator, **sizes) -> arguments; a learner's own data, and those of the demands
        cases=[Case("The result is the sum of the values, each times its weight.", (WEIGHTS, VALUES))],
        demands=[differentiable("attention_weights", "values"), sizes(batch=1)],  # cases of every exercise's kind
        mistakes=[Mistake("The weights are not used: this is the plain mean.", lambda a, values: values.mean(1))],
        right=[lambda a, values: torch.einsum("bj,bjd->bd", a, values)],  # other styles, for the tests
    )

A case compares what the answer does with what the reference does. Where they differ, each mistake is run on the same
case, and the one that does what the answer did supplies the hint. Nothing else names a cause. The tests run every
mistake and every style as an answer.
"""

import inspect
import warnings
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field, fields, replace
from functools import partial
from operator import attrgetter
from typing import Any

import torch
from torch import Tensor, nn

from course_utils.exercises import compare, errors
from course_utils.exercises.show import given, show

NOT_JUDGED = "not judged until the case above is right"
UNKNOWN = "The course knows no mistake that gives this. Compare what came back with what was expected."
OWN_DATA = "On data made for you alone the result is the course's, too."
MANY = 25  # sentences, images, rows at once, where an exercise's sample takes them
OWN_DRAWS = 3  # calls that are compared on a learner's own data
UNTOUCHED = "Its arguments are as they were before the call."
KEEP = "Leave what you are given as it is: compute a new value, or work on a copy."


def call(answer: Callable, *arguments: object) -> object:
    """Observe an answer by what it returns."""
    return answer(*arguments)


@dataclass(frozen=True, eq=False)
class Mistake:
    """A mistake that learners make.

    Attributes:
        hint: what is wrong, and what to do.
        make: the reference's arguments in, the mistaken result out.
        ask: what an instructor may ask somebody who makes it.
    """

    hint: str
    make: Callable
    ask: str = ""


@dataclass(frozen=True, eq=False)
class Case:
    """A small input, and a sentence that says what is right.

    Attributes:
        says: the sentence.
        inputs: the arguments; or a function that makes them; or sizes for the exercise's `sample`.
        observe: `(answer, *arguments) -> what is compared`; a dictionary names several things, the result "returned".
        tolerance: largest absolute difference; the relative one is ten times as large.
        clean: arguments for the reference, if it is to be asked something else than the answer.
        note: a sentence for the message where the result is right and something else that is observed is not.
        seed: of the random state in which arguments are made and the answer is called.
    """

    says: str
    inputs: tuple | dict | Callable[[], tuple] = field(default_factory=dict)
    observe: Callable = call
    tolerance: float = 1e-5
    clean: Callable[[], tuple] | None = None
    note: str = ""
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Demand:
    """Cases that many exercises share.

    Attributes:
        statement: what the exercise's text tells learners.
        cases: makes them for an exercise.
    """

    statement: str
    cases: Callable[["Exercise"], list[Case]]


@dataclass(frozen=True)
class Finding:
    """What became of one case: `hint` is None if it is right."""

    case: str
    hint: str | None


@dataclass(frozen=True)
class Outcome:
    """What an answer did on a case: a plain value, or the error that it raised."""

    value: Any = None
    error: Exception | None = None

    def matches(self, other: "Outcome", tolerance: float) -> bool:
        """Say whether two answers did the same."""
        if self.error is None and other.error is None:
            return compare.same(self.value, other.value, tolerance)
        if self.error is None or other.error is None:
            return False
        return type(self.error) is type(other.error) and errors.words(self.error) == errors.words(other.error)


@dataclass(frozen=True)
class Task:
    """What a learner is asked for.

    Attributes:
        exercise_id: "NN.short-name", NN being the lesson.
        title: what the learner writes, in a few words.
        difficulty: 1 (a line or two) to 3 (think first).
        minutes: how long a learner should expect to take.
        returns: the dimensions of the result in words; those of several results with "; " between them.
    """

    exercise_id: str
    title: str
    difficulty: int
    minutes: int
    returns: str = ""


@dataclass
class Exercise:
    """One question: the course's own answer, the cases of a right one, and the mistakes that are known.

    Attributes:
        task: what is asked; its attributes are the exercise's, too.
        reference: the course's own answer; lessons go on with it until the learner's passes.
        sample: `(generator, **sizes) -> arguments`, for a learner's own data, and for the demands.
        cases: in the order in which they are shown, the main one first.
        mistakes: the likeliest first; of several that do what an answer did, the one that does so most often.
        right: answers in other styles, which have to be accepted.
        demands: cases that many exercises share.
    """

    task: Task
    reference: Callable
    sample: Callable[..., tuple]
    cases: list[Case]
    mistakes: list[Mistake]
    right: list[Callable] = field(default_factory=list)
    demands: list[Demand] = field(default_factory=list)
    _made: dict = field(default_factory=dict, init=False, repr=False)  # outcomes of mistakes, by case and mistake

    exercise_id, title, difficulty, minutes, returns = (
        property(attrgetter(f"task.{one.name}")) for one in fields(Task)
    )

    @property
    def parameters(self) -> list[str]:
        """The names of the reference's arguments."""
        return list(inspect.signature(self.reference).parameters)

    def all_cases(self, variant: int | None = None) -> list[Case]:
        """The exercise's own cases, those of its demands, and those on data of a learner's own."""
        cases = [*self.cases, *(case for demand in self.demands for case in demand.cases(self))]
        many = [name for name in ("batch", "rows") if name in inspect.signature(self.sample).parameters]
        cases += [Case(f"Other sizes work, too: {name} = {MANY}.", {name: MANY}, seed=7) for name in many]
        cases.append(Case(UNTOUCHED, observe=partial(_changes, self.parameters), note=KEEP))
        if variant is not None:
            cases.append(Case(OWN_DATA, partial(self._own_arguments, variant), observe=_several))
        return cases

    def arguments(self, case: Case, clean: bool = False) -> tuple:
        """Make a case's arguments anew."""
        inputs = case.clean if clean and case.clean else case.inputs
        if isinstance(inputs, dict):
            return self.sample(torch.Generator().manual_seed(case.seed), **inputs)
        return deepcopy(inputs() if callable(inputs) else inputs)

    def examine(self, answer: Callable, variant: int | None = None) -> list[Finding]:
        """Try every case on an answer, whatever the answer does.

        Args:
            answer: the learner's function.
            variant: the seed of the learner's own data, tried after the cases; None: no such data.

        Returns:
            A finding for each case. The first that is wrong says what was given, what came back, what was expected
            and, if the mistake is known, what it is; the others that are wrong are not judged.

        Raises:
            NotImplementedError: if the answer is still the stub.
        """
        cases, findings = self.all_cases(variant), []
        outcomes: list[Outcome] = []
        facts: dict[int, str] = {}  # what is wrong, by the number of the case
        for number, case in enumerate(cases):
            outcome, expected = self._run(answer, case), self._run(self.reference, case, clean=True)
            if expected.error is not None:
                raise expected.error
            if outcome.error is None:
                found = compare.difference(outcome.value, expected.value, self.returns, case.tolerance)
            else:
                given_now = () if case.observe is _several else self.arguments(case)
                found = errors.describe(outcome.error, answer, dict(zip(self.parameters, given_now, strict=False)))
            outcomes.append(outcome)
            if found is not None:
                facts[number] = found
            findings.append(Finding(case.says, NOT_JUDGED if found else None))
        if facts:
            first = min(facts)
            mistake = self._recognise(cases, outcomes, sorted(facts))
            message = self._explain(cases[first], outcomes[first], facts[first], mistake)
            findings[first] = replace(findings[first], hint=message)
        return findings

    def forget(self) -> None:
        """Drop what is remembered of mistakes; what they do is worked out again when it is needed."""
        self._made.clear()

    def _run(self, function: Callable, case: Case, clean: bool = False) -> Outcome:
        dtype = torch.get_default_dtype()
        with torch.random.fork_rng(devices=[]), torch.enable_grad():  # whatever an answer switches is switched back
            torch.manual_seed(case.seed)
            arguments = self.arguments(case, clean)
            try:
                return Outcome(compare.plain(case.observe(function, *arguments)))
            except Exception as error:
                if errors.is_stub(error) and self.cases[:1] in ([], [case]):
                    raise
                return Outcome(error=error)
            finally:
                torch.set_default_dtype(dtype)

    def _explain(self, case: Case, got: Outcome, fact: str, mistake: Mistake | None) -> str:
        """The message of the first case that is wrong."""
        lines = []
        if case.observe is not _several:
            lines.append(_column("given", given(self.parameters, self.arguments(case))))
        value, expected, name, note = got.value, self._run(self.reference, case, clean=True).value, "returned", ""
        if got.error is None:
            if case.observe is not call and isinstance(value, dict):  # several things: the first that is wrong
                name = next(k for k in expected if not compare.same(value.get(k), expected[k], case.tolerance))
                value, expected = value.get(name), expected[name]
                note = case.note if name != "returned" and isinstance(value, str) else ""
            lines += [_column(name, show(value)), _column("expected", show(expected))]
            hidden = show(value) == show(expected) or "…" in show(value)
            place = compare.first_difference(value, expected, case.tolerance) if hidden else None
            lines += [_column("differs", place)] if place else []
        told = [fact.removeprefix(compare.DIFFER), note, mistake.hint if mistake else ""]
        lines += [line for line in dict.fromkeys(told) if line] or [UNKNOWN]
        return "\n".join(lines)

    def _recognise(self, cases: list[Case], outcomes: list[Outcome], wrong: list[int]) -> Mistake | None:
        """Find the mistake that does what the answer did, up to the first wrong case and on half of all wrong ones.

        Of several, the one that does so on most cases.
        """
        first, best, most = wrong[0], None, 0
        expected = self._run(self.reference, cases[first], clean=True)
        for number, mistake in enumerate(self.mistakes):
            made, tolerance = self._of_mistake(cases[first], number), cases[first].tolerance
            if not made.matches(outcomes[first], tolerance) or made.matches(expected, tolerance):
                continue
            pairs = zip(cases, outcomes, strict=True)
            agrees = [self._of_mistake(case, number).matches(outcome, case.tolerance) for case, outcome in pairs]
            if all(agrees[:first]) and 2 * sum(agrees[k] for k in wrong) >= len(wrong) and sum(agrees) > most:
                best, most = mistake, sum(agrees)
        return best

    def _of_mistake(self, case: Case, number: int) -> Outcome:
        key, mistake = (case.says, number), self.mistakes[number]
        with warnings.catch_warnings(action="ignore"):  # a mistake's warnings are not the learner's
            if case.says == OWN_DATA:
                return self._run(mistake.make, case)
            if key not in self._made:
                self._made[key] = self._run(mistake.make, case)
        return self._made[key]

    def _own_arguments(self, variant: int) -> tuple:
        generator = torch.Generator().manual_seed(variant)
        return tuple(self.sample(generator) for _ in range(OWN_DRAWS))


def _several(answer: Callable, *calls: tuple) -> list:
    """Observe an answer by what several calls return."""
    return [answer(*arguments) for arguments in calls]


def _changes(names: list[str], answer: Callable, *arguments: object) -> dict:
    """Observe what an answer returns and which arguments it changes."""
    before = [_state(argument) for argument in arguments]
    result = answer(*arguments)
    after = [_state(argument) for argument in arguments]
    changed = [name for name, old, new in zip(names, before, after, strict=True) if not _identical(old, new)]
    return {"returned": result, "changed": ", ".join(changed) or compare.NOTHING}


def _state(value: object) -> object:
    """All of an argument that a call may change: values, parameters, what is trained."""
    if isinstance(value, nn.Module):
        parameters = [(p.detach().clone(), p.requires_grad, p.grad) for p in value.parameters()]
        return [parameters, [buffer.clone() for buffer in value.buffers()], value.training]
    if isinstance(value, Tensor):
        return [value.detach().clone(), value.requires_grad]
    if isinstance(value, list | tuple):
        return [_state(item) for item in value]
    if isinstance(value, dict):
        return [(key, _state(item)) for key, item in value.items()]
    if isinstance(value, set):
        return set(value)
    return None if callable(value) or isinstance(value, torch.Generator) else value


def _identical(first: object, second: object) -> bool:
    """Compare two states, NaN with NaN."""
    if isinstance(first, Tensor) and isinstance(second, Tensor):
        return first.shape == second.shape and torch.equal(first.nan_to_num(1.5), second.nan_to_num(1.5))
    if isinstance(first, list | tuple) and isinstance(second, list | tuple):
        return len(first) == len(second) and all(map(_identical, first, second))
    return type(first) is type(second) and bool(first == second)


def _column(name: str, text: str) -> str:
    """A block with its name before it."""
    return f"{name:<9} " + text.replace("\n", "\n" + " " * 10)
