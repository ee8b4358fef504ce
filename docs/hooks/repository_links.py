# SPDX-License-Identifier: Apache-2.0
"""Links of pages that are, or include, files of the repository, which know nothing of the site."""

from __future__ import annotations

import posixpath
import re
from typing import Any

from mkdocs.plugins import event_priority

PAGES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changes.md",
    "models/MODEL_CARD.md": "model-card.md",
}
"""Pages that a file outside of docs has become."""

KEPT = "benchmarks/"
"""The folder whose pages have the same paths in the site."""

LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)\s#]+)(#[^)\s]*)?\)")


@event_priority(-100)  # after the includes
def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Point links to such a file at its page, and leave the path in place of a link where there is no page."""
    page_path = page.file.src_uri
    origin = page_path if page_path.startswith(KEPT) else posixpath.join("docs", page_path)

    def replaced(link: re.Match[str]) -> str:
        text, target, anchor = link.group(1), link.group(2), link.group(3) or ""
        if "://" in target:
            return link.group()
        path = posixpath.normpath(posixpath.join(posixpath.dirname(origin), target))
        in_site = _path_in_site(path)
        if in_site is None:
            return f"`{path}`"
        return f"[{text}]({posixpath.relpath(in_site, posixpath.dirname(page_path))}{anchor})"

    return LINK.sub(replaced, markdown)


def _path_in_site(path: str) -> str | None:
    """Where a file of the repository is in the site, or None."""
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    if path.startswith(KEPT) and path.endswith(".md"):
        return path
    return PAGES.get(path)
