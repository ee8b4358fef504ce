// SPDX-License-Identifier: Apache-2.0
// Pictures that are put over each other: greys, edges, mixtures, and what a deformation does.

const packed = (red, green, blue, alpha = 255) => (alpha << 24 | blue << 16 | green << 8 | red) >>> 0;
const packedGrey = grey => packed(grey, grey, grey);

function smoothed(values, width, height) { // by 1 2 1 along both axes
  const across = new Float32Array(values.length), smooth = new Float32Array(values.length);
  for (let y = 0, i = 0; y < height; ++y)
    for (let x = 0; x < width; ++x, ++i)
      across[i] = (values[x ? i - 1 : i] + 2 * values[i] + values[x < width - 1 ? i + 1 : i]) / 4;
  for (let y = 0, i = 0; y < height; ++y) {
    const above = y ? -width : 0, below = y < height - 1 ? width : 0;
    for (let x = 0; x < width; ++x, ++i) smooth[i] = (across[i + above] + 2 * across[i] + across[i + below]) / 4;
  }
  return smooth;
}

function steepnessOf({ width, height, values }) { // of a smoothed slice, and steps to the next pixel up the gradient
  const smooth = smoothed(smoothed(values, width, height), width, height);
  const steep = new Float32Array(values.length), steps = new Int32Array(values.length);
  for (let y = 1; y < height - 1; ++y)
    for (let x = 1; x < width - 1; ++x) {
      const i = y * width + x, gx = smooth[i + 1] - smooth[i - 1], gy = smooth[i + width] - smooth[i - width];
      const length = Math.hypot(gx, gy) || 1;
      steep[i] = length;
      steps[i] = Math.round(gx / length) + width * Math.round(gy / length);
    }
  return { steep, steps };
}

function findThresholds() { // one a plane, so that a slice with little in it has few edges
  for (const plane of PLANES) {
    const counts = new Uint32Array(1024), last = view.size[plane.n];
    for (let k = 0; k < 8; ++k)
      for (const value of steepnessOf(sliceOf(plane, "fixed", Math.floor((k + 0.5) / 8 * last))).steep)
        ++counts[Math.min(2 * value | 0, 1023)];
    let left = EDGE_SHARE * counts.reduce((sum, count) => sum + count, 0), bin = 1024;
    while (bin > 16 && left > 0) left -= counts[--bin];
    thresholds[plane.name] = bin / 2;
  }
}

function canvasOf(width, height, colourOf) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d"), image = context.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  for (let i = 0; i < pixels.length; ++i) pixels[i] = colourOf(i);
  context.putImageData(image, 0, 0);
  return canvas;
}

function greyLayer({ width, height, values }) {
  return canvasOf(width, height, i => packedGrey(values[i]));
}

function edgeLayer(plane, slice) { // where the slice is steepest across an edge; specks are left out
  const { steep, steps } = steepnessOf(slice), { width, height } = slice, threshold = thresholds[plane.name];
  const isEdge = Uint8Array.from(steep, (value, i) =>
    value > threshold && value >= steep[i - steps[i]] && value > steep[i + steps[i]]);
  const around = [-width - 1, -width, -width + 1, -1, 1, width - 1, width, width + 1];
  const colour = state.mode === "overlay" ? packedGrey(255) : packed(255, 140, 0);
  return canvasOf(width, height, i =>
    isEdge[i] && around.reduce((count, step) => count + isEdge[i + step], 0) > 1 ? colour : 0);
}

function brightnessOf(slice) { // of what is not black
  let sum = 0, count = 0;
  for (const value of slice.values) if (value > 12) { sum += value; ++count; }
  return count ? sum / count : 255;
}

function overlayLayer(fixed, moving) { // both as bright as each other, so that none drowns the other
  const [one, other] = [fixed, moving].map((slice, i) =>
    2 * (i ? state.share : 1 - state.share) * clamp(110 / brightnessOf(slice), 0.5, 4) / 255);
  return canvasOf(fixed.width, fixed.height, i => {
    const a = fixed.values[i] * one, b = moving.values[i] * other;
    return packed(...COLOURS.fixed.map((colour, c) => Math.min(a * colour + b * COLOURS.moving[c], 255)));
  });
}

function checkerLayer(plane, fixed, moving) {
  const side = [10, 15, 20, 25, 30, 40, 50].find(mm => Math.max(...extent) / mm < 9) || 60;
  const step = extent[plane.u] / fixed.width, { width, height } = fixed;
  return canvasOf(width, height, i => {
    const isMoving = (Math.floor((i % width) * step / side) + Math.floor((i / width | 0) * step / side)) % 2;
    return packedGrey((isMoving ? moving : fixed).values[i]);
  });
}

function determinantColour(byte) { // as deformed.py codes it
  if (byte === 0) return packed(255, 0, 255, 230);
  const octaves = (byte - 128) / 127, alpha = 220 * Math.min(1, 3 * Math.abs(octaves));
  return octaves < 0 ? packed(60, 130, 255, alpha) : packed(255, 90, 60, alpha);
}

function disagreementColour(byte) { // as deformed.py codes it
  return packed(255, 210, 0, 0.85 * byte);
}

function mapLayer(plane, bytes, colour) { // bytes at the deformation's nodes
  const { place } = deformation, [nx, ny] = place.size, strides = [1, nx, nx * ny];
  const width = place.size[plane.u], height = place.size[plane.v];
  const nearest = Math.round((pointOf(state.index)[plane.n] - place.origin[plane.n]) / place.spacing[plane.n]);
  const at = clamp(nearest, 0, place.size[plane.n] - 1);
  return canvasOf(width, height, pixel => {
    const column = pixel % width, row = pixel / width | 0;
    const i = isMirrored(plane) ? width - 1 - column : column, j = plane.isUpward ? height - 1 - row : row;
    return colour(bytes[at * strides[plane.n] + j * strides[plane.v] + i * strides[plane.u]]);
  });
}

function displacementAt(point, axis) { // mm, between the nodes linear
  const { place, displacements, largest } = deformation, [nx, ny, nz] = place.size;
  const cell = place.size.map((n, a) => clamp((point[a] - place.origin[a]) / place.spacing[a], 0, n - 1));
  const base = cell.map((c, a) => Math.min(Math.floor(c), Math.max(place.size[a] - 2, 0)));
  let sum = 0;
  for (let corner = 0; corner < 8; ++corner) {
    const node = base.map((b, a) => Math.min(b + (corner >> a & 1), place.size[a] - 1));
    const weight = base.reduce((w, b, a) => w * (corner >> a & 1 ? cell[a] - b : 1 - (cell[a] - b)), 1);
    sum += weight * displacements[(axis * nz + node[2]) * nx * ny + node[1] * nx + node[0]];
  }
  return (sum - 128) * largest / 127;
}
