"""DANN with the best of all its candidates: ``python -m helpers.experiments.run ch4_5_domains_again``.

Of the candidates of ``ch4_5_domains_trials`` and ``ch4_5_domains_edge`` together the best is rate 3e-3 and λ 0.1, a
score of .891, where `ch4_5_domains` has 1e-2 and 0.3 with .856. With λ 0.1 the rates from 3e-3 to 3e-2 lie within .008.
These are the runs of that grid's arm "DANN" once more, with the first three of its seeds.

Expected, written before these runs, as means of paired differences with the whole of their 95 % interval: on MNIST →
USPS and on USPS → MNIST less than .01 above AdaBN, on MNIST → MNIST-M at least .10 above it.
"""

from helpers.experiments import ch4_5_domains as domains
from helpers.experiments.ch4_5_domains import DATA as DATA
from helpers.experiments.ch4_5_domains import FEWER_SEEDS, MAIN, SECONDARY

NAME = "4-5-domains-again"
RATES = (domains.SETTINGS["rates"] or {}) | {"DANN": {"candidate": {"rate": 3e-3, "weight": 0.1}}}
SETTINGS = domains.SETTINGS | {"rates": RATES}


def runs() -> list[dict]:
    pairs = [*MAIN, *SECONDARY]
    return [{"pair": pair, "arm": "DANN", "variant": "retuned", "seed": seed} for seed in FEWER_SEEDS for pair in pairs]


def run(pair: str, arm: str, variant: str, seed: int) -> dict:
    domains.SETTINGS["rates"] = RATES  # there they are read
    return domains.run(pair, arm, variant, seed)
