"""What every training needs and no method is about: progress, history, interrupts, checkpoints, several processes.

The methods are plain `for` loops in `helpers.train`. A loop of your own looks like them::

    run = Run(steps=1_000, rng=0, every=100, checkpoint="mine.safetensors")
    model, optimizer = run.prepare(model, optimizer)
    images, labels = run.to_device(images, labels)
    for step in run.each(model=model, optimizer=optimizer):
        x, y = run.batch(32, images, labels)
        run.descend(optimizer, loss=F.cross_entropy(model(to_float(x)), y))
    print(run.history["loss"])
"""

import math
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import broadcast, broadcast_object_list, gather_object
from torch import nn
from tqdm.auto import tqdm

from helpers.runtime import describe, differences, load_state, require_counts, require_seed, save_state

# Several processes stop at the same step, so they ask each other; not at every step, because that waits for the device.
ASK_EVERY = 10
# A launcher hands a key press on to its processes, so each may get it twice.
SAME_KEY_PRESS = 0.5  # seconds


class Objective(nn.Module):
    """A loss together with the networks that it uses: `function(*inputs)`.

    Prepared as one module, it makes several processes average the gradients of these networks, however often the
    function calls them.
    """

    def __init__(self, function: Callable, *networks: nn.Module):
        super().__init__()
        self.function, self.networks = function, nn.ModuleList(networks)

    def forward(self, *inputs):
        return self.function(*inputs)


class Run:
    """The steps of one training.

    Parameters
    ----------
    steps
        Number of updates.
    rng
        A seed, or a torch.Generator on the CPU: of the batches and of all that the loop draws. Initial weights and
        dropout come from PyTorch's global generator.
    every
        History and checkpoint are written every so many steps, and at the end.
    checkpoint
        A file. Where it exists, training goes on from it, bit for bit on a CPU, also to more steps than before.
        Where it was made with other settings, that is an error.
    label
        Of the progress bar.
    settings
        What a checkpoint must agree with, by name: numbers, tensors, networks, optimizers, functions.

    Raises
    ------
    ValueError, TypeError
        A number that is out of its range or no integer; a checkpoint that is a folder.
    OSError
        The checkpoint's folder cannot be written to.
    """

    def __init__(
        self,
        steps: int,
        rng: int | torch.Generator = 0,
        every: int = 100,
        checkpoint: str | Path | None = None,
        label: str = "train",
        settings: dict[str, Any] | None = None,
    ):
        require_counts(steps=steps, every=every)
        _require_rng(rng)
        self.accelerator = Accelerator()
        self.device, self.world = self.accelerator.device, self.accelerator.num_processes
        self.steps, self.every, self.label, self.step = steps, every, label, 0
        self.checkpoint = Path(checkpoint).expanduser() if checkpoint else None
        if self.checkpoint:  # now, and not when the first steps are done
            _require_place(self.checkpoint)
        # What all processes draw alike, and what each draws for itself; with one process there is no difference.
        self.shared = rng if isinstance(rng, torch.Generator) else torch.Generator().manual_seed(rng)
        self.rng = self.shared
        if self.world > 1:
            own = self.shared.initial_seed() + 100_003 * (self.accelerator.process_index + 1)
            self.rng = torch.Generator().manual_seed(own)
        self.history: dict[str, list] = {"step": []}
        self._recent: dict[str, list] = {}  # losses since the last record, on the device
        self._parts: dict[str, Any] = {}
        self._settings: dict[str, Any] = {}
        if self.checkpoint:  # now, while everything is as the caller gave it
            own_settings = {"every": every, "rng": self.shared.get_state(), "processes": self.world}
            self._settings = describe((settings or {}) | own_settings)

    # --- what a loop's body calls ---

    def prepare(self, *objects: Any) -> Any:
        """Networks and optimizers, ready for the device, for several processes and for mixed precision.

        Networks move to the device themselves: the caller's object is there afterwards, too, and its convolutions are
        in channels-last memory, in which most run faster on a CPU and on a GPU.
        """
        for part in objects:
            if isinstance(part, nn.Module):
                _to_channels_last(part, self.device)
        return self.accelerator.prepare(*objects)

    def plain(self, model: nn.Module) -> nn.Module:
        """The network itself, without what `prepare` may have put around it."""
        return self.accelerator.unwrap_model(model)

    def autocast(self) -> Any:
        """A block in which networks compute in the precision that Accelerate was set to; prepared ones do anyway."""
        return self.accelerator.autocast()

    def to_device(self, *tensors: torch.Tensor | None) -> list:
        """The tensors on the run's device; None stays None."""
        return [t if t is None else t.to(self.device) for t in tensors]

    def batch(self, size: int, *tensors: torch.Tensor) -> list[torch.Tensor]:
        """`size` random rows, drawn with replacement, the same of each tensor; each process gets its share of them."""
        require_counts(size=size)
        if (lengths := {len(t) for t in tensors}) == {0} or len(lengths) != 1:
            raise ValueError(f"need tensors of equal length, at least 1, got {', '.join(str(len(t)) for t in tensors)}")
        index = self._share(torch.randint(len(tensors[0]), (size,), generator=self.shared))
        return [t[index] for t in tensors]

    def latents(self, size: int, width: int) -> torch.Tensor:
        """Standard normal vectors, float, (size, width); each process gets its share of them."""
        require_counts(size=size, width=width)
        return self._share(torch.randn(size, width, generator=self.shared))

    def _share(self, rows: torch.Tensor) -> torch.Tensor:
        if len(rows) % self.world:
            raise ValueError(f"a batch of {len(rows)} cannot be shared by {self.world} processes: make it a multiple")
        return rows[self.accelerator.process_index :: self.world].to(self.device, non_blocking=True)

    def descend(self, optimizer: Any, scheduler: Any = None, **losses: torch.Tensor) -> None:
        """One update down the sum of the losses; their means over `every` steps join the history by their names.

        Raises
        ------
        FloatingPointError
            A loss is not finite: on a CPU before the update; elsewhere when the losses are next recorded, because to
            look at each would make the device wait.
        ValueError
            There is no loss, one is no scalar, or they depend on no weight that can be trained.
        """
        if not any(isinstance(loss, torch.Tensor) and loss.requires_grad for loss in losses.values()):
            raise ValueError(
                f"there is nothing to train: the losses ({', '.join(losses) or 'none'}) depend on no weight with "
                "requires_grad=True. Unfreeze some, and let no torch.no_grad() or detach() stand between"
            )
        for name, loss in losses.items():
            if loss.numel() != 1:
                raise ValueError(f"the {name} must be one number, got shape {tuple(loss.shape)}: take its mean")
            values = self._recent.setdefault(name, [])
            values.append(loss.detach())
            if loss.device.type == "cpu":
                self._require_finite(name, [loss.item()], self.step)
        optimizer.zero_grad()
        self.accelerator.backward(sum(losses.values()))
        optimizer.step()
        if scheduler:
            scheduler.step()

    def once(self, function: Callable, *args: Any) -> Any:
        """What `function(*args)` gives in the first process, in every process: the others do not compute it.

        It may draw random numbers: the training's own are not touched by it.
        """
        devices = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices):
            if self.world == 1:
                return function(*args)
            answer: list = [None, None]
            if self.accelerator.is_main_process:
                try:
                    answer[0] = function(*args)
                except Exception as error:  # the others must not wait for an answer that never comes
                    answer[1] = error
            broadcast_object_list(answer)
        if answer[1] is not None:
            raise answer[1]
        return answer[0]

    # --- the steps ---

    def each(
        self, measure: Callable[[int], dict[str, Any]] | None = None, first: bool = False, **parts: Any
    ) -> Iterator[int]:
        """Yield the number of each step, 0 to steps − 1, and do between them what this module is about.

        measure : ``measure(step)``, called in every process with each record; its dict joins the history. first :
        record before the first step, too. parts : what the checkpoint holds, by name: anything with `state_dict` and
        `load_state_dict`, or a dict that is filled in place.

        The first Ctrl-C lets the step in progress finish, saves, and raises KeyboardInterrupt; a second one stops at
        once.

        Raises
        ------
        KeyboardInterrupt
            The training was interrupted. There is no half result that something could take for a whole one.
        ValueError
            The checkpoint is damaged, of another method, or was made with other settings.
        """
        self._parts = {
            name: self.plain(p) if isinstance(p, nn.Module) else p for name, p in parts.items() if p is not None
        }
        if self.accelerator.scaler is not None:
            self._parts["scaler"] = self.accelerator.scaler
        if self.checkpoint and self.checkpoint.exists():
            self._resume(load_state(self.checkpoint))
        elif first:
            self._record(measure)
        # In a notebook tqdm overlooks its own variable TQDM_DISABLE.
        silent = bool(os.environ.get("TQDM_DISABLE")) or not self.accelerator.is_main_process
        bar = tqdm(total=self.steps, initial=self.step, desc=self.label, leave=False, disable=silent)
        with bar, interrupts(SAME_KEY_PRESS if self.world > 1 else 0) as interrupted:
            while self.step < self.steps:
                yield self.step
                self.step += 1
                bar.update()
                due = self.step % self.every == 0 or self.step == self.steps
                if due:
                    self._record(measure)
                    self._save()
                if self._agreed(bool(interrupted), due):
                    if not due:
                        self._save()
                    raise KeyboardInterrupt(self._what_now())

    def _agreed(self, interrupted: bool, due: bool) -> bool:
        if self.world == 1:
            return interrupted
        if interrupted:
            self.accelerator.set_trigger()
        return (due or self.step % ASK_EVERY == 0) and self.accelerator.check_trigger()

    def _what_now(self) -> str:
        go_on = 'give checkpoint="some-file.safetensors" to be able to go on later'
        if self.checkpoint:
            go_on = f"run it again to go on from {self.checkpoint}"
        return f"interrupted at step {self.step} of {self.steps}: {go_on}"

    def _record(self, measure: Callable[[int], dict[str, Any]] | None) -> None:
        row: dict[str, Any] = {"step": self.step}
        first = self.step - max((len(values) for values in self._recent.values()), default=0)
        for name, values in self._recent.items():
            stack = torch.stack([torch.as_tensor(v, dtype=torch.float32, device=self.device) for v in values])
            numbers = stack.cpu().double()
            self._require_finite(name, numbers.tolist(), first)
            row[name] = numbers.mean().item()
        if self.world > 1:  # the mean of all processes, and the first one's statistics of batch norm in all of them
            rows = gather_object([row])
            row = {name: sum(r[name] for r in rows) / len(rows) for name in row} | {"step": self.step}
            for part in self._parts.values():
                for buffer in part.buffers() if isinstance(part, nn.Module) else ():
                    broadcast(buffer)
        measured = require_row(measure(self.step)) if measure else {}
        if both := row.keys() & measured.keys():
            raise ValueError(f"measure returned {both.pop()!r}, which the loop records itself: give it another name")
        row |= measured
        for name, value in row.items():
            # A record before the first step has no losses yet.
            column = self.history.setdefault(name, [math.nan] * len(self.history["step"][:-1]))
            column.append(value)
        for name in self.history.keys() - row.keys():
            self.history[name].append(math.nan)
        self._recent.clear()

    def _require_finite(self, name: str, values: list[float], first: int) -> None:
        for step, value in enumerate(values, first):
            if not math.isfinite(value):
                raise FloatingPointError(
                    f"the {name} became {value} at step {step}: lower the learning rate or check the inputs for "
                    "NaN. An earlier checkpoint, if you asked for one, is untouched."
                )

    # --- checkpoints ---

    def _save(self) -> None:
        if not self.checkpoint:
            return
        randoms = [_randomness(self.rng, self.device)]
        if self.world > 1:
            randoms = gather_object(randoms)
        if self.accelerator.is_main_process:
            recent = {name: [float(v) for v in values] for name, values in self._recent.items()}
            state = {"settings": self._settings, "step": self.step, "recent": recent, "history": self.history}
            state |= {"shared": self.shared.get_state(), "random": randoms}
            parts = {name: p if isinstance(p, dict) else p.state_dict() for name, p in self._parts.items()}
            save_state(self.checkpoint, state | {"parts": parts})

    def _resume(self, state: Any) -> None:
        if not isinstance(state, dict) or not {"settings", "step", "parts", "random"} <= state.keys():
            raise ValueError(f"{self.checkpoint} is not a checkpoint of a training: give another file, or delete it")
        if changed := differences(state["settings"], self._settings):
            raise ValueError(
                f"{self.checkpoint} was made with other settings: {'; '.join(changed[:5])}. Restore them to go on, or "
                "delete the file (or name another one) to start afresh"
            )
        if state["step"] > self.steps:
            raise ValueError(f"{self.checkpoint} is at step {state['step']} already: give at least as many steps")
        for name, part in self._parts.items():
            part.update(state["parts"][name]) if isinstance(part, dict) else part.load_state_dict(state["parts"][name])
            for weight, moments in getattr(part, "state", {}).items():  # of an optimizer: in memory as the weight
                for key, value in moments.items():
                    if isinstance(value, torch.Tensor) and value.shape == weight.shape:
                        moments[key] = torch.empty_like(weight, dtype=value.dtype).copy_(value)
        self.step, self.history, self._recent = state["step"], state["history"], state["recent"]
        self.shared.set_state(state["shared"])
        _restore_randomness(self.rng, self.device, state["random"][self.accelerator.process_index])


def _to_channels_last(network: nn.Module, device: torch.device) -> None:
    """Move the kernels of 2-D convolutions; weights of other dimensions stay as they are."""
    # On a CPU the backward pass of this kind of layer writes past its buffer in that memory (oneDNN 3.12, torch 2.14):
    # https://github.com/uxlfoundation/oneDNN/issues/6035
    convolutions = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
    overflows = device.type == "cpu" and any(
        m.kernel_size == (1, 1) and max(m.stride) > 1 and m.in_channels // m.groups < 16 for m in convolutions
    )
    memory = torch.contiguous_format if overflows else torch.channels_last
    for weight in network.parameters():
        if weight.ndim == 4:  # a copy: `contiguous` takes a kernel of one pixel for either kind
            weight.data = torch.empty_like(weight.data, memory_format=memory).copy_(weight.data)


def require_row(measured: Any) -> dict[str, Any]:
    """What a `measure` returned, if it is a dict."""
    if not isinstance(measured, dict):
        raise TypeError(
            f"measure must return a dict of what it measured, such as {{'fid': 12.3}}, got {str(measured)[:60]!r} "
            f"({type(measured).__name__})"
        )
    return measured


def _require_rng(rng: Any) -> None:
    if not isinstance(rng, torch.Generator):
        require_seed(rng)
    elif rng.device.type != "cpu":
        raise ValueError(f"rng must be a generator on the CPU, or a seed, got one on {rng.device}")


def _require_place(checkpoint: Path) -> None:
    if checkpoint.is_dir():
        raise ValueError(f"the checkpoint {checkpoint} is a folder: name a file in it, such as run.safetensors")
    above = next(folder for folder in checkpoint.absolute().parents if folder.exists())
    if not above.is_dir() or not os.access(above, os.W_OK):
        raise OSError(f"cannot write the checkpoint {checkpoint}: {above} is no folder that you may write to")


def _randomness(rng: torch.Generator, device: torch.device) -> dict[str, Any]:
    """Every generator that a step may draw from: the loop's, PyTorch's on CPU and device, NumPy's, Python's."""
    own = getattr(torch, device.type).get_rng_state() if device.type in ("cuda", "mps") else None
    numpy: Any = np.random.get_state(legacy=True)
    return {
        "rng": rng.get_state(),
        "cpu": torch.get_rng_state(),
        "device": own,
        "numpy": [numpy[0], numpy[1].tolist(), *numpy[2:]],
        "python": random.getstate(),
    }


def _restore_randomness(rng: torch.Generator, device: torch.device, state: dict[str, Any]) -> None:
    rng.set_state(state["rng"])
    torch.set_rng_state(state["cpu"])
    if state["device"] is not None:
        getattr(torch, device.type).set_rng_state(state["device"])
    np.random.set_state(tuple(state["numpy"]))
    version, inner, gauss = state["python"]
    random.setstate((version, tuple(inner), gauss))


@contextmanager
def interrupts(same_key_press: float = 0) -> Iterator[list]:
    """Note the first Ctrl-C in the list, so that the step in progress is finished; a second one stops at once.

    same_key_press : what comes within so many seconds of the first is no second one.
    """
    seen: list[float] = []
    if threading.current_thread() is not threading.main_thread():
        yield seen  # Python delivers signals to the main thread only
        return

    def note(number, frame):
        if seen and time.monotonic() - seen[0] >= same_key_press:
            raise KeyboardInterrupt
        seen.append(time.monotonic())

    before = signal.signal(signal.SIGINT, note)
    try:
        yield seen
    finally:
        signal.signal(signal.SIGINT, before)
