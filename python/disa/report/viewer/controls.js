// SPDX-License-Identifier: Apache-2.0
// Mouse, touch, keyboard and controls, and the start of it all.
function listen(panel, canvas) {
  const { plane } = panel;
  let drag = null;
  const mapHere = () => {
    const { height, scale } = scaleOf();
    return mapOf(plane, canvas.clientWidth, height, scale);
  };
  const aim = event => {
    const map = mapHere(), point = [map.u(event.offsetX), map.v(event.offsetY)];
    [plane.u, plane.v].forEach((axis, i) => {
      const index = Math.round((point[i] - view.origin[axis]) / view.spacing[axis]);
      state.index[axis] = clamp(index, 0, view.size[axis] - 1);
    });
  };
  canvas.onpointerdown = event => {
    canvas.setPointerCapture(event.pointerId);
    const fromLine = Math.abs(event.offsetX - state.swipe * canvas.clientWidth);
    if (state.mode.startsWith("swipe") && fromLine < 14) drag = "swipe";
    else drag = event.shiftKey || event.button === 1 ? "pan" : "aim";
    canvas.onpointermove(event);
  };
  canvas.onpointermove = event => {
    if (!drag || !event.buttons) return;
    if (drag === "swipe") setSwipe(event.offsetX / canvas.clientWidth);
    else if (drag === "pan") pan(plane, mapHere(), event.movementX, event.movementY);
    else aim(event);
    draw();
  };
  canvas.onpointerup = canvas.onpointercancel = () => { drag = null; };
  canvas.ondblclick = () => { resetZoom(); };
  let turned = 0; // a trackpad sends many small turns
  canvas.addEventListener("wheel", event => {
    event.preventDefault();
    turned += event.deltaMode ? 100 * Math.sign(event.deltaY) : event.deltaY;
    if (Math.abs(turned) < 50) return;
    if (event.ctrlKey || event.metaKey) zoomBy(turned < 0 ? 1.15 : 1 / 1.15);
    else moveTo(plane.n, state.index[plane.n] - Math.sign(turned));
    turned = 0;
  }, { passive: false });
  canvas.onkeydown = event => {
    const across = isMirrored(plane) ? -1 : 1, up = plane.isUpward ? 1 : -1, far = event.shiftKey ? 10 : 1;
    const steps = {
      ArrowRight: [plane.u, across], ArrowLeft: [plane.u, -across], ArrowUp: [plane.v, up], ArrowDown: [plane.v, -up],
      PageUp: [plane.n, 1], PageDown: [plane.n, -1],
    }[event.key];
    if (!steps || event.ctrlKey || event.altKey) return;
    event.preventDefault();
    moveTo(steps[0], state.index[steps[0]] + far * steps[1]);
  };
}

function pan(plane, map, dx, dy) {
  state.centre ??= low.map((l, axis) => l + extent[axis] / 2);
  state.centre[plane.u] -= (map.u(dx) - map.u(0));
  state.centre[plane.v] -= (map.v(dy) - map.v(0));
}

function zoomBy(factor) { // the cross-hair stays where it is
  const before = state.zoom, point = pointOf(state.index);
  state.zoom = clamp(before * factor, 1, 12);
  const middle = state.centre || low.map((l, axis) => l + extent[axis] / 2);
  const closer = middle.map((m, axis) => point[axis] + (m - point[axis]) * before / state.zoom);
  state.centre = state.zoom === 1 ? null : closer;
  draw();
}
function resetZoom() { state.zoom = 1; state.centre = null; draw(); }
function setSwipe(share) {
  state.swipe = clamp(share, 0, 1);
  byId("swipe").value = 100 * state.swipe;
}

let blinking = 0;
function setMode(mode) {
  state.mode = mode;
  document.querySelector(`input[name=mode][value="${mode}"]`).checked = true;
  clearInterval(blinking);
  if (mode === "blink") blinking = setInterval(() => { state.isBlinkOn = !state.isBlinkOn; draw(); }, 700);
  byId("swipe-label").hidden = !mode.startsWith("swipe");
  byId("share-label").hidden = mode !== "overlay";
  byId("pose-label").hidden = mode === "swipe";
  document.body.dataset.mode = mode;
  draw();
}

function connect() {
  for (const input of document.querySelectorAll("input[name=mode]")) input.onchange = () => setMode(input.value);
  for (const name of ["edges", "cross", "grid", "determinant", "disagreement"]) {
    if (byId(name)) byId(name).onchange = event => {
      state[name] = event.target.checked;
      if (byId(`${name}-key`)) byId(`${name}-key`).hidden = !state[name];
      draw();
    };
  }
  byId("pose").onchange = event => { state.pose = event.target.value; draw(); };
  byId("convention").onchange = event => {
    state.isNeurological = event.target.value === "neurological";
    const side = state.isNeurological ? "right" : "left";
    byId("convention-note").textContent = `Patient's right is on the picture's ${side}.`;
    draw();
  };
  byId("swipe").oninput = event => { setSwipe(event.target.value / 100); draw(); };
  byId("share").oninput = event => { state.share = event.target.value / 100; draw(); };
  byId("zoom-in").onclick = () => zoomBy(1.5);
  byId("zoom-out").onclick = () => zoomBy(1 / 1.5);
  byId("zoom-reset").onclick = resetZoom;
  const coding = Object.values(view.codings).find(({ isCT }) => isCT);
  if (coding) {
    coding.windows.forEach(({ name, low: black, high: white }, i) =>
      byId("window").add(new Option(`${name} (${black} to ${white} HU)`, i)));
    byId("window-label").hidden = false;
    byId("window").onchange = event => { state.window = +event.target.value; findThresholds(); draw(); };
  }
  addEventListener("keydown", event => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.target.matches("input[type=range], select")) return;
    const modes = [...document.querySelectorAll("input[name=mode]")].map(input => input.value);
    if (modes[event.key - 1]) setMode(modes[event.key - 1]);
    else if (event.key === "+" || event.key === "=") zoomBy(1.5);
    else if (event.key === "-") zoomBy(1 / 1.5);
    else if (event.key === "0") resetZoom();
    else if (event.key === "e" || event.key === "c") byId(event.key === "e" ? "edges" : "cross").click();
    else if (event.key === "b") {
      byId("pose").value = state.pose === "after" ? "before" : "after";
      byId("pose").onchange({ target: byId("pose") });
    }
  });
  new ResizeObserver(draw).observe(byId("planes"));
  addEventListener("resize", draw);
}

async function start() {
  for (const [name, uri] of Object.entries(view.volumes)) volumes[name] = await bytesOf(uri, view, view.size[2]);
  if (view.deformation) {
    const { displacements, determinants, disagreements, largest } = view.deformation, slices = displacements.size[2];
    deformation = {
      place: displacements, largest,
      displacements: await bytesOf(displacements.picture, displacements, 3 * slices),
      determinants: await bytesOf(determinants.picture, determinants, slices),
      disagreements: disagreements && await bytesOf(disagreements.picture, disagreements, slices),
    };
  }
  makePanels();
  findThresholds();
  connect();
  setMode("beside");
  document.body.dataset.state = "ready";
}
start().catch(() => { byId("planes").textContent = "This browser cannot show the pictures."; });
