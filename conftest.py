"""Let nbval reach its kernels over Unix sockets: the tests need no network, not even loopback.

Progress bars are off: their text holds seconds.
"""

import itertools
import os

import nbval.kernel
from jupyter_client.manager import KernelManager

from helpers.book.execute import short_folder


def pytest_configure(config):
    os.environ["TQDM_DISABLE"] = "1"
    if os.name != "posix":
        return
    folder = short_folder()
    config.add_cleanup(folder.cleanup)
    number = itertools.count()

    def over_sockets(**options):
        return KernelManager(transport="ipc", connection_file=f"{folder.name}/{next(number)}.json", **options)

    nbval.kernel.KernelManager = over_sockets


def pytest_terminal_summary(terminalreporter):
    """Count what the tests proved about the book."""
    passed = [report.nodeid for report in terminalreporter.stats.get("passed", [])]

    def count(test):
        return sum(f"::{test}" in nodeid for nodeid in passed)

    if not count("test_the_committed_page_is_what_the_notebooks_recorded"):
        return  # only some of the tests ran
    from helpers.book import ledger

    claims = ledger.claims(ledger.ROOT)
    found = list(ledger.verdicts(ledger.statements(ledger.ROOT), claims).values())
    verdicts = ", ".join(f"{found.count(verdict)} {verdict}" for verdict in dict.fromkeys(found))
    terminalreporter.section("what the tests proved about the book")
    findings = sum(claim.record["kind"] == "finding" for claim in claims)
    terminalreporter.line(
        f"findings checked: {findings}, demonstrations: {len(claims) - findings}; {len(found)} statements: {verdicts}"
    )
    terminalreporter.line(f"errata tied to a cell: {count('test_erratum')}")
    terminalreporter.line(
        f"exercises proved solvable: {count('test_the_solution_passes')}; "
        f"wrong answers that got their hint: {count('test_a_mistake_gets_its_hint')}"
    )
