"""Execute the notebooks of the book, in place or into a copy of the source.

``python -m helpers.book.execute --into _build/executed`` is the first half of ``make book``,
``python -m helpers.book.execute --in-place`` is ``make refresh``. Kernels are reached over Unix
sockets, so no network is needed, not even a loopback interface.
"""

import argparse
import json
import os
import re
import shutil
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import ipykernel.kernelspec
import nbformat
import yaml
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError

ROOT = Path(__file__).parents[2]
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
SOURCE = ("_config.yml", "_toc.yml", "book")


class ThisPython(KernelSpecManager):
    """Starts the kernel in the Python that runs this, whatever kernels the machine has."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        return self.kernel_spec_class(
            resource_dir=ipykernel.kernelspec.RESOURCES, **ipykernel.kernelspec.get_kernel_dict()
        )


def short_folder() -> tempfile.TemporaryDirectory:
    """A temporary folder for sockets, whose paths must stay below about 100 characters."""
    return tempfile.TemporaryDirectory(prefix="nb", dir="/tmp" if os.access("/tmp", os.W_OK) else None)


def listed(root: Path) -> list[Path]:
    """The notebooks of ``_toc.yml``, in the order of the book.

    Raises
    ------
    FileNotFoundError
        There is no ``_toc.yml``, or it names a page that does not exist.
    """
    toc = root / "_toc.yml"
    if not toc.is_file():
        raise FileNotFoundError(f"no {toc}: run this in a checkout of the book")
    table = yaml.safe_load(toc.read_text(encoding="utf-8"))

    def names(node):
        if isinstance(node, dict):
            yield from (node[key] for key in ("root", "file") if key in node)
            for value in node.values():
                yield from names(value)
        elif isinstance(node, list):
            for value in node:
                yield from names(value)

    found = []
    for name in names(table):
        pages = [root / f"{name}{ending}" for ending in ("", ".ipynb", ".md") if (root / f"{name}{ending}").is_file()]
        if not pages:
            raise FileNotFoundError(f"{toc.name} lists {name}, but there is no {name}.ipynb or {name}.md")
        found += [page for page in pages[:1] if page.suffix == ".ipynb"]
    return found


def read(path: Path) -> nbformat.NotebookNode:
    """The notebook in a file.

    Raises
    ------
    ValueError
        The file is damaged; the message names it.
    """
    try:
        return nbformat.read(path, as_version=4)
    except (ValueError, AttributeError, TypeError, nbformat.ValidationError) as error:
        said = str(error).partition("\n")[0][:100]
        raise ValueError(f"{path} is damaged or no notebook ({said}): restore it from the repository") from error


def normalise(notebook: nbformat.NotebookNode) -> None:
    """Keep only what a second run on the same machine would write again."""
    notebook.metadata.pop("widgets", None)
    notebook.metadata.get("language_info", {}).pop("version", None)
    notebook.metadata.kernelspec = {"display_name": "Python 3", "language": "python", "name": "python3"}
    for cell in (c for c in notebook.cells if c.cell_type == "code"):
        cell.metadata.pop("execution", None)
        outputs: list[nbformat.NotebookNode] = []
        for output in cell.outputs:
            if "application/vnd.jupyter.widget-view+json" in output.get("data", {}):
                continue  # it needs a kernel, and its text form holds the raw bytes of its pictures
            if output.output_type == "error":
                output.traceback = [COLOUR.sub("", line) for line in output.traceback]
            last = outputs[-1] if outputs else nbformat.NotebookNode()
            if output.output_type == "stream" and last.get("output_type") == "stream" and last.name == output.name:
                last.text += output.text
            else:
                outputs.append(output)
        cell.outputs = outputs


def execute(path: Path, timeout: int = 1800) -> nbformat.NotebookNode:
    """Run one notebook in a fresh kernel, in its own folder, and return it with outputs.

    Raises
    ------
    RuntimeError
        A cell failed; the message names the notebook, the cell and the error.
    ValueError
        The file is damaged.
    """
    notebook = read(path)
    total = sum(c.cell_type == "code" and bool(c.source.strip()) for c in notebook.cells)
    done = 0

    def progress(cell, cell_index):
        nonlocal done
        done += 1
        if sys.stdout.isatty():
            print(f"\r{path.name}  cell {done}/{total} ", end="", flush=True)

    with short_folder() as folder:
        manager = AsyncKernelManager(kernel_spec_manager=ThisPython(), connection_file=f"{folder}/k.json")
        if os.name == "posix":
            manager.transport = "ipc"
        client = NotebookClient(
            notebook,
            km=manager,
            timeout=timeout,
            record_timing=False,
            store_widget_state=False,
            resources={"metadata": {"path": str(path.parent)}},
            on_cell_execute=progress,
        )
        client.owns_km = True  # so that it ends the kernel
        try:
            records = Path(folder) / "claims.jsonl"
            client.execute(env=os.environ | {"TQDM_DISABLE": "1", "BOOK_CLAIMS": str(records)})
        except (CellExecutionError, DeadKernelError, TimeoutError) as error:
            trouble = f"{error.ename}: {error.evalue}" if isinstance(error, CellExecutionError) else str(error)
            raise RuntimeError(f"{path.name}, code cell {done} of {total}: {COLOUR.sub('', trouble)}") from error
        lines = records.read_text(encoding="utf-8").splitlines() if records.exists() else []
    normalise(notebook)
    notebook.metadata["claims"] = [json.loads(line) for line in lines]  # for the ledger
    return notebook


def write(notebook: nbformat.NotebookNode, path: Path) -> None:
    """Write a notebook whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    try:
        nbformat.write(notebook, part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def execute_and_write(path: Path) -> None:
    """Execute one notebook and write its outputs into it."""
    began = time.time()
    print(f"{path.name} ...", end="" if sys.stdout.isatty() else "\n", flush=True)
    write(execute(path), path)
    print(f"{chr(13) * sys.stdout.isatty()}{path.name}  OK, {time.time() - began:.0f} s      ", flush=True)


def execute_all(paths: list[Path], jobs: int) -> None:
    """Execute the notebooks, `jobs` at a time. After a failure the others are still tried, then it is raised."""
    if jobs > 1:  # small networks keep one core busy better than two: several notebooks, each on its own
        os.environ["OMP_NUM_THREADS"] = str(max(1, (os.cpu_count() or 1) // jobs))
    with ProcessPoolExecutor(jobs) as pool:
        running = [pool.submit(execute_and_write, path) for path in paths]
        try:
            failed = [str(future.exception()) for future in running if future.exception()]
        except KeyboardInterrupt:  # drop what waits; a worker may still take up the one next in line
            pool.shutdown(cancel_futures=True)
            raise
    if failed:
        raise RuntimeError("\n".join(failed))


def stage(root: Path, into: Path) -> Path:
    """Copy the book's source into a fresh folder below ``_build``."""
    into, build = into.resolve(), (root / "_build").resolve()
    if build not in into.parents:
        raise ValueError(f"--into {into} would be emptied first: choose a folder below {build}")
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(parents=True)
    for name in SOURCE:
        copy = shutil.copytree if (root / name).is_dir() else shutil.copy2
        copy(root / name, into / name)
    return into


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m helpers.book.execute", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--into", type=Path, metavar="FOLDER", help="copy the source there and execute the copy")
    where.add_argument("--in-place", action="store_true", help="write the outputs into the committed notebooks")
    parser.add_argument(
        "only", nargs="*", metavar="NOTEBOOK", help="some notebooks by name, such as 4-1; all when left out"
    )
    parser.add_argument(
        "--jobs", type=int, default=1, metavar="N", help="execute N notebooks at a time, each on its share of the cores"
    )
    options = parser.parse_args(arguments)
    try:
        notebooks = listed(root)
        for name in options.only:
            if not any(Path(name).name in path.name for path in notebooks):
                raise FileNotFoundError(
                    f"no notebook {name} in _toc.yml; it lists {', '.join(p.name for p in notebooks)}"
                )
        if options.only:
            notebooks = [path for path in notebooks if any(Path(name).name in path.name for name in options.only)]
        if options.jobs < 1:
            raise ValueError(f"--jobs must be at least 1, got {options.jobs}")
        target = stage(root, options.into) if options.into else root
        execute_all([target / path.relative_to(root) for path in notebooks], options.jobs)
    except (OSError, ValueError, RuntimeError) as error:
        print(f"\nFAILED {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
