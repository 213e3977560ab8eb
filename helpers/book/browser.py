"""A headless Chromium, for printing the book and for the tests of its pages."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def executable() -> str | None:
    """The Chromium that BOOK_CHROMIUM names, else the system's; None where only Playwright's own is left to try."""
    return os.environ.get("BOOK_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def chromium() -> Iterator["Browser"]:
    """A running Chromium.

    Raises
    ------
    RuntimeError
        There is no Playwright, or no Chromium that starts.
    """
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError as error:
        raise RuntimeError("no Playwright: pip install playwright") from error
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=executable(), args=["--no-sandbox", "--disable-gpu"])
        except Error as error:
            raise RuntimeError(
                "no Chromium that starts: install one, name it in BOOK_CHROMIUM, or run `playwright install chromium`"
            ) from error
        try:
            yield browser
        finally:
            browser.close()
