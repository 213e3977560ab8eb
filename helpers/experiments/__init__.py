"""One command for each committed file: ``python -m helpers.experiments.NAME``."""
