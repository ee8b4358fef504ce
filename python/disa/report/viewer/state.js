// SPDX-License-Identifier: Apache-2.0
// What three linked panels along the patient's axes show.
// Points are LPS, mm: x to the left, y to the back, z to the head.
"use strict";
const view = JSON.parse(document.getElementById("view").textContent);
const byId = id => document.getElementById(id);
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

const PLANES = [
  { name: "axial", u: 0, v: 1, n: 2, isUpward: false },
  { name: "coronal", u: 0, v: 2, n: 1, isUpward: true },
  { name: "sagittal", u: 1, v: 2, n: 0, isUpward: true },
];
const LETTERS = [["R", "L"], ["A", "P"], ["I", "S"]]; // at the low and the high end of x, y and z
const LEAST_PIXELS = 200; // along the longest side of the image, so that edges of small images are thin
const EDGE_SHARE = 0.12; // of a slice's pixels, before edges are thinned
const COLOURS = { fixed: [255, 150, 40], moving: [0, 105, 215] }; // together white

const state = {
  mode: "beside", pose: "after", edges: true, cross: true, grid: false, determinant: false, disagreement: false,
  isNeurological: false, window: 0, swipe: 0.5, share: 0.5, zoom: 1, isBlinkOn: false,
  index: view.size.map(n => (n - 1) / 2 | 0), centre: null,
};
const extent = view.size.map((n, axis) => n * view.spacing[axis]);
const low = view.size.map((n, axis) => view.origin[axis] - view.spacing[axis] / 2);
const pointOf = index => index.map((i, axis) => view.origin[axis] + i * view.spacing[axis]);
const volumes = {};
let deformation = null, panels = [], thresholds = {};
