# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import pickle
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import disa
from disa.core import FeatureVolume, _core
from disa.geometry.grid import Grid


@pytest.mark.parametrize("quantized", [True, False])
def test_save_and_load_give_back_every_bit(make_features, tmp_path: Path, quantized: bool) -> None:
    turn = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    features = make_features((3, 4, 5), quantized=quantized, direction=turn)
    features.save(tmp_path / "a.disa")
    loaded = FeatureVolume.load(tmp_path / "a.disa")
    np.testing.assert_array_equal(loaded.data, features.data)
    np.testing.assert_array_equal(loaded.weights, features.weights)
    assert loaded.data.dtype == features.data.dtype
    for name in ("scale", "origin", "spacing", "direction"):
        assert getattr(loaded, name) == getattr(features, name)
    assert [p.name for p in tmp_path.iterdir()] == ["a.disa"]


def test_arrays_that_were_pickled_are_taken(make_features) -> None:
    """Their dtype equals NumPy's own and is another object."""
    features = make_features((3, 4, 5))
    data = pickle.loads(pickle.dumps(np.array(features.data)))
    again = FeatureVolume(
        data=data,
        scale=features.scale,
        weights=features.weights,
        origin=features.origin,
        spacing=features.spacing,
        direction=features.direction,
    )
    np.testing.assert_array_equal(again.data, features.data)


def test_the_network_is_kept_where_it_is_known(make_features, tmp_path: Path) -> None:
    features = make_features((3, 4, 5), quantized=False, network="00c0ffee")
    features.save(tmp_path / "a.disa")
    for made in (features, features.quantized(), features.replaced(weights=2 * features.weights)):
        assert made.network == "00c0ffee"
    assert _core.widen(features, Grid.of(features), 9.0).network == "00c0ffee"
    assert FeatureVolume.load(tmp_path / "a.disa").network == "00c0ffee"
    make_features((3, 4, 5)).save(tmp_path / "b.disa")
    assert FeatureVolume.load(tmp_path / "b.disa").network is None


def with_checksum(content: bytes) -> bytes:
    """The bytes of a file whose last four are made to fit the others."""
    return content[:-4] + struct.pack("<I", zlib.crc32(content[:-4]))


@pytest.mark.parametrize("quantized", [True, False])
def test_a_file_ends_with_the_checksum_of_zlib(make_features, tmp_path: Path, quantized: bool) -> None:
    make_features((3, 4, 5), quantized=quantized).save(tmp_path / "a.disa")
    content = (tmp_path / "a.disa").read_bytes()
    assert content[:8] == b"DISAFV02" and content == with_checksum(content)
    assert len(content) == 168 + 3 * 4 * 5 * (16 * (1 if quantized else 4) + 4) + 4


@pytest.mark.parametrize("quantized", [True, False])
def test_a_bit_that_has_changed_is_one_line(make_features, tmp_path: Path, quantized: bool) -> None:
    path = tmp_path / "a.disa"
    make_features((3, 4, 5), quantized=quantized).save(path)
    content = path.read_bytes()
    for place in [*range(168), *np.random.default_rng(0).integers(168, len(content), 300), len(content) - 1]:
        for bit in range(8) if place < 168 else [int(place) % 8]:
            changed = bytearray(content)
            changed[place] ^= 1 << bit
            path.write_bytes(changed)
            with pytest.raises(disa.ImageError, match=r"a\.disa: ") as caught:
                FeatureVolume.load(path)
            assert "\n" not in str(caught.value)


def test_a_file_without_a_checksum_is_told_from_a_damaged_one(make_features, tmp_path: Path) -> None:
    path = tmp_path / "a.disa"
    make_features((3, 4, 5)).save(path)
    path.write_bytes(path.read_bytes().replace(b"DISAFV02", b"DISAFV01", 1)[:-4])
    with pytest.raises(disa.ImageError, match="of an earlier version, without a checksum; extract it again"):
        FeatureVolume.load(path)


def test_only_regular_files_are_read_and_replaced(make_features, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.disa")
    with pytest.raises(disa.ImageError, match=r"pipe\.disa: no such feature volume"):
        FeatureVolume.load(tmp_path / "pipe.disa")
    with pytest.raises(disa.ImageError, match=r"pipe\.disa: is no regular file"):
        make_features((3, 4, 5)).save(tmp_path / "pipe.disa")
    (tmp_path / "file.disa").touch()
    (tmp_path / "link.disa").symlink_to("file.disa")
    make_features((3, 4, 5)).save(tmp_path / "link.disa")
    assert (tmp_path / "link.disa").is_symlink() and not (tmp_path / "file.disa").is_symlink()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file.disa", "link.disa", "pipe.disa"]


def test_parts_are_replaced(make_features) -> None:
    features = make_features((3, 4, 5))
    weights = np.zeros((3, 4, 5), np.float32)
    changed = features.replaced(data=-features.data, weights=weights, origin=(1.0, 2.0, 3.0))
    np.testing.assert_array_equal(changed.data, -features.data)
    np.testing.assert_array_equal(changed.weights, weights)
    assert changed.origin == (1.0, 2.0, 3.0)
    assert (changed.scale, changed.spacing, changed.direction) == (
        features.scale,
        features.spacing,
        features.direction,
    )
    with pytest.raises(disa.ImageError, match="weights"):
        features.replaced(weights=np.ones((3, 4, 6), np.float32))
    with pytest.raises(disa.ImageError, match="16 channels"):
        features.replaced(data=np.zeros((3, 4, 6, 16), np.int8))


@pytest.mark.parametrize("largest", [0.0, 1e-9, 0.73, 127.0, 3e4])
def test_quantising_rounds_to_even_steps_of_a_127th_of_the_greatest(largest: float) -> None:
    rng = np.random.default_rng(1)
    data = (largest * rng.uniform(-1, 1, (5, 6, 7, 16))).astype(np.float32)
    data[0, 0, 0] = np.float32(largest / 127) * (np.arange(16, dtype=np.float32) - 7.5)
    data[1, 2, 3, 4] = -largest
    frame = {"origin": (1, 2, 3), "spacing": (2, 2, 2), "direction": np.eye(3).ravel()}
    weights = rng.uniform(size=data.shape[:3]).astype(np.float32)
    features = FeatureVolume(data=data, scale=1.0, weights=weights, **frame)
    quantized = features.quantized()
    scale = max(float(np.abs(data).max()), 1e-6) / 127
    assert quantized.scale == np.float32(scale)
    np.testing.assert_array_equal(quantized.data, np.rint(data / np.float32(scale)).astype(np.int8))
    np.testing.assert_array_equal(quantized.weights, weights)
    assert (quantized.origin, quantized.spacing, quantized.direction) == (
        features.origin,
        features.spacing,
        features.direction,
    )
    np.testing.assert_array_equal(quantized.quantized().data, quantized.data)


@given(st.binary(max_size=400))
@settings(max_examples=60, deadline=None)
def test_foreign_bytes_are_refused_in_one_line(tmp_path_factory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("foreign") / "x.disa"
    path.write_bytes(b"DISAFV02"[: len(content) % 9] + content)
    with pytest.raises(disa.ImageError, match=r"x\.disa") as caught:
        FeatureVolume.load(path)
    assert "\n" not in str(caught.value)


def test_a_file_cut_short_is_refused(make_features, tmp_path: Path) -> None:
    path = tmp_path / "a.disa"
    make_features((3, 4, 5)).save(path)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(disa.ImageError, match="cut short"):
        FeatureVolume.load(path)


def test_a_missing_folder_leaves_nothing_behind(make_features, tmp_path: Path) -> None:
    with pytest.raises(disa.ImageError, match="could not be written"):
        make_features((2, 2, 2)).save(tmp_path / "none" / "a.disa")
    assert not list(tmp_path.iterdir())


def _arguments() -> dict[str, object]:
    return {
        "data": np.zeros((2, 3, 4, 16), np.int8),
        "scale": 0.01,
        "weights": np.ones((2, 3, 4), np.float32),
        "origin": (0.0, 0.0, 0.0),
        "spacing": (1.0, 1.0, 1.0),
        "direction": np.eye(3).ravel(),
    }


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("data", np.zeros((2, 3, 4, 15), np.int8), r"\(z, y, x, 16\)"),
        ("data", np.zeros((2, 3, 4, 16), np.float64), "int8 or float32"),
        ("data", np.zeros((0, 3, 4, 16), np.int8), "weights"),
        ("data", np.full((2, 3, 4, 16), np.nan, np.float32), "NaN"),
        ("weights", np.ones((2, 3, 5), np.float32), "weights"),
        ("weights", np.full((2, 3, 4), -1.0, np.float32), "0 or more"),
        ("scale", 0.0, "scale"),
        ("spacing", (1.0, 0.0, 1.0), "spacing"),
        ("origin", (np.nan, 0.0, 0.0), "finite"),
        ("direction", np.ones(9), "orthonormal"),
        ("network", "12345", "8 hexadecimal digits"),
        ("network", "1234567G", "8 hexadecimal digits"),
    ],
)
def test_what_does_not_fit_is_refused(name: str, value: object, message: str) -> None:
    with pytest.raises(disa.ImageError, match=message):
        FeatureVolume(**{**_arguments(), name: value})


def test_arrays_outlive_the_volume_and_are_read_only(make_features) -> None:
    data = make_features((2, 3, 4)).data
    assert data.shape == (2, 3, 4, 16)
    assert np.abs(data.astype(int)).max() == 127
    with pytest.raises(ValueError, match="read-only"):
        data[0, 0, 0, 0] = 1


def test_the_one_int8_value_without_a_negative_is_refused(make_features, tmp_path: Path) -> None:
    features = make_features((2, 3, 4))
    data = features.data.copy()
    data[1, 2, 3, 4] = -128
    frame = {name: getattr(features, name) for name in ("origin", "spacing", "direction")}
    with pytest.raises(disa.ImageError, match=r"^feature volume: int8 descriptors must lie within -127 \.\. 127"):
        FeatureVolume(data=data, scale=0.01, weights=features.weights, **frame)
    features.save(tmp_path / "a.disa")
    content = bytearray((tmp_path / "a.disa").read_bytes())
    content[168] = 0x80
    (tmp_path / "a.disa").write_bytes(with_checksum(content))
    with pytest.raises(disa.ImageError, match=r"a\.disa: feature volume: int8 descriptors must lie within"):
        FeatureVolume.load(tmp_path / "a.disa")
