"""Lesson 1: take one step of a GRU."""

from collections.abc import Sequence

import torch
from torch import Tensor

from course_utils.exercises.writing import Case, Exercise, Mistake, Task, differentiable, in_two_calls, sizes


def gru_step(inputs: Tensor, state: Tensor, W: Sequence[Tensor], U: Sequence[Tensor]) -> Tensor:
    """Take one step of a GRU without biases (Cho et al. 2014, arXiv 1406.1078; the reset gate as in `nn.GRU`).

    Takes inputs `(batch, input_size)`, the old state `(batch, hidden_size)`, and W and U, each three matrices in the
    order reset, update, candidate: `(hidden_size, input_size)` and `(hidden_size, hidden_size)`. Returns the new state.
    """
    W_r, W_z, W_n = W
    U_r, U_z, U_n = U
    reset = torch.sigmoid(inputs @ W_r.T + state @ U_r.T)
    update = torch.sigmoid(inputs @ W_z.T + state @ U_z.T)
    return update * state + (1 - update) * torch.tanh(inputs @ W_n.T + reset * (state @ U_n.T))


def sample(generator: torch.Generator, batch=2, input_size=4, hidden_size=3) -> tuple:
    """Make arguments; the gates are far from one half."""
    shapes = [(batch, input_size), (batch, hidden_size)]
    shapes += 3 * [(hidden_size, input_size)] + 3 * [(hidden_size, hidden_size)]
    inputs, state, *matrices = (torch.randn(shape, generator=generator) for shape in shapes)
    return inputs, state, matrices[:3], matrices[3:]


def _by_hand() -> tuple:
    W, U = ([torch.tensor([[number]]) for number in numbers] for numbers in ((0.5, -1.0, 1.5), (1.0, 2.0, -0.5)))
    return torch.tensor([[1.0]]), torch.tensor([[0.8]]), W, U


def _large() -> tuple:
    """Make update gates that are 1, then 0, where exp overflows, beside a large old state."""
    inputs, state = torch.tensor([[1.0], [-1.0]]), torch.tensor([[1e6, -2e6], [200.5, -100.5]])
    return inputs, state, [torch.full((2, 1), number) for number in (3.0, 200.0, 150.0)], 3 * [torch.zeros(2, 2)]


@in_two_calls
def _changed(inputs, state, W, U, gate, new_state, mix):
    """Make a step of three equations; in the candidate's, a is W x and b is U h."""
    (a_r, a_z, a_n), (b_r, b_z, b_n) = [inputs @ w.T for w in W], [state @ u.T for u in U]
    reset, update = gate(a_r, b_r), gate(a_z, b_z)
    return mix(update, state, new_state(a_n, b_n, reset, update))


RIGHT = (
    lambda a, b: torch.sigmoid(a + b),
    lambda a, b, reset, update: torch.tanh(a + reset * b),
    lambda update, state, new: update * state + (1 - update) * new,
)
gates, candidate, mixed = (  # each changes one equation
    lambda equation, place=place: _changed(*RIGHT[:place], equation, *RIGHT[place + 1 :]) for place in range(3)
)


def _reset_before_the_product(inputs, state, W, U):
    reset, update = (torch.sigmoid(inputs @ w.T + state @ u.T) for w, u in zip(W[:2], U[:2], strict=True))
    return update * state + (1 - update) * torch.tanh(inputs @ W[2].T + (reset * state) @ U[2].T)


def _without_rows(inputs, state, W, U):
    a, b = [w @ inputs for w in W], [u @ state for u in U]
    return RIGHT[2](torch.sigmoid(a[1] + b[1]), state, torch.tanh(a[2] + torch.sigmoid(a[0] + b[0]) * b[2]))


def _by_loop(inputs, state, W, U):
    rows = []
    for x, h in zip(inputs, state, strict=True):
        r, z = (1 / (1 + torch.exp(-(W[gate] @ x + U[gate] @ h))) for gate in (0, 1))
        rows.append(z * h + (1 - z) * torch.tanh(W[2] @ x + r * (U[2] @ h)))
    return torch.stack(rows)


ORDER = "Reset and update are swapped: the matrices come in the order reset, update, candidate."
PRODUCT = "The reset gate multiplies the product U_n h (as in nn.GRU), not h before it (as in the paper)."
SOFTMAX = "A softmax makes the entries of a gate sum to one: use a sigmoid, each entry by itself."
TURNED = "{} for all rows is {}.T: the transpose is missing."
OVERFLOW = "exp overflows where its argument is above 88: use torch.sigmoid and torch.tanh."
DETACHED = "The old state is detached: through it the gradient reaches the earlier words."
BOTH_TURNED = "For all rows W x is inputs @ W.T, and U h is state @ U.T: both transposes are missing."
CUT = "A gate or a state is cut: neither needs limits."
STAYS = "If the update gate is 1 everywhere, what stays?"
REACH = "Could a gradient reach the first word through this?"

EXERCISE = Exercise(
    Task("01.gru-step", "Take one step of a GRU", 2, 10, "(batch, hidden_size)"),
    gru_step,
    sample,
    cases=[
        Case("One sentence, one hidden unit: the four equations by hand.", _by_hand),
        # Equal sizes: a swapped or transposed matrix goes unnoticed by the shapes, and the values tell.
        Case("Batch and sizes may be equal.", dict(input_size=2, hidden_size=2)),
        Case("Batch and sizes may all differ.", {}),
        Case("Where z is 1 the old state stays, however large; where z is 0 it goes.", _large),
    ],
    demands=[sizes(batch=1), sizes(input_size=1), sizes(hidden_size=70), differentiable("inputs", "state", "W", "U")],
    mistakes=[
        Mistake("z is upside down: z = 1 keeps the old state.", mixed(lambda z, h, n: (1 - z) * h + z * n), STAYS),
        Mistake(ORDER, lambda x, h, W, U: gru_step(x, h, [W[1], W[0], W[2]], [U[1], U[0], U[2]]), STAYS),
        Mistake(PRODUCT, _reset_before_the_product, "Where does our formula put the reset gate?"),
        Mistake("The reset gate is not used: it multiplies U_n h.", candidate(lambda a, b, r, z: torch.tanh(a + b))),
        Mistake("The reset gate multiplies U_n h, not W_n x.", candidate(lambda a, b, r, z: torch.tanh(r * (a + b)))),
        Mistake("The candidate needs r; you took z.", candidate(lambda a, b, r, z: torch.tanh(a + z * b))),
        Mistake("The gates need a sigmoid; you took a tanh.", gates(lambda a, b: torch.tanh(a + b))),
        Mistake(SOFTMAX, gates(lambda a, b: torch.softmax(a + b, -1))),
        Mistake("The sigmoid of the gates is missing.", gates(lambda a, b: a + b)),
        Mistake("The candidate needs a tanh, not a sigmoid.", candidate(lambda a, b, r, z: torch.sigmoid(a + r * b))),
        Mistake("The tanh of the candidate is missing.", candidate(lambda a, b, r, z: a + r * b)),
        Mistake("This is the candidate alone: mix it with the old state by z.", mixed(lambda z, h, n: n)),
        Mistake("The old state is lost: add update * state.", mixed(lambda z, h, n: (1 - z) * n)),
        Mistake("The two shares sum to one: the candidate's is 1 − update.", mixed(lambda z, h, n: z * h + n)),
        Mistake("This is the old state: compute a new one.", mixed(lambda z, h, n: h.clone())),
        Mistake("The gates do not depend on the state: add U h to both.", gates(lambda a, b: torch.sigmoid(a))),
        Mistake("The gates do not depend on the input: add W x to both.", gates(lambda a, b: torch.sigmoid(b))),
        Mistake("W_n x is missing in the candidate: add it.", candidate(lambda a, b, r, z: torch.tanh(r * b))),
        Mistake("The vectors are rows: write inputs @ W_r.T and state @ U_r.T.", _without_rows),
        Mistake(TURNED.format("W x", "inputs @ W"), lambda x, h, W, U: gru_step(x, h, [w.T for w in W], U)),
        Mistake(TURNED.format("U h", "state @ U"), lambda x, h, W, U: gru_step(x, h, W, [u.T for u in U])),
        Mistake(BOTH_TURNED, lambda x, h, W, U: gru_step(x, h, [w.T for w in W], [u.T for u in U])),
        Mistake("W and U are swapped: W goes with the input.", lambda x, h, W, U: gru_step(x, h, U, W)),
        Mistake("Every sentence got the first one's input.", lambda x, h, W, U: gru_step(x[:1].expand_as(x), h, W, U)),
        Mistake("Every sentence got the first one's state.", lambda x, h, W, U: gru_step(x, h[:1].expand_as(h), W, U)),
        Mistake("The states are averaged over the batch.", lambda x, h, *m: gru_step(x, h.mean(0).expand_as(h), *m)),
        Mistake(DETACHED, lambda x, h, W, U: gru_step(x, h.detach(), W, U), REACH),
        *[Mistake(CUT, gates(lambda a, b, n=n: torch.sigmoid((a + b).clamp(-n, n)))) for n in (5, 10)],
        Mistake(CUT, lambda *arguments: gru_step(*arguments).clamp(-1, 1)),
        Mistake(OVERFLOW, gates(lambda a, b: (a + b).exp() / (1 + (a + b).exp()))),
        Mistake(OVERFLOW, candidate(lambda a, b, r, z: (a + r * b).sinh() / (a + r * b).cosh())),
    ],
    right=[
        _by_loop,
        lambda x, h, W, U: torch.gru_cell(x, h, torch.cat(list(W)), torch.cat(list(U))),
        mixed(lambda z, h, n: torch.lerp(n, h, z)),
    ],
)
