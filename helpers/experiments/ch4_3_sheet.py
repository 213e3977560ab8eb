"""Chapter 4.3, the pictures: ``python -m helpers.experiments.ch4_3_sheet`` draws ``results/4-3-few-images-*.png``.

Real digits and the first samples of the six main arms of `ch4_3_few_images`, seed 0, from finished runs: one picture
for 25 and 100 digits, one for 500 and 2,500. That module's own command draws the secondary arms too, and needs all of
their runs.
"""

from functools import partial

from helpers import data
from helpers.experiments.ch4_3 import few
from helpers.experiments.ch4_3_few_images import MAIN, NAME, SAMPLES, SIZES, sheet
from helpers.runtime import results_dir

if __name__ == "__main__":
    real = partial(few, data.load("mnist", "train").images, seed=0)
    for sizes in (SIZES[:2], SIZES[2:]):
        path = results_dir() / f"{NAME}-{sizes[0]}-{sizes[1]}.png"
        print("wrote", sheet(path, MAIN, sizes, SAMPLES, real, "digits"))
