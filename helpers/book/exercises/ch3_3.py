"""Checks of the exercises of chapter 3.3."""

import math
from collections.abc import Callable

import torch
from torch.nn import functional as F

from helpers.book.exercises import answered, report, require

# The notebook calculates in double precision, the tests in single: say which, everywhere.
REAL = torch.float64


def _tensor(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=REAL)


def _as_tensor(got) -> torch.Tensor:
    return torch.as_tensor(got).detach().to(REAL)


def _close(a: torch.Tensor, b: torch.Tensor) -> bool:
    return a.shape == b.shape and torch.allclose(a, b, atol=1e-6)


def check_logit_gradient(answer: Callable) -> None:
    """3.3-1: logit_gradient(logits, labels) of the mean cross-entropy."""

    def test(f: Callable) -> None:
        logits = torch.tensor([[1.0, -0.5, 0.3, 2.0], [0.2, 0.1, -1.0, 0.0], [-2.0, 1.5, 0.4, 0.6]], dtype=REAL)
        labels = torch.tensor([3, 0, 2])
        got = _as_tensor(answered(f(logits.clone(), labels)))
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
            require(not _close(got, wrong), hint)
        require(_close(got, right), "compare with torch.autograd.grad on a single example.")
        big = _as_tensor(f(logits * 1000, labels))
        require(bool(big.isfinite().all()), "large logits overflow: use softmax in place of exp.")

    report("3.3-1", test, answer)


def check_l2_sp(answer: Callable) -> None:
    """3.3-2: l2_sp(body, start, head, alpha, beta)."""

    def test(f: Callable) -> None:
        body, start, head = _tensor(1.0, -2.0, 0.5), _tensor(0.5, -1.0, 2.0), _tensor(3.0, -1.5)
        body.requires_grad_(), head.requires_grad_()
        raw = answered(f(body, start, head, 0.4, 0.1))
        require(isinstance(raw, torch.Tensor), "return a tensor: gradients cannot flow through a Python number.")
        require(raw.ndim == 0, "return one number: sum over the weights.")
        got = _as_tensor(raw)

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
            require(not _close(got, wrong), hint)
        require(_close(got, right), "compare by hand for body = start: only the head's term may remain.")
        require(raw.requires_grad, "no gradient flows through your penalty: do not detach the weights.")

    report("3.3-2", test, answer)


def check_optimal_discriminator(answer: Callable) -> None:
    """3.3-3: optimal_discriminator(log_p_data, log_p_g)."""

    def test(f: Callable) -> None:
        a, b = _tensor(-1.0, -3.0, -0.5), _tensor(-2.0, -1.0, -0.8)
        got = _as_tensor(answered(f(a.clone(), b.clone())))
        right = a.exp() / (a.exp() + b.exp())
        for wrong, hint in (
            (1 - right, "the two densities are swapped: D is large where the data are dense."),
            (a - b, "this is the score, a logit: a probability is its sigmoid."),
            ((a - b).exp(), "this is the ratio of the densities, which exceeds 1: divide by their sum."),
            (a / (a + b), "the arguments are logarithms: the formula wants the densities."),
            (torch.full_like(a, 0.5), "one half is the answer only where both densities are equal."),
        ):
            require(not _close(got, wrong), hint)
        require(_close(got, right), "compare with p_data / (p_data + p_g) by hand.")
        small = _as_tensor(f(_tensor(-1000.0, -1000.0), _tensor(-1001.0, -1000.0)))
        require(
            _close(small, _tensor(1 / (1 + math.exp(-1)), 0.5)),
            "both densities underflow to 0 at −1000: use only the difference of the logarithms.",
        )
        large = _as_tensor(f(_tensor(1000.0), _tensor(-1000.0)))
        require(bool(large.isfinite().all()), "exp overflows for a large difference: use torch.sigmoid.")

    report("3.3-3", test, answer)


def check_jsd(answer: Callable) -> None:
    """3.3-4: jsd(p, q) of two discrete distributions, zeros included."""

    def test(f: Callable) -> None:
        p, q = _tensor(0.5, 0.3, 0.2), _tensor(0.1, 0.2, 0.7)
        got = _as_tensor(answered(f(p.clone(), q.clone())))
        require(got.ndim == 0, "return one number: sum over the entries.")

        def kl(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
            return (a * (a / b).log()).sum()

        m = (p + q) / 2
        right = (kl(p, m) + kl(q, m)) / 2
        for wrong, hint in (
            (2 * right, "JSD is the mean of the two divergences, not their sum."),
            (kl(p, q), "this is KL(p‖q): compare each distribution with their mixture."),
            (kl(q, p), "this is KL(q‖p): compare each distribution with their mixture."),
            ((kl(p, q) + kl(q, p)) / 2, "compare each with the mixture m, not with each other."),
            ((kl(m, p) + kl(m, q)) / 2, "the mixture belongs in the second place: KL(p‖m)."),
            (right / math.log(2), "this is in bits: use the natural logarithm."),
            (right.sqrt(), "this is the square root, the Jensen–Shannon distance."),
            (-right, "the sign is wrong: a divergence is never negative."),
        ):
            require(not _close(got, wrong), hint)
        require(_close(got, right), "compare with ½ KL(p‖m) + ½ KL(q‖m) by hand, m = (p + q) / 2.")
        apart = _as_tensor(f(_tensor(1.0, 0.0, 0.0), _tensor(0.0, 1.0, 0.0)))
        require(not bool(apart.isnan()), "an entry of 0 gives nan: 0 · log 0 counts as 0 (torch.xlogy does that).")
        require(_close(apart, torch.tensor(math.log(2), dtype=REAL)), "two disjoint distributions must give log 2.")

    report("3.3-4", test, answer)


def check_generator_gradient(answer: Callable) -> None:
    """3.3-5: generator_gradient(scores) of the non-saturating loss."""

    def test(f: Callable) -> None:
        s = _tensor(-3.0, -0.5, 0.0, 2.0)
        got = _as_tensor(answered(f(s.clone())))
        require(got.shape == s.shape, "return one slope a score, in the same shape.")
        right = -torch.sigmoid(-s)
        for wrong, hint in (
            (-torch.sigmoid(s), "this is the saturating slope: it vanishes where the fake is rejected."),
            (-right, "the sign is wrong: the loss falls when the score rises."),
            (torch.sigmoid(s), "this is D itself: its slope is asked, and it vanishes for rejected fakes."),
            (F.softplus(-s), "this is the loss: its derivative is asked."),
            (right / len(s), "each score has its own slope: do not divide by the batch size."),
            (-1 / torch.sigmoid(s), "this is d(−log D)/dD: multiply by dD/ds."),
        ):
            require(not _close(got, wrong), hint)
        require(_close(got, right), "differentiate softplus(−s) and try s = 0: the slope is −½.")
        far = _as_tensor(f(_tensor(-1000.0, 1000.0)))
        require(bool(far.isfinite().all()), "nan at s = ±1000, where exp overflows: use torch.sigmoid.")
        require(_close(far, _tensor(-1.0, 0.0)), "at s = −1000 the slope is −1, at 1000 it is 0.")

    report("3.3-5", test, answer)
