"""pyproject.toml, requirements.txt and constraints.txt say the same, and fit Google Colab."""

import re
import tomllib

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from helpers.book.execute import ROOT

# What Google Colab had installed in November 2026, with Python 3.13.
COLAB = {
    "torch": "2.11.0",
    "torchvision": "0.26.0",
    "numpy": "2.1.3",
    "matplotlib": "3.10.0",
    "ipywidgets": "7.7.1",
    "ipython": "7.34.0",
    "accelerate": "1.14.0",
    "mlxtend": "0.23.4",
    "safetensors": "0.8.0",
}
COLAB_PYTHON = "3.13"


def read(name: str) -> dict[str, Requirement]:
    lines = [re.sub(r"(^|\s)#.*", "", line).strip() for line in (ROOT / name).read_text(encoding="utf-8").splitlines()]
    return {canonicalize_name(r.name): r for r in map(Requirement, filter(None, lines))}


PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS = {
    canonicalize_name(r.name): r
    for extra in PROJECT["project"].get("optional-dependencies", {}).values()
    for r in map(Requirement, extra)
}
RUNTIME = {canonicalize_name(r.name): r for r in map(Requirement, PROJECT["project"]["dependencies"])}
REQUIREMENTS, CONSTRAINTS = read("requirements.txt"), read("constraints.txt")


def test_ranges_are_the_same_in_both_files():
    for name, requirement in (EXTRAS | RUNTIME).items():
        assert name in REQUIREMENTS and REQUIREMENTS[name].specifier == requirement.specifier, requirement


def test_every_requirement_is_pinned_within_its_range():
    build = {canonicalize_name(r.name): r for r in map(Requirement, PROJECT["build-system"]["requires"])}
    for name, requirement in {**REQUIREMENTS, **build}.items():
        assert name in CONSTRAINTS, f"constraints.txt lacks {name}"
        (pin,) = CONSTRAINTS[name].specifier
        assert requirement.specifier.contains(pin.version), f"{CONSTRAINTS[name]} is outside {requirement}"


def test_every_constraint_is_exact():
    assert all([s.operator for s in r.specifier] == ["=="] for r in CONSTRAINTS.values())


def test_colab_needs_no_replacement():
    wrong = {name: version for name, version in COLAB.items() if not RUNTIME[name].specifier.contains(version)}
    assert not wrong
    assert Requirement(f"python{PROJECT['project']['requires-python']}").specifier.contains(COLAB_PYTHON)
