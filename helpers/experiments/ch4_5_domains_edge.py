"""DANN's rates beyond the edge: ``python -m helpers.experiments.run ch4_5_domains_edge``.

In ``ch4_5_domains_trials`` DANN's best rate, 1e-2, was the largest that was tried. This tries what lies around it, in
the same way: a rate three times higher, and λ three times smaller and larger. `ch4_5_domains` was run with the trials'
choice, whose mean score over the two pairs is .856. The higher rate loses (.777), and so does the larger λ (.774); the
smaller λ, 0.1, scores .888. So DANN's rate lies inside, and its λ should have been smaller.
"""

from helpers.experiments import ch4_5_domains_trials as trials
from helpers.experiments.ch4_5_domains_trials import DATA as DATA
from helpers.experiments.ch4_5_domains_trials import PAIRS, SEED
from helpers.experiments.ch4_5_domains_trials import SETTINGS as TRIALS

NAME = "4-5-domains-edge"
CANDIDATES = [{"rate": 3e-2, "weight": 0.3}, {"rate": 1e-2, "weight": 0.1}, {"rate": 1e-2, "weight": 1.0}]
SETTINGS = TRIALS | {"candidates": {"DANN": CANDIDATES}}


def runs() -> list[dict]:
    return [{"pair": pair, "arm": "DANN", **candidate, "seed": SEED} for pair in PAIRS for candidate in CANDIDATES]


def run(pair: str, arm: str, seed: int, **candidate: float) -> dict:
    return trials.run(pair, arm, seed, **candidate)
