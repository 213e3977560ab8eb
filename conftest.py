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
