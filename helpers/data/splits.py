"""Which examples belong together: fixed splits and few-shot subsets."""

from numbers import Real

import numpy as np
import torch

from helpers.data.images import Dataset, require_dataset, require_labels

SPLITS = ("train", "validation", "test")


def stratified_split(
    labels: torch.Tensor, fractions: tuple[float, ...], seed: int = 0, least: int = 0
) -> list[torch.Tensor]:
    """Split indices into disjoint parts, each class in the same proportions.

    labels : int64, (N,). fractions : 0 or more, sum to 1. least : each part gets at least this many of a class that
    has enough for all parts (rounding alone may leave a part without a small class).
    Returns one int64 index tensor a fraction, in ascending order.

    Raises ValueError or TypeError when the labels or the fractions are of another form.
    """
    require_labels(labels)
    if not isinstance(fractions, tuple | list) or not all(isinstance(x, Real) for x in fractions):
        raise TypeError(f"fractions must be a tuple of numbers, such as (0.8, 0.2), got {fractions!r}")
    if not fractions or min(fractions) < 0 or not abs(sum(fractions) - 1) <= 1e-6:  # NaN is no sum
        raise ValueError(f"fractions must be 0 or more and sum to 1, got {fractions}: each example has one place")
    generator = torch.Generator().manual_seed(seed)
    parts: list[list[torch.Tensor]] = [[] for _ in fractions]
    for c in labels.unique():
        index = torch.nonzero(labels == c).flatten()
        index = index[torch.randperm(len(index), generator=generator)]
        bounds = [round(x * len(index)) for x in np.cumsum(fractions)]
        sizes = np.diff([0, *bounds])
        if least * len(fractions) <= len(index):
            while sizes.min() < least:
                sizes[sizes.argmin()] += 1
                sizes[sizes.argmax()] -= 1
        for part, chosen in zip(parts, index.split(sizes.tolist())):
            part.append(chosen)
    return [torch.cat(part).sort().values if part else torch.empty(0, dtype=torch.int64) for part in parts]


def few_shot(dataset: Dataset, per_class: int, seed: int = 0) -> Dataset:
    """A random subset with `per_class` examples of each class.

    For one seed a larger subset contains the smaller ones, so a curve over `per_class` adds
    examples and never swaps them.

    Raises ValueError when a class has fewer examples than that, or images, labels and classes do not fit together;
    TypeError when `dataset` is none.
    """
    require_dataset(dataset, "few_shot")
    if isinstance(per_class, bool) or not isinstance(per_class, int | np.integer):
        raise ValueError(f"per_class must be a whole number, got {per_class!r}")
    if len(dataset.labels) and not 0 <= int(dataset.labels.min()) <= int(dataset.labels.max()) < len(dataset.classes):
        raise ValueError(
            f"labels run from {int(dataset.labels.min())} to {int(dataset.labels.max())}, but there are "
            f"{len(dataset.classes)} classes: a label is a position in dataset.classes"
        )
    counts = torch.bincount(dataset.labels, minlength=len(dataset.classes))
    least = int(counts.min()) if len(counts) else 0
    empty = [name for name, count in zip(dataset.classes, counts.tolist()) if count == 0]
    if not least:
        raise ValueError(
            f"no examples of {', '.join(map(repr, empty)) or 'any class'}: few_shot takes {per_class} of each class. "
            "Add images, or take a split that has every class"
        )
    if not 1 <= per_class <= least:
        rarest = dataset.classes[int(counts.argmin())]
        raise ValueError(f"per_class must lie between 1 and {least} (the rarest class, {rarest!r}), got {per_class}")
    order = torch.randperm(len(dataset.labels), generator=torch.Generator().manual_seed(seed))
    labels = dataset.labels[order]
    chosen = [order[labels == c][:per_class] for c in range(len(dataset.classes))]
    return dataset.select(torch.cat(chosen))
