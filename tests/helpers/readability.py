# SPDX-License-Identifier: Apache-2.0
"""How long the sentences of a Markdown page are, and how many figures stand among its words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from helpers.paths import BENCHMARKS, DOCS, ROOT

USUAL_WORDS = 25
"""Words that a sentence has at most, as a rule."""
MOST_WORDS = 40
"""Words that no sentence may exceed."""

CODE_WORD = "`code`"
"""What stands for a piece of inline code, however long: one word."""

_LIST_ITEM = re.compile(r"\s*(?:[-*]|\d+[.)])\s+")
_NEITHER_PROSE_NOR_TABLE = re.compile(r"\s*(?:#|:::|\{%|<|!!!|={3,}|-{3,}$)")
_FENCE = re.compile(r"\s*(?:```|~~~)")
_IMAGE = re.compile(r"!\[[^\]]*\]\([^)]*\)")
_INLINE_CODE = re.compile(r"``.+?``|`[^`]+`")
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)|<https?://[^>]*>")
_SENTENCE_END = re.compile(r"(?<=[.!?])[)*\"”]*\s+(?=[^a-z\s]|`)")
_WORD = re.compile(r"[^\W_]")
_FIGURE = re.compile(r"[^\w\s]*\d")
_NAMED_NUMBER = re.compile(r"\d-?D\b|(?:19|20)\d\d\b|\d+\.\d+\.\d+")
_VERSIONED = re.compile(
    r"\b(?:Python|ITK|ITKElastix|Slicer|Runtime|CUDA|CMake|Ubuntu|Debian|itk-impact|convexAdam) [\d.]+"
)


@dataclass(frozen=True)
class Prose:
    """The words of a page.

    Attributes:
        sentences: of running text and list items, in order; inline code is one word.
        cells: sentences of the cells of tables.
        figures: numbers in running text and list items, without names such as T1 or 3-D, versions and years.
    """

    sentences: tuple[str, ...]
    cells: tuple[str, ...]
    figures: tuple[str, ...]

    def longer_than(self, words: int) -> list[str]:
        """The sentences of more words, those of tables last."""
        return [sentence for sentence in self.sentences + self.cells if words_of(sentence) > words]

    @property
    def longest(self) -> int:
        """Words of the longest sentence, 0 where there is none."""
        return max(map(words_of, self.sentences + self.cells), default=0)

    @property
    def long_share(self) -> float:
        """Share of the sentences outside of tables that are longer than usual."""
        return sum(words_of(sentence) > USUAL_WORDS for sentence in self.sentences) / max(len(self.sentences), 1)


def words_of(sentence: str) -> int:
    """How many words a sentence has; signs that stand alone are none."""
    return sum(bool(_WORD.search(word)) for word in sentence.split())


def read_prose(text: str) -> Prose:
    """The prose of a Markdown text: without code, headings, images, comments and what is included."""
    paragraphs, cells = _blocks(text)
    plain = [_plain(block) for block in paragraphs]
    figures = tuple(word for block in plain for word in _figures(block))
    return Prose(_sentences(plain), _sentences([_plain(cell) for cell in cells]), figures)


def pages() -> list[Path]:
    """The pages that people read, but for the list of changes."""
    return [ROOT / "README.md", *sorted(DOCS.rglob("*.md")), *sorted(BENCHMARKS.rglob("*.md"))]


def report(paths: Sequence[Path]) -> str:
    """A Markdown table of pages that have sentences, a row each."""
    rows = ["| page | sentences | longest (words) | over 25 words | figures in prose |", "|---|---|---|---|---|"]
    for path in paths:
        prose = read_prose(path.read_text())
        if prose.sentences:
            numbers = (len(prose.sentences), prose.longest, f"{100 * prose.long_share:.0f} %", len(prose.figures))
            rows.append("| " + " | ".join(map(str, (path.relative_to(ROOT), *numbers))) + " |")
    return "\n".join(rows)


def _blocks(text: str) -> tuple[list[str], list[str]]:
    """Paragraphs and list items, and the cells of tables."""
    paragraphs, cells = [""], []
    in_list = False
    for line in _lines_outside_code(re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)):
        if line.lstrip().startswith("|"):
            cells += re.split(r"(?<!\\)\|", line)
            paragraphs.append("")
        elif not line.strip():
            paragraphs.append("")
        elif _NEITHER_PROSE_NOR_TABLE.match(line):
            paragraphs.append("")
            in_list = False
        elif item := _LIST_ITEM.match(line):
            paragraphs.append(line[item.end() :])
            in_list = True
        elif line.startswith("    ") and not in_list and not paragraphs[-1]:
            continue
        else:
            in_list = in_list and (bool(paragraphs[-1]) or line.startswith(" "))
            paragraphs[-1] += f" {line.strip()}"
    return paragraphs, cells


def _sentences(blocks: Sequence[str]) -> tuple[str, ...]:
    return tuple(part.strip() for block in blocks for part in _SENTENCE_END.split(block) if _WORD.search(part))


def _lines_outside_code(text: str) -> Iterator[str]:
    is_code = False
    for line in text.splitlines():
        if _FENCE.match(line):
            is_code = not is_code
            yield ""
        elif not is_code:
            yield line


def _plain(block: str) -> str:
    """A block without marks of Markdown."""
    block = _IMAGE.sub("", block)
    block = _LINK.sub(lambda link: link.group(1) or CODE_WORD, block)
    return _INLINE_CODE.sub(CODE_WORD, block).replace("**", "")


def _figures(block: str) -> list[str]:
    without_versions = _VERSIONED.sub(CODE_WORD, block)
    return [
        word
        for word in without_versions.split()
        if _FIGURE.match(word) and not _NAMED_NUMBER.match(word.strip("([\"'*"))
    ]
