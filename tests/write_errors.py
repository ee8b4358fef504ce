# SPDX-License-Identifier: Apache-2.0
"""Bad input that was tried, and what was said of it: `python tests/write_errors.py` writes docs/errors.md."""

from helpers.bad_inputs import PAGE, page

if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
