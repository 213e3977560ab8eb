"""Ground floor: profile, device, seeds, results, weights and checkpoints."""

import hashlib
import json
import os
import platform
import random
import tempfile
from functools import partial
from numbers import Integral
from pathlib import Path
from typing import Any, NamedTuple

# cuBLAS reads this once, when it starts; without it GPU matrix products are not repeatable.
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

import numpy as np
import torch
from accelerate import Accelerator
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

PROFILES = ("quick", "full")
WEIGHTS = Path(__file__).parent / "weights"


class Settings(NamedTuple):
    """What a notebook runs with."""

    profile: str
    device: torch.device
    seed: int


def start(seed: int = 0, profile: str | None = None) -> Settings:
    """Fix profile, device and seeds, and say so in one line.

    Parameters
    ----------
    seed
        Non-negative integer, given to Python, NumPy and PyTorch.
    profile
        "quick" (bundled data, two CPU cores) or "full" (complete data sets, a GPU where there is
        one). Left out, the environment variable ``BOOK_PROFILE`` decides, and "quick" without it.

    Raises
    ------
    ValueError
        The profile is unknown or the seed is negative.
    TypeError
        The seed is no whole number.
    """
    profile = profile or os.environ.get("BOOK_PROFILE") or "quick"
    if profile not in PROFILES:
        raise ValueError(f"unknown profile {profile!r}: set BOOK_PROFILE to one of {', '.join(PROFILES)}")
    seed_everything(seed)
    device = Accelerator().device
    print(f"profile {profile} · device {device.type} · seed {seed}")
    return Settings(profile, device, seed)


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and PyTorch, and ask PyTorch for repeatable kernels.

    Two runs on one machine then agree bit for bit. Two machines agree only to rounding: kernels
    add in different orders.
    """
    require_seed(seed)
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(True, warn_only=True)
    # Only a help against bugs: each new tensor would be filled before it is written, 440 times a step of a GAN.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = False


def data_dir() -> Path:
    """Folder that holds downloaded data sets: ``BOOK_DATA``, or a folder in the user's cache."""
    return Path(os.environ.get("BOOK_DATA") or Path.home() / ".cache" / "transfer-gan-book").expanduser()


def results_dir() -> Path:
    """Folder that holds the measured figures which chapters read."""
    # A checkout has it beside the package, an installed package inside.
    inside, beside = Path(__file__).parent / "results", Path(__file__).parent.parent / "results"
    return inside if inside.is_dir() else beside


# --- what goes in ------------------------------------------------------------------------------


def require_counts(**counts: Any) -> None:
    """Whole numbers, 1 or more; anything else is an error that names it."""
    for name, value in counts.items():
        if isinstance(value, bool) or not isinstance(value, Integral):
            raise TypeError(f"{name} must be a whole number, got {value!r} ({type(value).__name__})")
        if value < 1:
            raise ValueError(f"{name} must be at least 1, got {value}")


def require_seed(seed: Any) -> None:
    """A whole number, 0 or more; anything else is an error."""
    if isinstance(seed, bool) or not isinstance(seed, Integral):
        raise TypeError(f"the seed must be a whole number, got {seed!r} ({type(seed).__name__})")
    if not 0 <= int(seed) < 2**63:
        raise ValueError(f"the seed must be 0 or more and below 2**63, got {seed}")


def require_networks(**networks: Any) -> None:
    """Networks; anything else is an error that names it."""
    for name, value in networks.items():
        if not isinstance(value, torch.nn.Module):
            raise TypeError(
                f"{name} must be a network (a torch.nn.Module, built and not only named), got {str(value)[:60]!r} "
                f"({type(value).__name__})"
            )


# --- results -----------------------------------------------------------------------------------


def provenance(command: str, seconds: float, data: str, seeds: list[int]) -> dict[str, Any]:
    """Where a measured figure comes from: command, data, seeds, device, seconds, versions."""
    import torchvision

    device = Accelerator().device
    return {
        "command": command,
        "data": data,
        "seeds": seeds,
        "device": torch.cuda.get_device_name()
        if device.type == "cuda"
        else f"{device.type}, {torch.get_num_threads()} threads",
        "seconds": round(seconds),
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__.split("+")[0],
            "torchvision": torchvision.__version__.split("+")[0],
        },
    }


def write_json(path: str | Path, value: Any) -> Path:
    """Write `value` as JSON, whole or not at all.

    Raises TypeError when it holds something else than numbers, text, lists and dicts.
    """
    try:
        text = json.dumps(value, indent=1) + "\n"
    except TypeError as error:
        raise TypeError(f"{path} was not written: {error}. Use .item() or .tolist() on tensors and arrays") from error
    return _write_whole(path, lambda part: part.write_text(text, encoding="utf-8"))


def read_results(name: str) -> dict[str, Any]:
    """Read ``results/<name>.json``; the error names the command to run when it is missing."""
    path = results_dir() / f"{name}.json"
    if not path.is_file():
        raise FileNotFoundError(f"no results file {path}: see results/README.md for the command that makes it")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is damaged ({error}): restore it from the repository") from error


# --- weights and checkpoints -------------------------------------------------------------------


def weights_path(path: str | Path) -> Path:
    """The path with ``.safetensors`` at its end: "mine" and "v1.2-mine" are names, not a name and a suffix."""
    path = Path(path).expanduser()
    if not path.name:
        raise ValueError(f"{str(path)!r} names no file: give one, such as mine.safetensors")
    return path if path.suffix == ".safetensors" else path.with_name(path.name + ".safetensors")


def save_weights(model: torch.nn.Module, path: str | Path, dtype: torch.dtype = torch.float32, **card: Any) -> Path:
    """Write a model's weights as safetensors, floating-point tensors in `dtype`, whole or not at all.

    `card` becomes the file's metadata. The file's SHA-256 is added to ``checksums.json`` beside it.

    Raises
    ------
    ValueError
        The weights hold NaN or infinity, also after the conversion to `dtype`; `dtype` is no floating-point type;
        ``checksums.json`` is damaged.
    TypeError
        `model` is no network.
    OSError
        The file cannot be written; the one that was there is untouched.
    """
    require_networks(model=model)
    if not dtype.is_floating_point:
        raise ValueError(f"weights are stored in a floating-point dtype, got {dtype}: use torch.float32 or float16")
    path = weights_path(path)
    sums = path.parent / "checksums.json"
    known = _checksums(sums)  # read first: where they are damaged, nothing is written
    state = {
        # clone: safetensors refuses two names for one memory, as tied layers have.
        name: value.detach().cpu().to(dtype if value.is_floating_point() else value.dtype).clone().contiguous()
        for name, value in model.state_dict().items()
    }
    if bad := [name for name, value in state.items() if value.is_floating_point() and not value.isfinite().all()]:
        raise ValueError(
            f"{path} was not written: {', '.join(bad)} hold NaN or infinity in {dtype}. Train at a lower rate, or "
            "choose a dtype of wider range"
        )
    path = _write_whole(
        path, lambda part: save_file(state, part, metadata={k: str(v) for k, v in card.items()} or None)
    )
    known[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    write_json(sums, dict(sorted(known.items())))
    return path


def _checksums(path: Path) -> dict[str, str]:
    try:
        sums = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except ValueError as error:
        raise ValueError(f"{path} is damaged ({error}): restore it, or delete it") from error
    if not isinstance(sums, dict):
        raise ValueError(f"{path} is damaged, it holds no names: restore it, or delete it")
    return sums


def load_weights(model: torch.nn.Module, name: str | Path) -> dict[str, str]:
    """Load safetensors weights into `model` and return the file's metadata.

    Parameters
    ----------
    model
        A module whose parameter names and shapes match the file.
    name
        A file in ``helpers/weights`` (with or without ``.safetensors``), or a path.

    Raises
    ------
    FileNotFoundError
        There is no such file; the message lists the committed ones.
    ValueError
        The file is truncated, is not what was committed, or fits another model; ``checksums.json`` is damaged.
    TypeError
        `model` is no network.
    """
    require_networks(model=model)
    path = Path(name).expanduser()
    if not path.is_file():
        path = weights_path(path)
    if not path.is_absolute() and not path.exists():
        path = WEIGHTS / path
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in WEIGHTS.glob("*.safetensors")))
        raise FileNotFoundError(f"no weights file {path}; committed ones: {known}")
    sums = path.parent / "checksums.json"
    expected = _checksums(sums).get(path.name)
    if expected and hashlib.sha256(path.read_bytes()).hexdigest() != expected:
        raise ValueError(f"{path} differs from the committed file (SHA-256): restore it from the repository")
    tensors, card = _read_safetensors(path)
    # Compared first: load_state_dict would copy what fits before it raises, and leave a mixture.
    own = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    held = {name: tuple(value.shape) for name, value in tensors.items()}
    if odd := [name for name in dict.fromkeys([*own, *held]) if own.get(name) != held.get(name)]:
        first = odd[0]
        raise ValueError(
            f"{path} does not fit {type(model).__name__} in {len(odd)} places: {first} has shape "
            f"{held.get(first, 'none')} in the file and {own.get(first, 'none')} in the network. Build the network "
            "with the settings that the weights were saved with"
        )
    model.load_state_dict(tensors)
    return card


def save_state(path: str | Path, state: Any) -> Path:
    """Write nested dicts and lists of tensors and JSON values as one safetensors file.

    No pickle: a checkpoint from somebody else cannot run code. Whole or not at all: the file that
    was there stays until the new one is complete.

    Raises TypeError when something else is in it.
    """
    tensors: dict[str, torch.Tensor] = {}

    def encode(value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            tensors[f"t{len(tensors)}"] = value.detach().cpu().clone().contiguous()
            return {"tensor": f"t{len(tensors) - 1}"}
        if isinstance(value, dict):  # pairs, because JSON would turn an optimizer's integer keys into strings
            for key in value:
                require_plain(key, "a key")
            return {"dict": [[key, encode(item)] for key, item in value.items()]}
        if isinstance(value, (list, tuple)):
            return {"list": [encode(item) for item in value]}
        require_plain(value, "a value")
        return {"value": value}

    def require_plain(value: Any, place: str) -> None:
        if value is not None and not isinstance(value, bool | int | float | str):
            raise TypeError(
                f"cannot save {place} of type {type(value).__name__} ({str(value)[:40]}) to {path}: a state holds "
                "tensors, numbers, text, None, lists and dicts of these"
            )

    tree = json.dumps(encode(state))
    return _write_whole(path, lambda part: save_file(tensors, part, metadata={"tree": tree}))


def load_state(path: str | Path) -> Any:
    """Read what `save_state` wrote (tuples come back as lists).

    Raises
    ------
    ValueError
        The file is truncated or is not a checkpoint of this book.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no checkpoint {path}: " + ("that is a folder" if path.is_dir() else "check the path"))
    tensors, card = _read_safetensors(path)
    if "tree" not in card:
        raise ValueError(f"{path} holds weights but no training state: give the file that `checkpoint=` wrote")

    def decode(node: Any) -> Any:
        kind, value = next(iter(node.items()))
        if kind == "tensor":
            return tensors[value]
        if kind == "dict":
            return {key: decode(item) for key, item in value}
        if kind == "list":
            return [decode(item) for item in value]
        return value

    return decode(json.loads(card["tree"]))


# --- what a run was made with ------------------------------------------------------------------


def describe(value: Any) -> Any:
    """JSON values that change when `value` does: what a checkpoint was made with.

    Tensors by dtype, shape and SHA-256; networks by their layers, and by which weights are frozen, not by the weights'
    values; optimizers and schedulers by their settings; functions by name, bound arguments and plain closure values.
    """
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return describe(value.item())
    if isinstance(value, np.ndarray):
        data = np.ascontiguousarray(value).tobytes()
        return f"{value.dtype} {value.shape} {hashlib.sha256(data).hexdigest()[:12]}"
    if isinstance(value, torch.Tensor):
        memory = value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data
        digest = hashlib.sha256(memory).hexdigest()[:12]
        return f"{str(value.dtype).removeprefix('torch.')} {tuple(value.shape)} {digest}"
    if isinstance(value, torch.nn.Module):
        layers = {name or "itself": f"{type(m).__name__}({m.extra_repr()})" for name, m in value.named_modules()}
        weights = {
            name: f"{tuple(p.shape)}{'' if p.requires_grad else ' frozen'}" for name, p in value.named_parameters()
        }
        return {"layers": layers, "weights": weights}
    if isinstance(value, torch.optim.Optimizer):
        groups = []
        for group in value.param_groups:
            settings = {k: describe(v) for k, v in group.items() if k != "params"}
            groups.append(settings | {"weights": [list(p.shape) for p in group["params"]]})
        return {"kind": type(value).__name__, "groups": groups}
    if isinstance(value, torch.optim.lr_scheduler.LRScheduler):
        state = {k: v for k, v in value.state_dict().items() if not k.startswith("_")}
        functions = [describe(f) for f in getattr(value, "lr_lambdas", [])]
        return {"kind": type(value).__name__} | describe(state | ({"lr_lambdas": functions} if functions else {}))
    if isinstance(value, dict):
        return {str(k): describe(v) for k, v in value.items()}
    if hasattr(value, "_asdict"):
        return describe(value._asdict())
    if isinstance(value, list | tuple):
        return [describe(v) for v in value]
    if isinstance(value, partial):
        return {"function": describe(value.func), "arguments": describe([*value.args]), **describe(value.keywords)}
    name = getattr(value, "__qualname__", type(value).__qualname__)
    cells = [c.cell_contents for c in getattr(value, "__closure__", None) or ()]
    plain = [c for c in cells if isinstance(c, bool | int | float | str)]
    return f"{name} {plain}" if plain else name


def differences(before: Any, now: Any, name: str = "") -> list[str]:
    """Where two descriptions differ, in words: "batch_size was 32 and is 64"."""
    if isinstance(before, dict) and isinstance(now, dict):
        keys = dict.fromkeys([*before, *now])
        return [d for k in keys for d in differences(before.get(k), now.get(k), f"{name}.{k}" if name else str(k))]
    if isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        return [d for i, pair in enumerate(zip(before, now)) for d in differences(*pair, f"{name}[{i}]")]
    return [] if before == now else [f"{name} was {before} and is {now}"]


def _read_safetensors(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    try:
        with safe_open(path, framework="pt") as file:
            return {key: file.get_tensor(key) for key in file.keys()}, file.metadata() or {}
    except SafetensorError as error:
        raise ValueError(
            f"{path} is truncated or no safetensors file ({error}): delete it and make it again"
        ) from error


def _write_whole(path: str | Path, write) -> Path:
    """Let `write` fill a file beside `path`, then move it there in one step."""
    path = Path(path)
    part = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        os.close(handle)
        part = Path(name)
        write(part)
        part.chmod(0o644)
        part.replace(path)
    except (OSError, SafetensorError) as error:
        raise OSError(
            f"cannot write {path} ({getattr(error, 'strerror', None) or error}): choose a folder that you may write to"
        ) from error
    finally:
        if part is not None:
            part.unlink(missing_ok=True)
    return path
