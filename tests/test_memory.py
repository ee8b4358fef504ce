# SPDX-License-Identifier: Apache-2.0
"""How much memory descriptors may take: `DISA_MEMORY`, or a share of what the machine and its control groups give."""

from __future__ import annotations

from pathlib import Path

import pytest

import disa
from disa.memory import SHARE, available_memory, memory_limit

MACHINE = available_memory(Path("/none"))


@pytest.mark.parametrize(
    ("said", "expected"),
    [("8G", 2**33), ("500 MB", 500 * 2**20), ("1.5GiB", 3 * 2**29), ("64k", 2**16), ("1000000", 10**6), ("2t", 2**41)],
)
def test_it_is_a_size_with_a_unit(monkeypatch: pytest.MonkeyPatch, said: str, expected: int) -> None:
    monkeypatch.setenv("DISA_MEMORY", said)
    assert memory_limit() == expected


@pytest.mark.parametrize("said", ["much", "-1G", "0", "nan", "1e9", "8 Gx", "٣G"])
def test_another_word_is_one_line(monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    monkeypatch.setenv("DISA_MEMORY", said)
    with pytest.raises(disa.DISAError) as caught:
        memory_limit()
    assert str(caught.value) == (f"environment variable DISA_MEMORY: expected a size such as 8G or 500M, got {said!r}")


def test_without_a_word_it_is_a_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISA_MEMORY", raising=False)
    assert memory_limit() == int(SHARE * available_memory()) > 0


@pytest.mark.parametrize(
    ("groups", "limits", "expected"),
    [
        ("0::/job/step\n", {"job/step/memory.max": "max", "job/memory.max": "3000000"}, 3_000_000),
        ("0::/job/step\n", {"job/step/memory.max": "2000000", "job/memory.max": "3000000"}, 2_000_000),
        ("0::/elsewhere\n", {"memory.max": "4000000"}, 4_000_000),  # a container sees its own group as the root
        ("5:cpu,memory:/job\n", {"memory/job/memory.limit_in_bytes": "5000000"}, 5_000_000),
        ("5:memory:/\n", {"memory/memory.limit_in_bytes": "9223372036854771712"}, MACHINE),
        ("0::/\n", {}, MACHINE),
    ],
)
def test_limits_of_control_groups_are_kept(tmp_path: Path, groups: str, limits: dict[str, str], expected: int) -> None:
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text(groups)
    for name, text in limits.items():
        path = tmp_path / "sys/fs/cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
    assert available_memory(tmp_path) == expected
