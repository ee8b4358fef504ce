# SPDX-License-Identifier: Apache-2.0
"""Simulated ultrasound: what a 3-D sector probe on the body might see of a CT or MR volume.

A phantom, not a simulation of waves: along each beam the sound loses what tissue absorbs and interfaces reflect, so
that bone and air cast shadows; what comes back are interfaces across the beam and scatterers, blurred by a point spread
that widens with depth, and so speckle; the envelope is compressed to decibels and drawn in its sector. MR says nothing
of acoustic impedance: its intensity takes the place, so interfaces lie where they are and their strength is invented.

After Wein et al., Medical Image Analysis 12(5), 2008, and Bamber and Dickinson, Physics in Medicine and Biology 25,
1980.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from geometry import indices
from scipy.ndimage import gaussian_filter, map_coordinates

Array = np.ndarray


@dataclass(frozen=True)
class Probe:
    """A sector probe.

    Attributes:
        radius: mm from the beams' common apex to the contact.
        depth: mm from the contact.
        lateral, elevation: degrees to either side of the axis.
        beams: number, lateral and elevation.
        step: mm between samples of a beam.
        pulse: mm, axial standard deviation of the point spread.
        width: beams, its lateral and elevational one.
        inset: mm from the body's surface to the contact, as through an opened skull.
        dynamic_range: dB that are drawn.
        spacing: mm between voxels of the volume.
    """

    radius: float = 12.0
    depth: float = 110.0
    lateral: float = 38.0
    elevation: float = 32.0
    beams: tuple[int, int] = (128, 96)
    step: float = 0.4
    pulse: float = 0.5
    width: float = 1.1
    inset: float = 0.0
    dynamic_range: float = 50.0
    spacing: float = 1.0


@dataclass(frozen=True)
class Tissue:
    """Along the beams: impedance in units of water's, strength of scatterers, loss in dB/mm there and back."""

    impedance: Array
    scatter: Array
    loss: Array


COMPENSATED = 0.1
"""dB/mm there and back that the machine's gain makes up for."""

BONE = 250.0
"""HU above which sound is absorbed as by bone."""

PROBES = {"ct": Probe(), "mr": Probe(inset=14.0)}


def simulate(image: sitk.Image, modality: str, rng: np.random.Generator, probe: Probe | None = None) -> sitk.Image:
    """Simulated ultrasound of an image, in its world space.

    Args:
        image: CT in HU, or MR.
        modality: ct or mr.
        rng: places the probe and the scatterers.
        probe: None: one on the skin for CT, one beneath the skull for MR.

    Returns:
        float32, 1 to 255 within the sector and 0 outside of it, on isotropic voxels along the probe's axes.
    """
    probe = PROBES[modality] if probe is None else probe
    body = body_of(image)
    contact, axes = place(body, rng, probe.inset)
    beams = sample_beams(image, contact, axes, probe)
    inside = sample_beams(sitk.Cast(body, sitk.sitkFloat32), contact, axes, probe, outside=0.0) > 0.5
    covered = sample_beams(sitk.Cast(body * 0 + 1, sitk.sitkFloat32), contact, axes, probe, outside=0.0) > 0.5
    tissue = _ct_tissue(beams, inside) if modality == "ct" else _mr_tissue(beams, inside)
    return draw(np.where(covered, echoes(tissue, probe, rng), np.nan), contact, axes, probe)


def body_of(image: sitk.Image) -> sitk.Image:
    """The body's mask: brighter than Otsu's threshold between air and the rest, filled."""
    smooth = sitk.SmoothingRecursiveGaussian(image, 2.0)
    largest = sitk.RelabelComponent(sitk.ConnectedComponent(sitk.OtsuThreshold(smooth, 0, 1)), sortByObjectSize=True)
    return sitk.BinaryFillhole(sitk.Cast(largest == 1, sitk.sitkUInt8))


def place(body: sitk.Image, rng: np.random.Generator, inset: float) -> tuple[Array, Array]:
    """A contact point, mm, and the probe's axes, (3, 3) with columns lateral, elevation and depth.

    The probe looks at the body's centre from where a random direction leaves the body, 15 mm or more within the volume;
    if none of 200 directions does, from where most of the volume is left.
    """
    size, spacing = np.asarray(body.GetSize()), np.asarray(body.GetSpacing())
    statistics = sitk.LabelShapeStatisticsImageFilter()
    statistics.Execute(body)
    centre = np.asarray(statistics.GetCentroid(1))
    distances = np.arange(0.0, float(np.linalg.norm(size * spacing)), 1.0)
    best = -1
    for _ in range(200):
        direction = rng.normal(size=3)
        direction /= np.linalg.norm(direction)
        index = indices(body, centre + distances[:, None] * direction)
        within = ((index >= -0.5) & (index <= size - 0.5)).all(axis=1)
        seen = map_coordinates(sitk.GetArrayFromImage(body), index[:, ::-1].T, order=0, cval=0)
        last = int(np.flatnonzero(seen).max(initial=0))
        left = int(within.sum()) - last
        if left > best:
            best, out, leaves = left, direction, last
        if best >= 15:
            break
    depth = -out
    lateral = np.cross(depth, rng.normal(size=3))
    lateral /= np.linalg.norm(lateral)
    return centre + (distances[leaves] - inset) * out, np.stack([lateral, np.cross(depth, lateral), depth], axis=1)


def sample_beams(image: sitk.Image, contact: Array, axes: Array, probe: Probe, outside: float | None = None) -> Array:
    """The image along the beams, shape (lateral, elevation, depth); outside, its nearest voxel or a given value."""
    side, lift = (
        np.deg2rad(np.linspace(-angle, angle, count))
        for angle, count in zip((probe.lateral, probe.elevation), probe.beams, strict=True)
    )
    reach = probe.radius + np.arange(0.0, probe.depth, probe.step)
    toward = np.stack(np.broadcast_arrays(np.tan(side)[:, None], np.tan(lift)[None], 1.0), axis=-1)
    toward /= np.linalg.norm(toward, axis=-1, keepdims=True)
    apex = contact - probe.radius * axes[:, 2]
    points = apex + (toward @ axes.T)[:, :, None] * reach[:, None]
    index = indices(image, points)
    pixels = sitk.GetArrayFromImage(image)
    mode = "nearest" if outside is None else "constant"
    return map_coordinates(pixels, np.moveaxis(index[..., ::-1], -1, 0), order=1, mode=mode, cval=outside or 0.0)


def _ct_tissue(beams: Array, inside: Array) -> Tissue:
    scatter = np.interp(beams, [-300, -120, -60, 0, 60, 150, 400], [0.0, 0.5, 0.45, 0.08, 0.05, 0.5, 1.0])
    absorbed = np.interp(beams, [150, BONE, 600], [0.0, 2.0, 6.0]) + np.interp(beams, [-500, -300], [6.0, 0.0])
    return Tissue(
        impedance=np.where(inside, 1.0 + beams.clip(-800.0, 1500.0) / 1000.0, 1.0),
        scatter=np.where(inside, scatter, 0.0),
        loss=np.where(inside, COMPENSATED + absorbed, 0.0),
    )


def _mr_tissue(beams: Array, inside: Array) -> Tissue:
    brightness = beams / np.percentile(beams[inside], 98.0)
    return Tissue(
        impedance=np.where(inside, 1.0 + 0.3 * brightness.clip(0.0, 1.5), 1.0),
        scatter=np.where(inside, np.interp(brightness, [0.0, 0.2, 0.4, 0.6, 1.0], [0.005, 0.05, 0.5, 0.2, 0.02]), 0.0),
        loss=np.where(inside, COMPENSATED, 0.0),
    )


def echoes(tissue: Tissue, probe: Probe, rng: np.random.Generator) -> Array:
    """The envelope in dB below its bright parts, shape (lateral, elevation, depth)."""
    smooth = gaussian_filter(tissue.impedance, (0.7, 0.7, 1.0))
    across = np.gradient(smooth, axis=2) / (2 * smooth)
    lost = 10.0 ** (-np.cumsum(tissue.loss - COMPENSATED, axis=2) * probe.step / 20.0)
    passed = lost * np.exp(np.cumsum(np.log1p(-(across.clip(-0.7, 0.7) ** 2)), axis=2))
    shape = tissue.impedance.shape
    noise = rng.normal(size=shape) + 1j * rng.normal(size=shape)
    sources = passed * (tissue.scatter * noise + INTERFACES * np.abs(across) * (1.0 + 0.4 * noise))
    spread = (probe.width, probe.width, probe.pulse / probe.step)
    envelope = np.abs(gaussian_filter(sources.real, spread) + 1j * gaussian_filter(sources.imag, spread))
    bright = np.percentile(envelope, 99.5)
    floor = bright * 10.0 ** (-probe.dynamic_range / 20.0)
    return 20.0 * np.log10((envelope + floor) / bright)


INTERFACES = 25.0
"""Amplitude of an interface beside scatterers of strength 1."""


def draw(decibels: Array, contact: Array, axes: Array, probe: Probe) -> sitk.Image:
    """The sector on Cartesian voxels along the probe's axes: 1 to 255, 0 outside of it and where decibels are NaN."""
    far = probe.radius + probe.depth
    half = far * np.sin(np.deg2rad([probe.lateral, probe.elevation]))
    low = np.array([-half[0], -half[1], probe.radius * np.cos(np.deg2rad(max(probe.lateral, probe.elevation)))])
    high = np.array([half[0], half[1], far])
    nx, ny, nz = (np.ceil((high - low) / probe.spacing).astype(int) + 1).tolist()
    x = low[0] + np.arange(nx) * probe.spacing
    y = (low[1] + np.arange(ny) * probe.spacing)[:, None]
    z = (low[2] + np.arange(nz) * probe.spacing)[:, None, None]
    side, lift = np.rad2deg(np.arctan2(x, z)), np.rad2deg(np.arctan2(y, z))
    depth = np.sqrt(x * x + y * y + z * z) - probe.radius
    index = np.stack(
        np.broadcast_arrays(
            (side / probe.lateral + 1) / 2 * (probe.beams[0] - 1),
            (lift / probe.elevation + 1) / 2 * (probe.beams[1] - 1),
            depth / probe.step,
        )
    )
    level = 1.0 + 254.0 * (1.0 + decibels / probe.dynamic_range).clip(0.0, 1.0)
    pixels = map_coordinates(level, index, order=1, mode="constant", cval=np.nan)
    image = sitk.GetImageFromArray(np.nan_to_num(pixels, nan=0.0).astype(np.float32))
    image.SetSpacing((probe.spacing,) * 3)
    image.SetDirection(axes.ravel().tolist())
    image.SetOrigin((contact - probe.radius * axes[:, 2] + axes @ low).tolist())
    return image
