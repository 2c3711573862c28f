"""What the engine of the exercises promises, shown on small exercises of its own."""

from dataclasses import replace
from fractions import Fraction

import numpy
import pytest
import torch
from torch import Tensor, nn

from course_utils.exercises import checking, compare
from course_utils.exercises.checking import check
from course_utils.exercises.demands import differentiable, dtypes, extremes, padding, sizes, wide_ids
from course_utils.exercises.engine import NOT_JUDGED, OWN_DATA, UNKNOWN, Case, Exercise, Mistake, Task
from course_utils.exercises.show import show


def masked_sum(values: Tensor, mask: Tensor) -> Tensor:
    """Add up the real values of each row."""
    return values.masked_fill(~mask, 0.0).sum(dim=1)


def sample(generator, batch=3, length=4):
    values = torch.randn(batch, length, generator=generator)
    return values, torch.arange(length) < torch.linspace(length, 1, batch).round().unsqueeze(1)


VALUES, MASK = torch.tensor([[1.0, 2.5, 4.0]]), torch.tensor([[True, True, False]])
PLAIN = Mistake("The mask is not used.", lambda values, mask: values.sum(1))
MEAN = Mistake("You took the mean.", lambda values, mask: masked_sum(values, mask) / mask.sum(1))
SUMMING = Exercise(
    Task("99.masked-sum", "Add up what is real", 1, 5, "(batch,)"),
    masked_sum,
    sample,
    cases=[Case("The padding does not count.", (VALUES, MASK)), Case("Each row has its own sum.")],
    mistakes=[PLAIN, MEAN],
)


def exercise_of(reference, make=sample, cases=(), mistakes=(), **options):
    return Exercise(Task("99.other", "", 1, 1), reference, make, list(cases), list(mistakes), **options)


def wrong(answer, exercise=SUMMING, **changes):
    return [finding for finding in replace(exercise, **changes).examine(answer) if finding.hint is not None]


def test_the_first_failing_case_is_explained_and_the_others_are_not_judged():
    first, *others = wrong(PLAIN.make)
    assert first.case == "The padding does not count."
    lines = [line.strip() for line in first.hint.splitlines()]
    assert lines[:2] == ["given     values = [[1.0, 2.5, 4.0]]", "mask = [[True, True, False]]"]
    assert lines[2:] == ["returned  [7.5]", "expected  [3.5]", PLAIN.hint]
    assert others and {finding.hint for finding in others} == {NOT_JUDGED}


def test_a_mistake_that_nobody_knows_is_not_guessed_nor_one_told_that_is_right_on_the_case():
    harmless = Mistake("Never to be told.", masked_sum)
    assert "Never" not in wrong(lambda v, m: masked_sum(v, m) * 2, mistakes=[harmless])[0].hint
    assert wrong(lambda v, m: masked_sum(v, m) + 0.25)[0].hint.endswith(UNKNOWN)


def test_of_mistakes_that_agree_on_a_case_the_one_that_agrees_on_most_is_told():
    first_row = Mistake("All rows got the first one's sum.", lambda v, m: masked_sum(v, m)[:1].expand(len(v)) + 1)
    more = Mistake("You added one too many.", lambda v, m: masked_sum(v, m) + 1)
    for given in (first_row, more):
        assert given.hint in wrong(given.make, mistakes=[first_row, more])[0].hint


def test_nan_throughout_is_no_sign_of_a_mistake_that_agrees_nowhere_else():
    nowhere = Mistake("You divided by zero.", lambda v, m: masked_sum(v, m) * (torch.nan if len(v) == 1 else 3))
    found = wrong(lambda v, m: masked_sum(v, m) * torch.nan, mistakes=[nowhere])[0].hint
    assert "NaN" in found and nowhere.hint not in found
    assert nowhere.hint in wrong(nowhere.make, mistakes=[nowhere])[0].hint


@pytest.mark.parametrize(
    ("answer", "fact"),
    [
        (lambda v, m: None, "returned None"),
        (lambda v, m: masked_sum(v, m).tolist(), "Return a torch tensor; yours is a list"),
        (lambda v, m: masked_sum(v, m)[:, None], "has shape (1, 1); expected (1,), that is (batch,)"),
        (lambda v, m: masked_sum(v, m) * torch.nan, "NaN"),
        (lambda v, m: masked_sum(v, m) > 0, "torch.bool"),
        (lambda v, m: masked_sum(v, m).to(torch.complex64), "complex64"),
        (lambda v, m: m @ v, "Shapes: values (1, 3), mask (1, 3)."),
        (lambda v, m: torch.empty(10**14), "more memory"),
        (lambda v, m: nn.functional.relu(v, bad=1), "TypeError"),
    ],
)
def test_facts_are_told(answer, fact):
    assert fact in wrong(answer)[0].hint


def test_an_error_is_recognised_by_what_it_says():
    turned = Mistake("Rows are sentences: write values @ W.T.", lambda values, W: W @ values)
    product = exercise_of(
        lambda values, W: values @ W.T,
        lambda generator: (torch.randn(3, 2, generator=generator), torch.randn(4, 2, generator=generator)),
        [Case("Each row is multiplied.", (torch.ones(3, 2), torch.ones(4, 2)))],
        [turned],
    )

    def answer(values, W):
        return W @ values

    hint = wrong(answer, product)[0].hint
    assert turned.hint in hint and "`W @ values` multiplies (4, 2) by (3, 2)" in hint


def test_an_error_of_torch_is_no_stub_and_the_stub_is():
    def unsupported(values, mask):
        raise NotImplementedError("'addmm_impl_cpu_' not implemented for 'Int'")

    def stub(values, mask):
        raise NotImplementedError

    assert "NotImplementedError" in wrong(unsupported)[0].hint
    with pytest.raises(NotImplementedError):
        SUMMING.examine(stub)


def test_changed_arguments_are_named():
    (found,) = wrong(lambda values, mask: values.mul_(mask).sum(1))
    assert "changed   'values'\nexpected  nothing" in found.hint and "compute a new value" in found.hint
    exercise = exercise_of(
        lambda values, layer: layer(values), lambda g: (torch.randn(2, 3, generator=g), nn.Linear(3, 1))
    )
    assert "'layer'" in wrong(lambda values, layer: layer.requires_grad_(False)(values), exercise)[0].hint


DEMANDED = [
    (padding(values="mask"), lambda v, m: (v * m).sum(1), "NaN"),
    (padding(values="mask"), lambda v, m: (v.nan_to_num(0.0) * m).sum(1).clamp(-50, 50), None),
    (sizes(batch=1, length=1), lambda v, m: masked_sum(v, m).squeeze(), "expected (1,)"),
    (sizes(length=300), lambda v, m: masked_sum(v[:, :64], m[:, :64]), "differ"),
    (dtypes(torch.float64), lambda v, m: masked_sum(v.float(), m), "float32"),
    (differentiable("values"), lambda v, m: masked_sum(v, m).detach(), "cut off"),
    (differentiable("values"), lambda v, m: torch.from_numpy((v * m).detach().numpy()).sum(1), "cut off"),
]


@pytest.mark.parametrize(("demand", "answer", "fact"), DEMANDED)
def test_a_demand_rejects_what_breaks_it(demand, answer, fact):
    plain = {"cases": [Case("Rows.", (VALUES.repeat(2, 1), MASK.repeat(2, 1)))]}
    assert wrong(answer, **plain) == [], "it is right without the demand"
    found = wrong(answer, demands=[demand], **plain)
    assert wrong(masked_sum, demands=[demand], **plain) == []
    assert (not found) if fact is None else found and (fact in found[0].hint or fact == "differ")


def test_extreme_scores_reject_hiding_by_a_number_and_a_gradient_that_leaks_from_padding():
    def softmax(scores, mask, hidden=-torch.inf):
        return scores.masked_fill(~mask, hidden).softmax(-1)

    def leaking(scores, mask):
        largest = torch.where(mask, scores, -torch.inf).amax(-1, keepdim=True)
        positive = torch.where(mask, (scores - largest).exp(), 0)
        return positive / positive.sum(-1, keepdim=True)

    exercise = exercise_of(lambda scores, mask: softmax(scores, mask), demands=[extremes(scores="mask")])
    assert wrong(softmax, exercise) == []
    for number in (-1e4, -1e9, -1e29):
        assert wrong(lambda s, m, n=number: softmax(s, m, n), exercise)
    assert wrong(lambda s, m: (s - 1e9 * ~m).softmax(-1), exercise)
    assert ["gradient" in finding.case for finding in wrong(leaking, exercise)] == [True]


def test_wide_ids_reject_narrow_integers():
    exercise = exercise_of(
        lambda ids: ids.clone(), lambda g: (torch.randint(1, 90, (2, 3), generator=g),), demands=[wide_ids("ids")]
    )
    passing = [dtype for dtype in (torch.int64, torch.int32) if not wrong(lambda ids, d=dtype: ids.to(d), exercise)]
    assert len(passing) == 2
    assert all(wrong(lambda ids, d=dtype: ids.to(d).long(), exercise) for dtype in (torch.uint8, torch.int16))


def test_gradients_of_weights_are_taken_with_respect_to_scores():
    """Categorical divides by the sum; that changes the gradient by the weights, not that by the scores."""

    def by_categorical(weights):
        return torch.distributions.Categorical(probs=weights).log_prob(torch.zeros(len(weights)))

    make = lambda g: (torch.randn(3, 4, generator=g).softmax(-1),)  # noqa: E731
    by_weights = exercise_of(lambda weights: weights[:, 0].log(), make, demands=[differentiable("weights")])
    by_scores = replace(by_weights, demands=[differentiable("weights", normalised=("weights",))])
    assert wrong(by_categorical, by_weights) and wrong(by_categorical, by_scores) == []


PAIRS = [(1.0, 2), [1, 2.0], torch.tensor([1.0, 2.0]), numpy.array([1.0, 2.0])]
NUMBERS = [2, 2.0, torch.tensor(2.0), torch.tensor([2]), numpy.float32(2), numpy.array([2.0]), Fraction(2)]
NO_NUMBERS = ["2", None, [2.0], torch.tensor([2.0, 2.0]), 2j, float("nan"), {}]


@pytest.mark.parametrize(
    ("values", "expected", "same"),
    [(PAIRS, (1.0, 2.0), True), (NUMBERS, 2.0, True), (NUMBERS, torch.tensor(2.0), True), (NO_NUMBERS, 2.0, False)],
)
def test_pairs_and_numbers_may_come_in_any_form(values, expected, same):
    assert [compare.same(compare.plain(value), expected) for value in values] == [same] * len(values)


def test_lists_sets_and_dictionaries_are_compared_by_entry():
    assert compare.same([1, 2], [1, 2]) and not compare.same([1, 2], [2, 1]) and not compare.same({1}, [1])
    assert compare.same({1: 0.5}, {1: 0.5}) and "keys" in compare.difference({2: 0.5}, {1: 0.5})
    assert "3 entries; expected 2" in compare.difference([1, 2, 3], [1, 2])


def test_values_are_short_and_can_be_computed_with():
    assert show(torch.tensor([[0.25, -3.0]])) == "[[0.25, -3.0]]"
    assert show(torch.zeros(9, 9)) == "tensor of shape (9, 9), beginning 0.0, 0.0, 0.0, 0.0, …"
    assert show({2: {"b", "a"}}) == "{2: {'a', 'b'}}" and len(show("word " * 500)) <= 600


def test_a_result_is_not_cut_to_fit():
    assert all(wrong(lambda v, m, f=f: f(masked_sum(v, m))) for f in (Tensor.long, Tensor.byte, Tensor.int))


def test_what_an_answer_switches_is_switched_back():
    exercise = replace(SUMMING, demands=[differentiable("values")])

    def switching(values, mask):
        torch.set_grad_enabled(False)
        torch.set_default_dtype(torch.float64)
        return masked_sum(values, mask)

    assert "gradient" in wrong(switching, exercise)[0].case
    assert torch.is_grad_enabled() and torch.get_default_dtype() == torch.float32
    assert wrong(masked_sum, exercise) == []


def test_the_first_entry_that_differs_is_told_where_both_print_the_same():
    off = torch.tensor([1.0 + 2e-4])
    found = wrong(lambda v, m: masked_sum(v, m) * off, cases=[Case("Nearly.", (100 + VALUES, MASK))])
    assert "differs   at [0]: 203.54" in found[0].hint and "expected 203.5" in found[0].hint


def test_many_rows_are_tried_where_the_sample_takes_them():
    found = wrong(lambda v, m: torch.stack([masked_sum(v[k : k + 1], m[k : k + 1])[0] for k in range(min(20, len(v)))]))
    assert [finding.case for finding in found] == ["Other sizes work, too: batch = 25."]


def test_a_note_is_told_only_where_a_gradient_is_missing():
    rounding = wrong(lambda v, m: masked_sum(v, m) + 0 * v.sum() * 2 + v[:, 0] - v[:, 0].detach(), SUMMING)
    assert rounding == []
    exercise = replace(SUMMING, demands=[differentiable("values")])
    (found,) = wrong(lambda v, m: masked_sum(v, m) + v[:, 0] - v[:, 0].detach(), exercise)
    assert "gradient of values" in found.hint and "detach" not in found.hint
    (found,) = wrong(lambda v, m: masked_sum(v, m).detach(), exercise)
    assert "It is cut off" in found.hint and ".detach()" in found.hint


def test_check_prints_one_true_message_and_says_what_is_right(monkeypatch, capsys):
    monkeypatch.setattr(checking, "find_exercise", lambda name: SUMMING)
    assert check("99.masked-sum", masked_sum) is True
    assert capsys.readouterr().out.startswith("99.masked-sum · Add up what is real: 4 of 4 cases are right.\n  ✓")
    assert check("99.masked-sum", PLAIN.make) is False
    printed = capsys.readouterr().out
    assert printed.count("✗") == 1 and printed.count(PLAIN.hint) == 1
    assert "◌ 3 more: not judged until the case above is right" in printed.splitlines()[-1]


def test_check_raises_only_while_nbgrader_grades(monkeypatch):
    monkeypatch.setattr(checking, "find_exercise", lambda name: SUMMING)
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    with pytest.raises(AssertionError, match="The mask is not used"):
        check("99.masked-sum", PLAIN.make)
    check("99.masked-sum", masked_sum)


def test_data_of_ones_own_come_last_and_what_fails_on_them_alone_is_told():
    def failing(values, mask):
        if values.shape == (3, 4) and float(values[0, 0]) != float(sample(torch.Generator().manual_seed(0))[0][0, 0]):
            raise ValueError("other data")
        return masked_sum(values, mask)

    assert "ValueError: other data" in SUMMING.examine(failing, variant=7)[-1].hint
    findings = SUMMING.examine(masked_sum, variant=7)
    assert findings[-1].case == OWN_DATA and len(findings) == 5
