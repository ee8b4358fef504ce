# SPDX-License-Identifier: Apache-2.0
"""Feature volumes through `pickle`, `copy` and other processes."""

from __future__ import annotations

import copy
import multiprocessing
import operator
import pickle
import pickletools
import struct
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest

import disa
from disa.core import FeatureVolume, _checksum, _reduce, _restore

COPIES: dict[str, Callable[[FeatureVolume], FeatureVolume]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    **{
        f"pickle {protocol}": lambda features, protocol=protocol: pickle.loads(pickle.dumps(features, protocol))
        for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1)
    },
}

TURN = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])


def assert_alike(one: FeatureVolume, other: FeatureVolume) -> None:
    assert one is not other
    assert one.data.dtype == other.data.dtype
    np.testing.assert_array_equal(one.data, other.data)
    np.testing.assert_array_equal(one.weights, other.weights)
    for name in ("scale", "origin", "spacing", "direction", "network"):
        assert getattr(one, name) == getattr(other, name)


@pytest.mark.parametrize("quantized", [True, False])
@pytest.mark.parametrize("network", [None, "00c0ffee"])
@pytest.mark.parametrize("way", COPIES)
def test_a_copy_is_alike_to_the_last_bit(make_features, way: str, quantized: bool, network: str | None) -> None:
    features = make_features((3, 4, 5), quantized=quantized, direction=TURN, network=network)
    assert_alike(COPIES[way](features), features)


def test_a_copy_can_be_used_and_outlives_what_it_was_made_from(make_features) -> None:
    features = make_features((3, 4, 5))
    values = np.array(features.data)
    again = copy.deepcopy({"one": features, "same": features})
    assert again["one"] is again["same"]
    del features
    np.testing.assert_array_equal(again["one"].data, values)
    np.testing.assert_array_equal(again["one"].replaced(data=-again["one"].data).data, -values)


def test_it_goes_to_another_process_and_back(make_features) -> None:
    features = make_features((3, 4, 5), network="00c0ffee")
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert pool.submit(operator.attrgetter("network"), features).result(60) == "00c0ffee"
        assert_alike(pool.submit(copy.copy, features).result(60), features)


def content_positions(pickled: bytes) -> range:
    """Where the bytes of the descriptors and of the weights lie."""
    codes = pickletools.genops(pickled)
    (first, _), (last, weights) = [(place, value) for _, value, place in codes if isinstance(value, bytes)]
    return range(first + 8, last + 3 + len(weights))


@pytest.mark.parametrize("quantized", [True, False])
def test_one_bit_that_has_changed_is_one_clear_error(make_features, quantized: bool) -> None:
    pickled = pickle.dumps(make_features((3, 4, 5), quantized=quantized), 4)
    rng = np.random.default_rng(0)
    for position in rng.choice(content_positions(pickled), 60):
        damaged = bytearray(pickled)
        damaged[position] ^= 1 << int(rng.integers(8))
        with pytest.raises(disa.ImageError) as caught:
            pickle.loads(bytes(damaged))
        assert str(caught.value).startswith("a pickled feature volume is damaged; make it anew")


@pytest.mark.parametrize("part", range(6))
@pytest.mark.parametrize("value", [None, 3, "x", b"", b"x", (), (1, 2), ("a", "b"), [], float("nan"), 10**400])
def test_parts_of_the_wrong_kind_are_one_clear_error(make_features, part: int, value: object) -> None:
    """With a checksum that fits, where there is one for such parts."""
    content = _reduce(make_features((3, 4, 5), network="00c0ffee"))[1][0]
    changed = (*content[:part], value, *content[part + 1 :])
    try:
        checksum = _checksum(changed)  # type: ignore[arg-type]
    except (TypeError, ValueError, AttributeError, OverflowError, struct.error):
        checksum = 0
    if (part, value) == (5, None):
        assert _restore(changed, checksum).network is None
        return
    with pytest.raises(disa.ImageError) as caught:
        _restore(changed, checksum)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [None, 3, "content", (), (1,), tuple(range(6)), tuple(range(9))])
def test_something_else_is_one_clear_error(content: object) -> None:
    with pytest.raises(disa.ImageError, match=r"^a pickled feature volume is damaged; make it anew") as caught:
        _restore(content, 0)
    assert "\n" not in str(caught.value)


def test_what_no_volume_may_hold_is_refused_as_in_a_file(make_features) -> None:
    kind, shape, data, weights, numbers, network = _reduce(make_features((3, 4, 5)))[1][0]
    for changed, message in (
        ((kind, shape, b"\x80" + data[1:], weights, numbers, network), "int8 descriptors must lie within"),
        ((kind, shape, data, weights, (0.0, *numbers[1:]), network), "scale must be a finite number above 0"),
        ((kind, shape, data, weights, (*numbers[:-1], 5.0), network), "direction must be an orthonormal"),
        ((kind, shape, data, np.full((3, 4, 5), -1.0, np.float32).tobytes(), numbers, network), "weights must be"),
    ):
        with pytest.raises(disa.ImageError, match=message):
            _restore(changed, _checksum(changed))
