"""Answers to the trial exercise of `00_start_here`.

WRONG: (name, answer, a piece of the hint that it must get); RIGHT: answers in other styles.
"""

import numpy
import torch


def only_the_example(values, mask):
    return torch.tensor([2.0, 4.0])


def real_length_of_the_first_row(values, mask):
    return values[:, : int(mask[0].sum())].mean(dim=1)


def one_mean_of_all(values, mask):
    return values[mask].mean()


def unbiased(values, mask):
    return (values * mask).sum(dim=1) / (mask.sum(dim=1) - 1)


def loop_without_return(values, mask):
    [row[real].mean() for row, real in zip(values, mask, strict=True)]


def loop(values, mask):
    result = torch.zeros(len(values))
    for row in range(len(values)):
        result[row] = values[row, mask[row]].mean()
    return result


def with_numpy(values, mask):
    hidden = numpy.ma.masked_array(values.numpy(), mask=~mask.numpy())
    return torch.from_numpy(hidden.mean(axis=1).data)


WRONG = {
    "00.masked-mean": [
        ("plain mean", lambda values, mask: values.mean(dim=1), "Padding changed your result"),
        ("length of the row", lambda values, mask: (values * mask).mean(dim=1), "not by the length of the row"),
        ("sum only", lambda values, mask: (values * mask).sum(dim=1), "Divide by how many"),
        (
            "mask upside down",
            lambda values, mask: (values * ~mask).sum(1) / (~mask).sum(1),
            "Padding changed your result",
        ),
        ("mask in the divisor only", lambda values, mask: values.sum(1) / mask.sum(1), "Padding changed your result"),
        ("over the rows", lambda values, mask: (values * mask).sum(0) / mask.sum(0), "(rows,)"),
        ("count of all rows", lambda values, mask: (values * mask).sum(1) / mask.sum(), "Divide by how many"),
        ("one mean of all", one_mean_of_all, "(rows,)"),
        ("one less than the count", unbiased, "Divide by how many"),
        ("dimension kept", lambda v, mask: (v * mask).sum(1, keepdim=True) / mask.sum(1, keepdim=True), "(rows,)"),
        ("length of the first row", real_length_of_the_first_row, "Padding changed your result"),
        ("largest real entry", lambda values, mask: values.masked_fill(~mask, -1e9).amax(dim=1), "Divide by how many"),
        ("the answer typed in", only_the_example, "dimension 1"),
        ("a list", lambda values, mask: ((values * mask).sum(1) / mask.sum(1)).tolist(), "raised TypeError"),
        ("no return", loop_without_return, "raised TypeError"),
    ]
}

RIGHT = {
    "00.masked-mean": [
        loop,
        with_numpy,
        lambda values, mask: values.masked_fill(~mask, torch.nan).nanmean(dim=1),
        lambda values, mask: torch.where(mask, values, 0).sum(-1) / mask.float().sum(-1),
        lambda values, mask: torch.einsum("ij,ij->i", values, mask.float()) / mask.count_nonzero(dim=1),
        lambda values, mask: torch.stack([row[real].mean() for row, real in zip(values, mask, strict=True)]),
    ]
}
