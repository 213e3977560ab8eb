"""What several files of tests use."""

import os
from contextlib import ExitStack

import pytest

from helpers.book.browser import chromium


@pytest.fixture(scope="module")
def browser():
    """A Chromium driven by Playwright; skips where either is missing, and in CI."""
    if os.environ.get("CI"):
        pytest.skip("in CI no browser is started: run the tests on a machine of your own")
    with ExitStack() as stack:
        try:
            started = stack.enter_context(chromium())
        except RuntimeError as error:
            pytest.skip(str(error))
        yield started
