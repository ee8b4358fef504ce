# SPDX-License-Identifier: Apache-2.0
"""Says how long the sentences of the pages are, and how many figures stand among their words.

    PYTHONPATH=tests python tests/measure_prose.py [--long]

`--long` lists the sentences that no page may have, too.
"""

from __future__ import annotations

import argparse

from helpers.paths import ROOT
from helpers.readability import MOST_WORDS, pages, read_prose, report, words_of


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="How readable the pages are.")
    parser.add_argument("--long", action="store_true", help=f"list the sentences of more than {MOST_WORDS} words")
    arguments = parser.parse_args()
    print(report(pages()))
    for page in pages() if arguments.long else []:
        for sentence in read_prose(page.read_text()).longer_than(MOST_WORDS):
            print(f"\n{page.relative_to(ROOT)}, {words_of(sentence)} words: {sentence}")


if __name__ == "__main__":
    main()
