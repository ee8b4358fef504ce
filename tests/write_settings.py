# SPDX-License-Identifier: Apache-2.0
"""Every setting and what it means: `PYTHONPATH=tests python tests/write_settings.py` writes docs/settings.md."""

from helpers.settings_page import PAGE, page

if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
