"""Score weights on a cache: python -m disa.training.validate.evaluate WEIGHTS CONFIG CACHE --help."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from disa.training.config import load_config
from disa.training.data.volumes import load_cache, of_split
from disa.training.model.network import load_weights
from disa.training.validate.validation import validate


def main() -> None:
    """Command line entry: one line a condition, error, correlation and the error of each bin."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", help="file of averaged weights, disa-lc2.pt")
    parser.add_argument("config", type=Path)
    parser.add_argument("cache", type=Path)
    parser.add_argument("--split", default="validation", choices=["validation", "evaluation"])
    parser.add_argument("--subjects", default="", help="only subjects that begin so")
    parser.add_argument("--batches", type=int, default=10)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    arguments = parser.parse_args()

    device = torch.device(arguments.device)
    volumes = of_split(load_cache(arguments.cache, device), arguments.split, arguments.subjects)
    config = load_config(arguments.config).changed(batch_pairs=8, positions=256)
    network = load_weights(arguments.weights).to(device)
    for name, score in validate(network, volumes, config, arguments.batches).items():
        bins = " ".join(f"{error:.4f}" for error in score.bin_errors)
        print(f"{name:8} error {score.error:.4f} correlation {score.correlation:.3f} bins {bins}")


if __name__ == "__main__":
    main()
