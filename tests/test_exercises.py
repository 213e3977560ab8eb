"""Every exercise: its stub waits, its printed solution passes, common mistakes get the right hint."""

import re
from pathlib import Path

import nbformat
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from helpers.book import exercises
from helpers.book.execute import ROOT, listed

EXERCISE = re.compile(r":::\{exercise\}.*?\n:label: (\S+)\n(.*?)\n:::", re.S)
SOLUTION = re.compile(r":::\{solution\} (\S+)\n:class: dropdown\n```python\n(.*?)\n```\n:::", re.S)
STUB = re.compile(r"def (\w+)\([^)]*\): \.\.\.  # your code here")

# Label of the exercise: wrong answers, each with a part of the hint that it must get.
WRONG = {
    "ex-4-1-1": {
        "normalise = lambda x, mean, std: (x.float() - mean) / std": "divide by 255",
        "normalise = lambda x, mean, std: x.float() / 255 / std - mean": "subtract the mean before",
        "normalise = lambda x, mean, std: (x.float() / 255 - std) / mean": "swapped",
        "normalise = lambda x, mean, std: x": "floating-point",
        "normalise = lambda x, mean, std: x / 0 + unknown": "NameError",
    },
    "ex-4-1-2": {
        """
def parameter_groups(model, head_lr, body_lr):
    return [{"params": model.fc.parameters(), "lr": head_lr}, {"params": model.parameters(), "lr": body_lr}]
""": "in both groups",
        """
def parameter_groups(model, head_lr, body_lr):
    return [{"params": model.fc.parameters(), "lr": head_lr}, {"params": model.conv1.parameters(), "lr": body_lr}]
""": "bn1.weight",
        """
def parameter_groups(model, head_lr, body_lr):
    body = [p for name, p in model.named_parameters() if not name.startswith("fc.")]
    return [{"params": model.fc.parameters(), "lr": body_lr}, {"params": body, "lr": head_lr}]
""": "swapped",
        "parameter_groups = lambda model, head_lr, body_lr: model.parameters()": "list of dicts",
    },
    "ex-4-1-3": {
        """
def freeze_body(model):
    for p in model.parameters():
        p.requires_grad_(False)
    return model
""": "must stay trainable",
        "freeze_body = lambda model: model": "still trainable",
        """
def freeze_body(model):
    for name, p in model.named_parameters():
        p.requires_grad_(name.startswith("fc."))
    return model
""": "running statistics",
        """
def freeze_body(model):
    for name, p in model.named_parameters():
        p.requires_grad_(name.startswith("fc."))
    return model.eval()
""": "stays in train mode",
        "freeze_body = lambda model: model.fc": "return the model",
    },
    "ex-4-2-1": {
        "output_size = lambda size, kernel, stride, padding: (size + 2 * padding - kernel) // stride + 1": "ordinary",
        "output_size = lambda size, kernel, stride, padding: size * stride": "fits only some",
        "output_size = lambda size, kernel, stride, padding: size * stride - 2 * padding + kernel": "PyTorch gives 4",
    },
    "ex-4-2-2": {
        "discriminator_loss = lambda r, f: F.softplus(r).mean() + F.softplus(-f).mean()": "labels are swapped",
        "discriminator_loss = lambda r, f: F.softplus(-r).mean() + F.softplus(-f).mean()": 'both terms ask for "real"',
        "discriminator_loss = lambda r, f: F.softplus(-r).sum() + F.softplus(f).sum()": "mean, not the sum",
        "discriminator_loss = lambda r, f: F.softplus(-r) + F.softplus(f)": "return one number",
        "discriminator_loss = lambda r, f: r.sigmoid().log().mean() + (1 - f.sigmoid()).log().mean()": "sign is wrong",
        "discriminator_loss = lambda r, f: -r.sigmoid().log().mean() - (1 - f.sigmoid()).log().mean()": "overflows",
        "discriminator_loss = lambda r, f: f.mean() - r.mean()": "compare with",
    },
    "ex-4-2-3": {
        "ema = lambda average, current, decay: (1 - decay) * average + decay * current": "weighs the old average",
        "ema = lambda average, current, decay: (average + current) / 2": "plain mean",
        "ema = lambda average, current, decay: decay * average": "decay = 1",
        "ema = lambda average, current, decay: 0.0": "as a tensor",
    },
}


def found() -> dict[str, tuple[str, str]]:
    """Label → (stub cell, solution), from the notebooks."""
    stubs, solutions = {}, {}
    for path in listed(ROOT):
        waiting = None
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "markdown":
                solutions |= dict(SOLUTION.findall(cell.source))
                for label, _ in EXERCISE.findall(cell.source):
                    waiting = label
            elif waiting and STUB.search(cell.source):
                stubs[waiting], waiting = cell.source, None
    assert stubs and stubs.keys() == solutions.keys()
    return {label: (stubs[label], solutions[label]) for label in stubs}


EXERCISES = found()
each = pytest.mark.parametrize("label", EXERCISES)


def answer(label: str, code: str, capsys) -> str:
    """Put `code` in place of the stub, run the cell, and return the line that the check prints."""
    cell = EXERCISES[label][0]
    capsys.readouterr()
    exec(STUB.sub(lambda _: code.strip(), cell), {"exercises": exercises, "torch": torch, "nn": nn, "F": F})
    line = capsys.readouterr().out.strip()
    assert "\n" not in line
    return line


@each
def test_untouched_it_waits(label, capsys):
    assert answer(label, STUB.search(EXERCISES[label][0])[0], capsys).startswith("…")


@each
def test_the_solution_passes(label, capsys):
    assert answer(label, EXERCISES[label][1], capsys).startswith("✓")


@each
def test_mistakes_get_their_hint(label, capsys):
    assert len(WRONG[label]) >= 2
    for code, hint in WRONG[label].items():
        line = answer(label, code, capsys)
        assert line.startswith("✗") and hint in line, (code, line)


def test_no_mistakes_are_kept_for_an_exercise_that_is_gone():
    assert WRONG.keys() == EXERCISES.keys()


def test_every_objective_with_an_exercise_names_one_that_exists():
    for path in map(Path, listed(ROOT)):
        text = nbformat.read(path, as_version=4)
        objectives = next(c.source for c in text.cells if "**Objectives**" in c.source)
        chapter = "-".join(path.name.split("-")[:2])
        numbers = {f"ex-{n.replace('.', '-')}" for n in re.findall(rf"\b{chapter.replace('-', '.')}-\d+\b", objectives)}
        assert numbers == {label for label in EXERCISES if label.startswith(f"ex-{chapter}-")}
