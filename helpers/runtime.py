"""Ground floor: profile, device, seeds, checkpoints and provenance."""

import hashlib
import json
import os
import platform
import random
import tempfile
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
    if seed < 0:
        raise ValueError(f"the seed must be 0 or more, got {seed}")
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.backends.cudnn.benchmark = False


def data_dir() -> Path:
    """Folder that holds downloaded data sets: ``BOOK_DATA``, or a folder in the user's cache."""
    return Path(os.environ.get("BOOK_DATA") or Path.home() / ".cache" / "transfer-gan-book")


def results_dir() -> Path:
    """Folder that holds the measured figures which chapters read."""
    # A checkout has it beside the package, an installed package inside.
    inside, beside = Path(__file__).parent / "results", Path(__file__).parent.parent / "results"
    return inside if inside.is_dir() else beside


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
    """Write `value` as JSON, whole or not at all."""
    return _write_whole(path, lambda part: part.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8"))


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


def save_weights(model: torch.nn.Module, path: str | Path, dtype: torch.dtype = torch.float32, **card: str) -> Path:
    """Write a model's weights as safetensors, floating-point tensors in `dtype`, whole or not at all.

    `card` becomes the file's metadata. The file's SHA-256 is added to ``checksums.json`` beside it.
    """
    state = {
        name: value.detach().cpu().to(dtype if value.is_floating_point() else value.dtype).contiguous()
        for name, value in model.state_dict().items()
    }
    path = _write_whole(
        path, lambda part: save_file(state, part, metadata={k: str(v) for k, v in card.items()} or None)
    )
    sums = path.parent / "checksums.json"
    known = json.loads(sums.read_text()) if sums.is_file() else {}
    known[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    write_json(sums, dict(sorted(known.items())))
    return path


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
        The file is truncated, is not what was committed, or fits another model.
    """
    path = Path(name)
    if not path.suffix:
        path = path.with_name(path.name + ".safetensors")
    if not path.is_absolute() and not path.exists():
        path = WEIGHTS / path
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in WEIGHTS.glob("*.safetensors")))
        raise FileNotFoundError(f"no weights file {path}; committed ones: {known}")
    sums = path.parent / "checksums.json"
    expected = json.loads(sums.read_text()).get(path.name) if sums.is_file() else None
    if expected and hashlib.sha256(path.read_bytes()).hexdigest() != expected:
        raise ValueError(f"{path} differs from the committed file (SHA-256): restore it from the repository")
    tensors, card = _read_safetensors(path)
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        raise ValueError(f"{path} does not fit {type(model).__name__}: {error}") from error
    return card


def save_state(path: str | Path, state: Any) -> Path:
    """Write nested dicts and lists of tensors and JSON values as one safetensors file.

    No pickle: a checkpoint from somebody else cannot run code. Whole or not at all: the file that
    was there stays until the new one is complete.
    """
    tensors: dict[str, torch.Tensor] = {}

    def encode(value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            tensors[f"t{len(tensors)}"] = value.detach().cpu().clone().contiguous()
            return {"tensor": f"t{len(tensors) - 1}"}
        if isinstance(value, dict):  # pairs, because JSON would turn an optimizer's integer keys into strings
            return {"dict": [[key, encode(item)] for key, item in value.items()]}
        if isinstance(value, (list, tuple)):
            return {"list": [encode(item) for item in value]}
        return {"value": value}

    tree = json.dumps(encode(state))
    return _write_whole(path, lambda part: save_file(tensors, part, metadata={"tree": tree}))


def load_state(path: str | Path) -> Any:
    """Read what `save_state` wrote (tuples come back as lists).

    Raises
    ------
    ValueError
        The file is truncated or is not a checkpoint of this book.
    """
    tensors, card = _read_safetensors(Path(path))
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
