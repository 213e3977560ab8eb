"""Profile, seeds, results, weights and checkpoints."""

import json
import math
import random
import resource

import numpy as np
import pytest
import torch
from torch import nn

from helpers import runtime


@pytest.fixture(autouse=True)
def clean(monkeypatch):
    monkeypatch.delenv("BOOK_PROFILE", raising=False)
    yield
    torch.use_deterministic_algorithms(False)


def small_model():
    return nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(108, 4))


def same(a, b):
    a, b = a.state_dict(), b.state_dict()
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


# --- start and seeds -----------------------------------------------------------------------------


def test_start_says_in_one_line_what_it_chose(capsys):
    settings = runtime.start(seed=7)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    for part in ("quick", settings.device.type, "7"):
        assert part in lines[0]
    assert (settings.profile, settings.seed) == ("quick", 7)


def test_the_environment_chooses_the_profile_and_an_argument_beats_it(monkeypatch):
    monkeypatch.setenv("BOOK_PROFILE", "full")
    assert runtime.start().profile == "full"
    assert runtime.start(profile="quick").profile == "quick"
    monkeypatch.setenv("BOOK_PROFILE", "")
    assert runtime.start().profile == "quick"


@pytest.mark.parametrize("how", ["argument", "environment"])
def test_an_unknown_profile_is_refused_with_the_choices(monkeypatch, how):
    if how == "environment":
        monkeypatch.setenv("BOOK_PROFILE", "fast")
    with pytest.raises(ValueError, match="fast.*BOOK_PROFILE.*quick.*full"):
        runtime.start(profile="fast" if how == "argument" else None)


def test_a_negative_seed_is_refused():
    with pytest.raises(ValueError, match="-1"):
        runtime.start(seed=-1)


def test_a_seed_fixes_all_three_generators():
    def draw(seed):
        runtime.seed_everything(seed)
        return random.random(), float(np.random.rand()), float(torch.rand(()))

    first, again, other = draw(3), draw(3), draw(4)
    assert first == again
    assert all(a != b for a, b in zip(first, other))


def test_two_trainings_with_one_seed_agree_bit_for_bit():
    def train(seed):
        runtime.seed_everything(seed)
        model = nn.Sequential(small_model(), nn.Dropout(0.3), nn.Linear(4, 2))
        optimizer = torch.optim.Adam(model.parameters(), 1e-2)
        for _ in range(5):
            loss = model(torch.randn(8, 1, 8, 8)).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return model

    first = train(0)
    assert same(first, train(0))
    assert not same(first, train(1))


def test_data_folder_follows_book_data(monkeypatch, tmp_path):
    monkeypatch.setenv("BOOK_DATA", str(tmp_path / "elsewhere"))
    assert runtime.data_dir() == tmp_path / "elsewhere"
    monkeypatch.delenv("BOOK_DATA")
    assert runtime.data_dir().is_absolute()


# --- results ------------------------------------------------------------------------------------


def test_results_come_back_as_written(monkeypatch, tmp_path):
    monkeypatch.setattr(runtime, "results_dir", lambda: tmp_path)
    value = {"accuracy": [0.5, 0.75], "provenance": runtime.provenance("python -m x", 12.6, "mnist-5k", [0, 1])}
    runtime.write_json(tmp_path / "a.json", value)
    assert runtime.read_results("a") == value
    about = value["provenance"]
    assert about["command"] == "python -m x" and about["seconds"] == 13 and about["seeds"] == [0, 1]
    assert torch.__version__.startswith(about["versions"]["torch"])


def test_missing_results_name_the_file_and_where_to_read_on(monkeypatch, tmp_path):
    monkeypatch.setattr(runtime, "results_dir", lambda: tmp_path)
    with pytest.raises(FileNotFoundError, match=r"nothing\.json.*README"):
        runtime.read_results("nothing")


@pytest.mark.parametrize("content", [b'{"a": 1', b"", b"\xff\xfe\x00"])
def test_damaged_results_name_the_file_and_the_remedy(monkeypatch, tmp_path, content):
    monkeypatch.setattr(runtime, "results_dir", lambda: tmp_path)
    (tmp_path / "bad.json").write_bytes(content)
    with pytest.raises(ValueError, match=r"bad\.json is damaged.*restore"):
        runtime.read_results("bad")


# --- weights ------------------------------------------------------------------------------------


@pytest.fixture
def weights(tmp_path):
    torch.manual_seed(0)
    model = small_model()
    model[1].running_mean.normal_()
    return model, runtime.save_weights(model, tmp_path / "w.safetensors", data="digits", steps=12)


def test_weights_round_trip_with_their_card(weights):
    model, path = weights
    other = small_model()
    assert not same(model, other)
    assert runtime.load_weights(other, path) == {"data": "digits", "steps": "12"}
    assert same(model, other)
    assert runtime.load_weights(small_model(), path.with_suffix(""))["steps"] == "12"


def test_half_precision_weights_are_smaller_and_integers_survive(weights, tmp_path):
    model, path = weights
    model[1].num_batches_tracked.fill_(70_001)  # more than half precision can hold
    half = runtime.save_weights(model, tmp_path / "half.safetensors", dtype=torch.float16)
    assert half.stat().st_size < path.stat().st_size
    other = small_model()
    runtime.load_weights(other, half)
    assert int(other[1].num_batches_tracked) == 70_001
    torch.testing.assert_close(other[3].weight, model[3].weight, atol=1e-3, rtol=1e-3)


def test_a_second_file_keeps_the_first_ones_checksum(weights, tmp_path):
    model, path = weights
    runtime.save_weights(model, tmp_path / "another.safetensors")
    assert set(json.loads((tmp_path / "checksums.json").read_text())) == {"w.safetensors", "another.safetensors"}


def test_one_changed_byte_is_noticed(weights):
    _, path = weights
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"w\.safetensors.*restore"):
        runtime.load_weights(small_model(), path)


@pytest.mark.parametrize("with_checksum", [True, False])
@pytest.mark.parametrize("keep", [0, 5, 300, -4])
def test_truncated_weights_are_refused(weights, keep, with_checksum):
    _, path = weights
    path.write_bytes(path.read_bytes()[:keep])
    if not with_checksum:
        (path.parent / "checksums.json").unlink()
    with pytest.raises(ValueError, match=r"w\.safetensors"):
        runtime.load_weights(small_model(), path)


@pytest.mark.parametrize(
    "model",
    [nn.Linear(3, 3), nn.Sequential(nn.Conv2d(1, 5, 3), nn.BatchNorm2d(5), nn.Flatten(), nn.Linear(108, 4))],
    ids=["other names", "other shapes"],
)
def test_weights_of_another_model_are_refused(weights, model):
    with pytest.raises(ValueError, match=rf"w\.safetensors does not fit {type(model).__name__}"):
        runtime.load_weights(model, weights[1])


def test_missing_weights_list_the_committed_ones():
    committed = [p.stem for p in runtime.WEIGHTS.glob("*.safetensors")]
    assert committed
    with pytest.raises(FileNotFoundError, match="no-such-network") as caught:
        runtime.load_weights(small_model(), "no-such-network")
    assert all(name in str(caught.value) for name in committed)


def test_every_committed_file_has_the_checksum_that_is_committed_with_it():
    import hashlib

    sums = json.loads((runtime.WEIGHTS / "checksums.json").read_text())
    found = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in runtime.WEIGHTS.glob("*.safetensors")}
    assert sums == found


# --- training state -----------------------------------------------------------------------------


def test_state_round_trips_nested_with_integer_keys(tmp_path):
    shared = torch.arange(6.0).reshape(2, 3)
    state = {
        "kind": "x",
        "none": None,
        "flag": True,
        "nan": math.nan,
        "inf": -math.inf,
        "text": "‖w‖²",
        "optimizer": {
            "state": {0: {"step": torch.tensor(3.0), "exp": shared}, 7: {"exp": shared}},
            "groups": [{"params": [0, 7], "lr": 1e-3}],
        },
        "types": [
            torch.tensor([1, -2]),
            torch.tensor([True, False]),
            torch.tensor([1, 255], dtype=torch.uint8),
            torch.tensor(0.1, dtype=torch.float64),
            torch.empty(0, 4),
            torch.ones(2, 3, 4, 4).contiguous(memory_format=torch.channels_last),
        ],
        "empty": {},
        "nothing": [],
        "pair": (0.5, 0.999),
        "tensor": {"tensor": "t0", "dict": 1},  # keys that a naive encoding would confuse with its own marks
    }
    back = runtime.load_state(runtime.save_state(tmp_path / "s.safetensors", state))
    assert math.isnan(back["nan"])
    assert back["pair"] == [0.5, 0.999]
    for key in ("kind", "none", "flag", "inf", "text", "empty", "nothing", "tensor"):
        assert back[key] == state[key] and type(back[key]) is type(state[key])
    assert list(back["optimizer"]["state"]) == [0, 7]
    assert torch.equal(back["optimizer"]["state"][7]["exp"], shared)
    assert float(back["optimizer"]["state"][0]["step"]) == 3
    assert back["optimizer"]["groups"] == [{"params": [0, 7], "lr": 1e-3}]
    for a, b in zip(back["types"], state["types"], strict=True):
        assert a.dtype == b.dtype and a.shape == b.shape and torch.equal(a, b)


def test_state_without_any_tensor_round_trips(tmp_path):
    assert runtime.load_state(runtime.save_state(tmp_path / "s", [1, {"a": "b"}])) == [1, {"a": "b"}]


def test_state_is_a_copy_of_the_moment(tmp_path):
    x = torch.zeros(3)
    path = runtime.save_state(tmp_path / "s", {"x": x})
    x += 1
    assert torch.equal(runtime.load_state(path)["x"], torch.zeros(3))


def test_an_optimizer_goes_on_from_its_state(tmp_path):
    def run(model, optimizer, steps):
        for step in steps:
            optimizer.zero_grad()
            model(torch.full((2, 1, 8, 8), float(step))).square().mean().backward()
            optimizer.step()

    torch.manual_seed(0)
    model = small_model()
    optimizer = torch.optim.AdamW(model.parameters(), 1e-2)
    run(model, optimizer, range(3))
    path = runtime.save_state(tmp_path / "s", {"m": model.state_dict(), "o": optimizer.state_dict()})
    run(model, optimizer, range(3, 6))
    other = small_model()
    resumed = torch.optim.AdamW(other.parameters(), 1e-2)
    state = runtime.load_state(path)
    other.load_state_dict(state["m"])
    resumed.load_state_dict(state["o"])
    run(other, resumed, range(3, 6))
    assert same(model, other)


@pytest.mark.parametrize("keep", [0, 4, 100, -1])
def test_a_truncated_checkpoint_is_refused(tmp_path, keep):
    path = runtime.save_state(tmp_path / "state.safetensors", {"a": torch.ones(100)})
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ValueError, match=r"state\.safetensors is truncated.*delete it"):
        runtime.load_state(path)


def test_weights_are_no_checkpoint(weights):
    with pytest.raises(ValueError, match=r"w\.safetensors.*no training state.*checkpoint"):
        runtime.load_state(weights[1])


def test_a_missing_checkpoint_is_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        runtime.load_state(tmp_path / "none.safetensors")


# --- writing whole or not at all ----------------------------------------------------------------


@pytest.fixture
def full_disk():
    """No file may grow beyond 20,000 bytes: what a full disk does, in the middle of a write."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))  # noqa: E731
    yield limit
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


WRITERS = {
    "json": lambda path, n: runtime.write_json(path, ["x"] * n),
    "state": lambda path, n: runtime.save_state(path, {"x": torch.ones(n)}),
    "weights": lambda path, n: runtime.save_weights(nn.Linear(n, 1), path),
}


@pytest.mark.parametrize("kind", WRITERS)
def test_a_failure_while_writing_leaves_the_old_file_and_nothing_else(tmp_path, full_disk, kind):
    path = tmp_path / "file"
    WRITERS[kind](path, 10)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    full_disk()
    with pytest.raises(Exception):  # noqa: B017 - which one is the next test's subject
        WRITERS[kind](path, 100_000)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


@pytest.mark.parametrize("kind", ["json", "state", "weights"])
def test_a_failure_of_the_disk_is_an_oserror_that_names_the_file(tmp_path, full_disk, kind):
    full_disk()
    with pytest.raises(OSError, match=r"cannot write .*file"):
        WRITERS[kind](tmp_path / "file", 100_000)


def test_an_interrupt_while_writing_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = runtime.save_state(tmp_path / "s", {"x": torch.zeros(3)})

    def stopped(tensors, part, metadata=None):
        part.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(runtime, "save_file", stopped)
    with pytest.raises(KeyboardInterrupt):
        runtime.save_state(path, {"x": torch.ones(3)})
    assert [p.name for p in tmp_path.iterdir()] == ["s"]
    assert torch.equal(runtime.load_state(path)["x"], torch.zeros(3))


def test_what_json_cannot_hold_leaves_the_old_file(tmp_path):
    path = runtime.write_json(tmp_path / "a.json", {"a": 1})
    with pytest.raises(TypeError):
        runtime.write_json(path, {"a": object()})
    assert json.loads(path.read_text()) == {"a": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


@pytest.mark.parametrize(
    "write",
    [
        lambda path: runtime.write_json(path, {}),
        lambda path: runtime.save_state(path, {"x": torch.ones(1)}),
        lambda path: runtime.save_weights(nn.Linear(1, 1), path),
    ],
    ids=["json", "state", "weights"],
)
def test_a_place_that_cannot_be_written_is_named(tmp_path, write):
    (tmp_path / "file").write_text("not a folder")  # chmod would not stop root
    with pytest.raises(OSError, match=r"cannot write .*file/inside.*choose a folder"):
        write(tmp_path / "file" / "inside.x")
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_files_can_be_read_by_others_and_folders_are_made(tmp_path):
    path = runtime.write_json(tmp_path / "new" / "folder" / "a.json", 1)
    assert path.stat().st_mode & 0o777 == 0o644
