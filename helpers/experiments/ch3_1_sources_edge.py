"""Two more rates of chapter 3.1's bodies: ``python -m helpers.experiments.run ch3_1_sources_edge``.

In `ch3_1_sources_trials` three bodies had their best rate at an end of the candidates, so all nine get one more at
either end, under the same conditions.
"""

from typing import Any

from helpers.experiments.ch3_1_sources import BODIES, EDGE_TRIALS, EDGES
from helpers.experiments.ch3_1_sources_trials import DATA as DATA
from helpers.experiments.ch3_1_sources_trials import SEED
from helpers.experiments.ch3_1_sources_trials import SETTINGS as TRIALS
from helpers.experiments.ch3_1_sources_trials import run as run

NAME = EDGE_TRIALS
SETTINGS: dict[str, Any] = TRIALS | {"candidates": EDGES}


def runs() -> list[dict]:
    return [{"body": body, "rate": rate, "seed": SEED} for body in BODIES for rate in EDGES]
