"""Models, loops and metrics of the book, small enough to read in one sitting.

Read the modules in this order; each imports only from those before it.

runtime      profile, device, seeds, results, weights, checkpoints
data         where images come from, splits, few-shot subsets, ranges, preprocessing
models       backbones, generators, discriminators, the digit network
losses       adversarial losses and penalties, gradient reversal, distances of features
augment      augmentation by the batch, and one that a generator learns through
metrics      what a network answers; accuracy, FID, KID, precision, recall, memorisation
checks       what the loops refuse before they begin
loop         what every training needs: progress, history, interrupts, checkpoints, several processes
train        the methods as plain loops: supervised, adversarial, domain-adversarial
experiments  one command for each committed file of weights or results, and the runner of the large ones
book         the book's own machinery: plots, widgets, claims, exercises
"""

__version__ = "0.1.0"
