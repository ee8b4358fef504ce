// SPDX-License-Identifier: Apache-2.0
// Volumes out of the page's pictures, and slices out of volumes.
async function bytesOf(uri, place, slices) {
  const image = new Image();
  await new Promise((resolve, reject) => { image.onload = resolve; image.onerror = reject; image.src = uri; });
  const canvas = document.createElement("canvas"), [nx, ny] = place.size, [width, height] = place.tile;
  canvas.width = image.naturalWidth;
  canvas.height = image.naturalHeight;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0);
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height).data;
  const volume = new Uint8Array(nx * ny * slices);
  for (let k = 0, to = 0; k < slices; ++k)
    for (let j = 0; j < ny; ++j) {
      let from = 4 * (((k / place.columns | 0) * height + j) * canvas.width + (k % place.columns) * width);
      for (let i = 0; i < nx; ++i, from += 4) volume[to++] = pixels[from];
    }
  return volume;
}

function greysOf(name) {
  const { knots, windows } = view.codings[name === "fixed" ? "fixed" : "moving"];
  const { low: black, high: white } = windows[Math.min(state.window, windows.length - 1)];
  const greys = new Uint8ClampedArray(256);
  for (let byte = 0, k = 0; byte < 256; ++byte) {
    while (k < knots.length - 2 && byte > knots[k + 1][0]) ++k;
    const [[b0, v0], [b1, v1]] = [knots[k], knots[k + 1]];
    greys[byte] = 255 * (v0 + (v1 - v0) * (byte - b0) / (b1 - b0) - black) / (white - black);
  }
  return greys;
}

function sliceOf(plane, name, at) { // grey levels as a person looks at them, rows from the top, of square pixels
  const { u, v, n } = plane, [nx, ny] = view.size, strides = [1, nx, nx * ny];
  const volume = volumes[name], greys = greysOf(name);
  const step = Math.min(view.spacing[u], view.spacing[v], Math.max(...extent) / LEAST_PIXELS);
  const columns = placesOf(u, step, isMirrored(plane)), rows = placesOf(v, step, plane.isUpward);
  const values = new Uint8ClampedArray(columns.length * rows.length), start = at * strides[n];
  let to = 0;
  for (const [j, nextJ, below] of rows)
    for (const [i, nextI, right] of columns) {
      const grey = (a, b) => greys[volume[start + a * strides[u] + b * strides[v]]];
      const upper = grey(i, j) * (1 - right) + grey(nextI, j) * right;
      const lower = below ? grey(i, nextJ) * (1 - right) + grey(nextI, nextJ) * right : upper;
      values[to++] = upper * (1 - below) + lower * below;
    }
  return { width: columns.length, height: rows.length, values };
}

function placesOf(axis, step, isReversed) { // of pixels along an axis: voxel before, voxel after, and how near to it
  const last = view.size[axis] - 1;
  const count = Math.max(1, Math.round(view.size[axis] * view.spacing[axis] / step));
  const places = Array.from({ length: count }, (_, i) => {
    const place = clamp((i + 0.5) * view.size[axis] / count - 0.5, 0, last), before = Math.floor(place);
    return [before, Math.min(before + 1, last), place - before];
  });
  return isReversed ? places.reverse() : places;
}
const isMirrored = plane => state.isNeurological && plane.u === 0;
