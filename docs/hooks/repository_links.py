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
    "benchmarks/README.md": "benchmarks.md",
    "models/MODEL_CARD.md": "model-card.md",
}
"""Pages that a file outside of docs has become."""

LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)\s#]+)(#[^)\s]*)?\)")


@event_priority(-100)  # after the includes
def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Point links to such a file at its page, and leave the path in place of a link where there is no page."""
    folder = posixpath.join("docs", posixpath.dirname(page.file.src_uri))

    def replaced(link: re.Match[str]) -> str:
        text, target, anchor = link.group(1), link.group(2), link.group(3) or ""
        if "://" in target:
            return link.group()
        path = posixpath.normpath(posixpath.join(folder, target))
        if path.startswith("docs/"):
            return link.group()
        if path not in PAGES:
            return f"`{path}`"
        return f"[{text}]({posixpath.relpath(posixpath.join('docs', PAGES[path]), folder)}{anchor})"

    return LINK.sub(replaced, markdown)
