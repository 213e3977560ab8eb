"""DANN's rates beyond the edge: ``python -m helpers.experiments.run ch4_5_domains_edge``.

In ``ch4_5_domains_trials`` DANN's best rate, 1e-2, was the largest that was tried. This tries what lies around it, in
the same way: a rate three times higher, and λ from 0.01 to 1. `ch4_5_domains` was run with the trials' choice;
`ch4_5_domains_again` repeats DANN with the best of both.
"""

from helpers.experiments import ch4_5_domains_trials as trials
from helpers.experiments.ch4_5_domains_trials import DATA as DATA
from helpers.experiments.ch4_5_domains_trials import PAIRS, SEED
from helpers.experiments.ch4_5_domains_trials import SETTINGS as TRIALS

NAME = "4-5-domains-edge"
CANDIDATES = [{"rate": 1e-2, "weight": x} for x in (0.01, 0.03, 0.1, 1.0)]
CANDIDATES += [{"rate": 3e-2, "weight": x} for x in (0.1, 0.3)]
CANDIDATES += [{"rate": 3e-3, "weight": x} for x in (0.03, 0.1)]
SETTINGS = TRIALS | {"candidates": {"DANN": CANDIDATES}}


def runs() -> list[dict]:
    return [{"pair": pair, "arm": "DANN", **candidate, "seed": SEED} for pair in PAIRS for candidate in CANDIDATES]


def run(pair: str, arm: str, seed: int, **candidate: float) -> dict:
    return trials.run(pair, arm, seed, **candidate)
