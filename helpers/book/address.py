"""The repository address, wherever it is written out: ``make address URL=https://github.com/you/fork``.

``_config.yml`` holds the address in force. This replaces it there, in the badges and install lines
of the notebooks, and in the other pages and package files. While it is the placeholder, `book.css` hides the
badges and the buttons that would lead there, and on Colab a notebook's first cell says where its package comes from.
"""

import argparse
import re
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
PLACEHOLDER = "OWNER/REPOSITORY"
FILES = (
    "_config.yml",
    "pyproject.toml",
    "CITATION.cff",
    "README.md",
    "CONTRIBUTING.md",
    "results/*.md",
    "book/**/*.md",
    "book/**/*.ipynb",
)
_ADDRESS = re.compile(r"https://github\.com/([A-Za-z0-9](?:[A-Za-z0-9-]{0,38}))/([A-Za-z0-9._-]+?)(?:\.git)?/?")


def files(root: Path = ROOT) -> list[Path]:
    """The files that may hold the address."""
    return sorted(path for pattern in FILES for path in root.glob(pattern) if ".ipynb_checkpoints" not in path.parts)


def current(root: Path = ROOT) -> str:
    """OWNER/REPOSITORY as ``_config.yml`` has it."""
    config = root / "_config.yml"
    if not config.is_file():
        raise FileNotFoundError(f"no {config}: run this in a checkout of the book")
    return parse(yaml.safe_load(config.read_text(encoding="utf-8"))["repository"]["url"])


def parse(url: str) -> str:
    """OWNER/REPOSITORY of a GitHub address.

    Raises
    ------
    ValueError
        The address is not of the form https://github.com/OWNER/REPOSITORY.
    """
    match = _ADDRESS.fullmatch(url.strip()) if isinstance(url, str) else None
    if not match or set(match[2]) == {"."}:
        raise ValueError(f"{url!r} is not a repository address: write https://github.com/OWNER/REPOSITORY")
    return "/".join(match.groups())


def rewrite(url: str, root: Path = ROOT) -> list[Path]:
    """Replace the address in force by `url` and return the files that changed."""
    old, new = current(root), parse(url)
    literal = re.compile(
        rf"(?<=github\.com/){re.escape(old)}(?![\w-])|(?<=google\.com/github/){re.escape(old)}(?![\w-])"
    )
    changed = []
    for path in files(root):
        text = path.read_bytes().decode("utf-8")  # bytes keep the line ends
        if (wanted := literal.sub(lambda _: new, text)) != text:
            path.write_bytes(wanted.encode("utf-8"))
            changed.append(path)
    return changed


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m helpers.book.address", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("url", help="https://github.com/OWNER/REPOSITORY")
    options = parser.parse_args(arguments)
    try:
        changed = rewrite(options.url, root)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(f"changed {path.relative_to(root)}" for path in changed) or "nothing to change")
    return 0


if __name__ == "__main__":
    sys.exit(main())
