"""What exercises on recurrent readers share: an answer works at the precision that it is given."""

from collections.abc import Callable

import torch

from course_utils.teaching.exercises import Mistake, expect


def expect_double_precision(answer: Callable, size: Callable[[object], torch.Tensor] = lambda result: result) -> None:
    """Insist that an answer takes `torch.float64` and returns it.

    Args:
        answer: calls the learner's function with inputs of `torch.float64`.
        size: picks the tensor to look at from what it returns.
    """
    made = "Make new tensors like those you were given: torch.zeros_like(x) or x.new_zeros(...)."
    try:
        result = answer()
    except NotImplementedError:
        raise
    except Exception as error:
        raise Mistake(f"With torch.float64 your code raised {type(error).__name__}: {error}. {made}") from error
    dtype = getattr(size(result), "dtype", None)
    expect(dtype == torch.float64, f"From torch.float64 your result is {dtype}: do not convert. {made}")
