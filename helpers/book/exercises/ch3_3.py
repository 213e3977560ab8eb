"""Checks of the exercises of chapter 3.3."""

from collections.abc import Callable

import torch
from torch.nn import functional as F

from helpers.book.exercises import answered, report, require
from helpers.book.exercises.double import REAL, as_real, close, reals


def check_logit_gradient(answer: Callable) -> None:
    """3.3-1: logit_gradient(logits, labels) of the mean cross-entropy."""

    def test(f: Callable) -> None:
        logits = torch.tensor([[1.0, -0.5, 0.3, 2.0], [0.2, 0.1, -1.0, 0.0], [-2.0, 1.5, 0.4, 0.6]], dtype=REAL)
        labels = torch.tensor([3, 0, 2])
        got = as_real(answered(f(logits.clone(), labels)))
        require(got.shape == logits.shape, f"return one number a logit: shape (3, 4), you gave {tuple(got.shape)}.")
        one_hot = F.one_hot(labels, 4).to(REAL)
        right = (logits.softmax(1) - one_hot) / 3
        for wrong, hint in (
            (right * 3, "the loss is a mean over N examples: divide by N."),
            (right / 4 * 3, "divide by the number of examples N, not of classes K."),
            (-right, "the sign is wrong: prediction minus label, since the loss grows with a wrong logit."),
            (logits.softmax(1) / 3, "the label is missing: subtract 1 at the right class."),
            (logits.softmax(1), "the label is missing: subtract 1 at the right class."),
            ((logits.softmax(0) - one_hot) / 3, "softmax runs over the classes: dim 1, not over the batch."),
            ((logits - one_hot) / 3, "turn the logits into probabilities first: softmax."),
        ):
            require(not close(got, wrong), hint)
        require(close(got, right), "compare with torch.autograd.grad on a single example.")
        big = as_real(f(logits * 1000, labels))
        require(bool(big.isfinite().all()), "large logits overflow: use softmax in place of exp.")

    report("3.3-1", test, answer)


def check_l2_sp(answer: Callable) -> None:
    """3.3-2: l2_sp(body, start, head, alpha, beta)."""

    def test(f: Callable) -> None:
        body, start, head = reals(1.0, -2.0, 0.5), reals(0.5, -1.0, 2.0), reals(3.0, -1.5)
        body.requires_grad_(), head.requires_grad_()
        raw = answered(f(body, start, head, 0.4, 0.1))
        require(isinstance(raw, torch.Tensor), "return a tensor: gradients cannot flow through a Python number.")
        require(raw.ndim == 0, "return one number: sum over the weights.")
        got = as_real(raw)

        def penalty(pull: torch.Tensor, alpha: float = 0.4, beta: float = 0.1) -> torch.Tensor:
            return (alpha / 2 * pull.square().sum() + beta / 2 * head.square().sum()).detach()

        away = body - start
        right = penalty(away)
        for wrong, hint in (
            (2 * right, "both terms carry a factor ½."),
            (penalty(body), "this pulls the body to zero, as plain L2 does: pull it towards start."),
            (penalty(away, 0.1, 0.4), "alpha belongs to the body, beta to the head: they are swapped."),
            (penalty(away, 0.4, 0.0), "the head needs its own term: it has no start and is pulled to zero."),
            ((0.2 * away.norm() + 0.05 * head.norm()).detach(), "square the norms."),
            ((0.2 * away.square().mean() + 0.05 * head.square().mean()).detach(), "sum over the weights, no mean."),
        ):
            require(not close(got, wrong), hint)
        require(close(got, right), "compare by hand for body = start: only the head's term may remain.")
        require(raw.requires_grad, "no gradient flows through your penalty: do not detach the weights.")

    report("3.3-2", test, answer)


def check_share_of_the_way(answer: Callable) -> None:
    """3.3-3: share_of_the_way(hessian, alpha), for each eigenvector."""

    def test(f: Callable) -> None:
        turn = torch.linalg.qr(torch.tensor([[1.0, 2.0, 0.5], [-1.0, 1.0, 2.0], [0.3, 0.7, -1.0]], dtype=REAL)).Q
        cases = ((reals(0.5, 2.0, 8.0), 0.5), (reals(0.0, 0.1, 30.0), 2.0), (reals(1.0, 4.0, 9.0), 0.1))
        for eigenvalues, alpha in cases:
            hessian = turn @ eigenvalues.diag() @ turn.T
            got = as_real(answered(f(hessian.clone(), alpha)))
            require(
                got.shape == eigenvalues.shape, f"return one share a direction: 3 here, you gave {tuple(got.shape)}."
            )
            right = eigenvalues / (eigenvalues + alpha)
            diagonal = hessian.diagonal()
            for wrong, hint in (
                (1 - right, "this is the way that is left: at alpha = 0 the minimum is the data's, so the share is 1."),
                (right.flip(0), "begin with the smallest eigenvalue: torch.linalg.eigvalsh sorts them so."),
                (
                    diagonal / (diagonal + alpha),
                    "the axes are no eigenvectors here: take the eigenvalues of the matrix.",
                ),
                (eigenvalues / (eigenvalues + alpha / 2), "the ½ of the penalty goes when it is differentiated."),
                (eigenvalues / (eigenvalues + 2 * alpha), "the ½ of the penalty goes when it is differentiated."),
                (1 / (1 + eigenvalues * alpha), "set h (t − 1) + alpha t to zero, with t the share of the way."),
            ):
                require(not close(got, wrong), hint)
            require(close(got, right), "in one direction: set the derivative h (t − 1) + alpha t to zero.")

    report("3.3-3", test, answer)
