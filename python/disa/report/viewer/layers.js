// SPDX-License-Identifier: Apache-2.0
// Pictures that are put over each other: greys, edges, mixtures, and what a deformation does.
function smoothed(values, width, height) {
  const smooth = new Float32Array(values.length);
  const at = (x, y) => values[clamp(y, 0, height - 1) * width + clamp(x, 0, width - 1)];
  for (let y = 0; y < height; ++y)
    for (let x = 0; x < width; ++x) {
      let sum = 0;
      for (let dy = -1; dy < 2; ++dy)
        for (let dx = -1; dx < 2; ++dx) sum += (2 - Math.abs(dx)) * (2 - Math.abs(dy)) * at(x + dx, y + dy);
      smooth[y * width + x] = sum / 16;
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
    const all = [], count = view.size[plane.n];
    for (let k = 0; k < 12; ++k) {
      const { steep } = steepnessOf(sliceOf(plane, "fixed", Math.floor((k + 0.5) / 12 * count)));
      for (let i = 0; i < steep.length; i += 3) all.push(steep[i]);
    }
    all.sort((a, b) => a - b);
    thresholds[plane.name] = Math.max(all[Math.floor((1 - EDGE_SHARE) * (all.length - 1))], 8);
  }
}

function canvasOf(width, height, fill) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d"), image = context.createImageData(width, height);
  fill(image.data);
  context.putImageData(image, 0, 0);
  return canvas;
}

function greyLayer(slice) {
  return canvasOf(slice.width, slice.height, data =>
    slice.values.forEach((value, i) => data.set([value, value, value, 255], 4 * i)));
}

function edgeLayer(plane, slice) { // where the slice is steepest across an edge; specks are left out
  const { steep, steps } = steepnessOf(slice), colour = state.mode === "overlay" ? [255, 255, 255] : [255, 140, 0];
  const { width, height } = slice, threshold = thresholds[plane.name];
  const isSteepest = (value, i) => value >= steep[i - steps[i]] && value > steep[i + steps[i]];
  const isEdge = steep.map((value, i) => value > threshold && isSteepest(value, i));
  const around = [-width - 1, -width, -width + 1, -1, 1, width - 1, width, width + 1];
  return canvasOf(width, height, data => isEdge.forEach((is, i) => {
    if (is && around.filter(step => isEdge[i + step]).length > 1) data.set([...colour, 255], 4 * i);
  }));
}

function brightnessOf(slice) { // of what is not black
  let sum = 0, count = 0;
  for (const value of slice.values) if (value > 12) { sum += value; ++count; }
  return count ? sum / count : 255;
}

function overlayLayer(fixed, moving) { // both as bright as each other, so that none drowns the other
  const gains = [fixed, moving].map((slice, i) =>
    2 * (i ? state.share : 1 - state.share) * clamp(110 / brightnessOf(slice), 0.5, 4) / 255);
  return canvasOf(fixed.width, fixed.height, data => fixed.values.forEach((value, i) => {
    const greys = [value * gains[0], moving.values[i] * gains[1]];
    for (let c = 0; c < 3; ++c) data[4 * i + c] = greys[0] * COLOURS.fixed[c] + greys[1] * COLOURS.moving[c];
    data[4 * i + 3] = 255;
  }));
}

function checkerLayer(plane, fixed, moving) {
  const side = [10, 15, 20, 25, 30, 40, 50].find(mm => Math.max(...extent) / mm < 9) || 60;
  const step = extent[plane.u] / fixed.width, { width, height } = fixed;
  return canvasOf(width, height, data => fixed.values.forEach((value, i) => {
    const isMoving = (Math.floor((i % width) * step / side) + Math.floor((i / width | 0) * step / side)) % 2;
    const grey = isMoving ? moving.values[i] : value;
    data.set([grey, grey, grey, 255], 4 * i);
  }));
}

function determinantColour(byte) { // as deformed.py codes it
  if (byte === 0) return [255, 0, 255, 230];
  const octaves = (byte - 128) / 127, alpha = 220 * Math.min(1, 3 * Math.abs(octaves));
  return octaves < 0 ? [60, 130, 255, alpha] : [255, 90, 60, alpha];
}

function determinantLayer(plane) {
  const { place, determinants } = deformation, [nx, ny] = place.size, strides = [1, nx, nx * ny];
  const width = place.size[plane.u], height = place.size[plane.v];
  const nearest = Math.round((pointOf(state.index)[plane.n] - place.origin[plane.n]) / place.spacing[plane.n]);
  const at = clamp(nearest, 0, place.size[plane.n] - 1);
  return canvasOf(width, height, data => {
    for (let row = 0; row < height; ++row)
      for (let column = 0; column < width; ++column) {
        const i = isMirrored(plane) ? width - 1 - column : column, j = plane.isUpward ? height - 1 - row : row;
        const byte = determinants[at * strides[plane.n] + j * strides[plane.v] + i * strides[plane.u]];
        data.set(determinantColour(byte), 4 * (row * width + column));
      }
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
