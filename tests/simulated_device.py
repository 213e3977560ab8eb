"""A device that is not there: its tensors hold real values on the CPU, and mixing them with the CPU's is an error.

It finds on any machine what would stop on a GPU: a network there and its input here, `.numpy()` without `.cpu()`. It
also counts how often Python waits for the device (`.item()`, a comparison in an `if`). It holds real values, which
PyTorch's fake tensors do not, so that a notebook's `if` and its plots run. What it cannot find: kernels that a real
device lacks, and its rounding.

    with SimulatedDevice() as device:
        x = torch.ones(3).to(device.name)
        x + torch.ones(3)          # Mixed: add got tensors of both devices

Every call of PyTorch passes through a mode, which remembers for each memory block where it is said to be. Blocks that
PyTorch's C++ makes out of Python's sight, such as gradients, may stand on either side.
"""

import torch
from torch.multiprocessing.reductions import StorageWeakRef
from torch.overrides import TorchFunctionMode, resolve_name
from torch.utils._pytree import tree_flatten

# PyTorch knows the name, and nothing behind it has to be started.
NAME = torch.device("hpu")
CPU = torch.device("cpu")
# They move values between devices.
MOVERS = {"to", "cpu", "cuda", "copy_", "data.__set__", "_has_compatible_shallow_copy_type"}
WAITING = {
    "item",
    "tolist",
    "__bool__",
    "__float__",
    "__int__",
    "__index__",
    "nonzero",
    "__contains__",
    "equal",
    "allclose",
}


class Mixed(RuntimeError):
    """What a real device would refuse."""


class SimulatedDevice(TorchFunctionMode):
    def __init__(self):
        super().__init__()
        self.name, self.waits, self.calls = NAME, 0, 0
        self._places: dict[int, tuple[StorageWeakRef, bool]] = {}

    def place(self, tensor: torch.Tensor) -> bool | None:
        """True: on the device. False: on the CPU. None: nobody knows."""
        reference, there = self._places.get(_address(tensor), (None, None))
        return None if reference is None or reference.expired() else there

    def put(self, value, there: bool):
        for tensor in tree_flatten(value)[0]:
            if isinstance(tensor, torch.Tensor) and tensor.layout == torch.strided:
                self._places[_address(tensor)] = (StorageWeakRef(tensor.untyped_storage()), there)
        return value

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        name = (
            (resolve_name(func) or getattr(func, "__name__", str(func))).removeprefix("torch.").removeprefix("Tensor.")
        )
        self.calls += 1
        tensors = [t for t in tree_flatten((args, kwargs))[0] if isinstance(t, torch.Tensor)]
        there = [self.place(t) for t in tensors]
        if name == "device.__get__":
            return NAME if there[0] else func(*args, **kwargs)
        if name in ("to", "cpu", "cuda"):
            return self._move(func, name, args, kwargs)
        # Only shapes: no values are touched.
        if (
            name.endswith("__get__")
            and name != "data.__get__"
            and name not in ("grad.__get__", "T.__get__", "mT.__get__")
        ):
            return func(*args, **kwargs)
        device = kwargs.get("device")
        wanted = None if device is None else torch.device(device).type == NAME.type
        if wanted:
            kwargs["device"] = CPU
            generator = kwargs.get("generator")
            if generator is not None:
                raise Mixed(f"{name} on the device got a generator of the CPU: draw on the CPU, then move")
        if name in ("numpy", "__array__") and there[0]:
            raise Mixed("numpy() of a tensor on the device: call .cpu() first")
        if name.split(".")[-1] in WAITING and any(there):
            self.waits += 1
        if name not in MOVERS and wanted is None:
            self._require_one_device(name, func, args, tensors, there)
        result = func(*args, **kwargs)
        if wanted is not None:
            return self.put(result, wanted)
        made = [t for t in tree_flatten(result)[0] if isinstance(t, torch.Tensor)]
        for tensor in made:
            if self.place(tensor) is None and not name.startswith("grad."):
                self.put(tensor, any(there))
        return result

    def _move(self, func, name, args, kwargs):
        source = args[0]
        target = {"cpu": CPU, "cuda": NAME}.get(name)
        if target is None:
            named = [a for a in [*args[1:], *kwargs.values()] if isinstance(a, (torch.device, str))]
            others = [a for a in [*args[1:], *kwargs.values()] if isinstance(a, torch.Tensor)]
            target = torch.device(named[0]) if named else others[0].device if others else None

        def swap(value):
            return CPU if isinstance(value, (torch.device, str)) else value

        before = self.place(source)
        if name == "to":
            result = func(*[args[0], *map(swap, args[1:])], **{k: swap(v) for k, v in kwargs.items()})
        else:
            result = source
        after = before if target is None else target.type == NAME.type
        if before and not after:
            self.waits += 1
        if bool(after) != bool(before) and _address(result) == _address(source):
            result = result.clone()  # a block of its own, so that the two do not share a place
        return self.put(result, bool(after))

    def _require_one_device(self, name, func, args, tensors, there):
        if name.endswith(("__getitem__", "__setitem__")):  # a tensor on the device may be asked by an index on the CPU
            if there[0] is False and any(there[1:]):
                raise Mixed(f"a tensor of the CPU got an index or a value on the device ({_shapes(tensors)})")
            return
        known = {place for tensor, place in zip(tensors, there) if place is not None and (place or tensor.ndim)}
        if len(known) > 1:
            raise Mixed(f"{name} got tensors of both devices ({_shapes(tensors)})")


def _address(tensor: torch.Tensor) -> int:
    return tensor.untyped_storage()._cdata


def _shapes(tensors: list[torch.Tensor]) -> str:
    return ", ".join(str(tuple(t.shape)) for t in tensors)
