"""Fetching files: every failure becomes an error that names the remedy."""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError


@contextmanager
def fetching(name: str, root: Path) -> Iterator[None]:
    """Around the lines that fetch a data set into `root` and read it there.

    Raises ConnectionError without a network or server, ValueError on damaged files, OSError on a disk that refuses.
    """
    damaged = f"the files of {name} in {root} are damaged: delete them and run again"
    try:
        root.mkdir(parents=True, exist_ok=True)
        yield
    except (URLError, TimeoutError, ConnectionError, RuntimeError) as error:
        # RuntimeError is torchvision's for a failed download and PyTorch's for a tensor of the wrong size.
        if isinstance(error, RuntimeError) and not re.search("download|not found", str(error), re.IGNORECASE):
            raise ValueError(damaged) from error
        raise ConnectionError(
            f"cannot download {name} ({error}). Connect to a network, set BOOK_DATA to a folder that already "
            "holds it, or use the bundled data: BOOK_PROFILE=quick"
        ) from error
    except (AssertionError, ValueError, IndexError, EOFError) as error:
        raise ValueError(damaged) from error
    except OSError as error:
        if error.errno is None:  # a compressed file that is none: no fault of the disk
            raise ValueError(damaged) from error
        raise OSError(
            f"cannot write to {root} ({error.strerror or error}): set BOOK_DATA to a folder that you may write to"
        ) from error


def fetch(url: str, file: Path, sha256: str) -> None:
    """Download `url` to `file`, which exists afterwards only if its checksum is right; call it within `fetching`."""
    from torchvision.datasets.utils import download_url

    part = file.with_name(file.name + ".part")
    part.unlink(missing_ok=True)
    download_url(url, str(part.parent), part.name)
    with open(part, "rb") as content:
        found = hashlib.file_digest(content, "sha256").hexdigest()
    if found != sha256:
        part.unlink()
        raise ConnectionError(f"{url} sent a file with SHA-256 {found} and not {sha256}")
    part.replace(file)
