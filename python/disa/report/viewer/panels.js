// SPDX-License-Identifier: Apache-2.0
// The three panels, and what is written on them.
function makePanels() {
  panels = PLANES.map(plane => {
    const figure = document.createElement("figure"), pictures = document.createElement("div");
    const caption = document.createElement("figcaption"), slider = document.createElement("input");
    const where = document.createElement("output");
    const canvases = ["fixed", "moving"].map(side => {
      const canvas = document.createElement("canvas");
      canvas.tabIndex = side === "fixed" ? 0 : -1;
      canvas.setAttribute("role", "img");
      canvas.dataset.side = side;
      pictures.append(canvas);
      return canvas;
    });
    canvases[0].id = plane.name;
    pictures.className = "pictures";
    slider.type = "range"; slider.min = 0; slider.max = view.size[plane.n] - 1;
    slider.setAttribute("aria-label", plane.name + " slice");
    slider.oninput = () => moveTo(plane.n, +slider.value);
    caption.append(plane.name, slider, where);
    figure.append(pictures, caption);
    byId("planes").append(figure);
    const panel = { plane, figure, canvases, slider, where };
    canvases.forEach(canvas => listen(panel, canvas));
    return panel;
  });
}

function moveTo(axis, index) {
  state.index[axis] = clamp(Math.round(index), 0, view.size[axis] - 1);
  if (state.centre) { // the cross-hair stays in sight
    const point = pointOf(state.index)[axis], half = 0.45 * extent[axis] / state.zoom;
    state.centre[axis] = clamp(state.centre[axis], point - half, point + half);
  }
  draw();
}

function scaleOf() { // CSS pixels a mm, of all panels, and their height
  const width = panels[0].canvases[0].clientWidth;
  const fitted = Math.min(...PLANES.map(plane => width / extent[plane.u]));
  const tallest = Math.max(...PLANES.map(plane => extent[plane.v]));
  const isStacked = state.mode === "beside" && getComputedStyle(panels[0].figure.firstChild).flexDirection === "column";
  const room = innerHeight * (isStacked ? 0.36 : 0.62);
  const height = Math.round(clamp(fitted * tallest, 140, Math.max(room, 240)));
  return { height, scale: Math.min(fitted, height / tallest) };
}

// From points to CSS pixels of a canvas and back.
function mapOf(plane, width, height, scale) {
  const s = scale * state.zoom, middle = state.centre || low.map((l, axis) => l + extent[axis] / 2);
  const su = isMirrored(plane) ? -s : s, sv = plane.isUpward ? -s : s;
  return {
    s,
    x: u => width / 2 + su * (u - middle[plane.u]), y: v => height / 2 + sv * (v - middle[plane.v]),
    u: x => middle[plane.u] + (x - width / 2) / su, v: y => middle[plane.v] + (y - height / 2) / sv,
  };
}

const positionOf = (axis, mm) => `${LETTERS[axis][mm < 0 ? 0 : 1]} ${Math.abs(mm).toFixed(1)} mm`;
const movingName = () => state.pose === "after" ? "moved (after)" : "moving (before)";

function draw() {
  if (!volumes.after) return;
  const { height, scale } = scaleOf();
  document.body.dataset.mode = state.mode;
  for (const panel of panels) {
    const { plane, canvases, slider, where } = panel, at = state.index[plane.n];
    const slices = {};
    const slice = name => slices[name] ??= sliceOf(plane, name, at);
    const position = positionOf(plane.n, pointOf(state.index)[plane.n]);
    slider.value = at;
    slider.setAttribute("aria-valuetext", `${position}, ${at + 1} of ${view.size[plane.n]}`);
    where.textContent = `${position} · ${at + 1}/${view.size[plane.n]}`;
    for (const canvas of canvases) {
      canvas.style.height = height + "px";
      if (canvas.clientWidth) paint(panel, canvas, slice, height, scale, position);
    }
  }
}

function paint({ plane }, canvas, slice, height, scale, position) {
  const width = canvas.clientWidth, ratio = Math.max(devicePixelRatio || 1, 1), context = canvas.getContext("2d");
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  context.scale(ratio, ratio);
  context.fillStyle = "#000";
  context.fillRect(0, 0, width, height);
  const map = mapOf(plane, width, height, scale);
  const left = Math.min(map.x(low[plane.u]), map.x(low[plane.u] + extent[plane.u]));
  const top = Math.min(map.y(low[plane.v]), map.y(low[plane.v] + extent[plane.v]));
  const put = (layer, x = 0, w = width) => {
    context.save();
    context.beginPath();
    context.rect(x, 0, w, height);
    context.clip();
    context.imageSmoothingQuality = "high";
    context.drawImage(layer, left, top, extent[plane.u] * map.s, extent[plane.v] * map.s);
    context.restore();
  };
  const labels = [], edge = state.swipe * width, { mode, pose } = state;
  const isFixedSide = canvas.dataset.side === "fixed";
  if (mode === "beside") {
    put(greyLayer(slice(isFixedSide ? "fixed" : pose)));
    labels.push([isFixedSide ? "fixed" : movingName(), 0]);
  } else if (mode === "swipe" || mode === "swipe-fixed") {
    const [one, other] = mode === "swipe" ? ["before", "after"] : ["fixed", pose];
    put(greyLayer(slice(one)), 0, edge);
    put(greyLayer(slice(other)), edge, width - edge);
    labels.push([mode === "swipe" ? "before" : "fixed", 0], [mode === "swipe" ? "after" : movingName(), 1]);
  } else if (mode === "checker") {
    put(checkerLayer(plane, slice("fixed"), slice(pose)));
    labels.push(["fixed / " + movingName(), 0]);
  } else if (mode === "overlay") {
    put(overlayLayer(slice("fixed"), slice(pose)));
    labels.push(["fixed", 0, "#ffb060"], [movingName(), 1, "#6fb6ff"]);
  } else {
    put(greyLayer(slice(state.isBlinkOn ? pose : "fixed")));
    labels.push([state.isBlinkOn ? movingName() : "fixed", 0]);
  }
  if (state.determinant) put(mapLayer(plane, deformation.determinants, determinantColour));
  if (state.disagreement) put(mapLayer(plane, deformation.disagreements, disagreementColour));
  if (state.edges && !(mode === "beside" && isFixedSide)) put(edgeLayer(plane, slice("fixed")));
  if (state.grid) paintGrid(context, plane, map);
  if (state.cross) paintCross(context, plane, map, width, height);
  if (mode.startsWith("swipe")) paintHandle(context, edge, height);
  paintTexts(context, plane, labels, width, height, map.s, position);
  const shown = labels.map(label => label[0]).join(" and ");
  canvas.setAttribute("aria-label", `${plane.name} slice at ${position}, ${shown}`);
}

function paintGrid(context, plane, map) {
  const spacing = [2, 5, 10, 20, 40].find(mm => Math.max(...extent) / mm < 26) || 50, point = pointOf(state.index);
  context.strokeStyle = "rgba(90, 230, 140, .8)";
  context.lineWidth = 1;
  for (const [along, across] of [[plane.u, plane.v], [plane.v, plane.u]])
    for (let line = Math.ceil(low[across] / spacing); line * spacing < low[across] + extent[across]; ++line) {
      context.beginPath();
      for (let step = 0; step <= 80; ++step) {
        const p = [...point];
        p[along] = low[along] + extent[along] * step / 80;
        p[across] = line * spacing;
        context.lineTo(map.x(p[plane.u] + displacementAt(p, plane.u)), map.y(p[plane.v] + displacementAt(p, plane.v)));
      }
      context.stroke();
    }
}

function paintCross(context, plane, map, width, height) {
  const point = pointOf(state.index), x = map.x(point[plane.u]), y = map.y(point[plane.v]), gap = 7;
  context.strokeStyle = "rgba(80, 220, 255, .75)";
  context.lineWidth = 1;
  context.beginPath();
  const lines = [[0, y, x - gap, y], [x + gap, y, width, y], [x, 0, x, y - gap], [x, y + gap, x, height]];
  for (const [x0, y0, x1, y1] of lines) {
    context.moveTo(x0, y0);
    context.lineTo(x1, y1);
  }
  context.stroke();
}

function paintHandle(context, edge, height) {
  context.fillStyle = "#fff";
  context.fillRect(edge - 1, 0, 2, height);
  context.beginPath();
  context.arc(edge, height / 2, 9, 0, 7);
  context.fill();
  context.fillStyle = "#000";
  context.font = "12px system-ui, sans-serif";
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText("↔", edge, height / 2 + 1);
}

function paintTexts(context, plane, labels, width, height, scale, position) {
  const write = (text, x, y, align, colour = "#fff", size = 12) => {
    context.font = `600 ${size}px system-ui, sans-serif`;
    context.textAlign = align;
    context.textBaseline = "middle";
    context.lineJoin = "round";
    context.lineWidth = 3;
    context.strokeStyle = "rgba(0, 0, 0, .85)";
    context.strokeText(text, x, y);
    context.fillStyle = colour;
    context.fillText(text, x, y);
  };
  const [first, last] = isMirrored(plane) ? [...LETTERS[plane.u]].reverse() : LETTERS[plane.u];
  const [bottom, top] = plane.isUpward ? LETTERS[plane.v] : [...LETTERS[plane.v]].reverse(), yellow = "#ffe14d";
  write(first, 6, height / 2, "left", yellow, 15);
  write(last, width - 6, height / 2, "right", yellow, 15);
  write(top, width / 2, 12, "center", yellow, 15);
  write(bottom, width / 2, height - 11, "center", yellow, 15);
  const isNarrow = width < 260; // then the caption alone has the position
  for (const [text, side, colour] of labels)
    write(text, side ? width - 6 : 6, isNarrow ? 27 : 12, side ? "right" : "left", colour);
  if (!isNarrow) write(position, 6, height - 11, "left");
  const bar = [100, 50, 20, 10, 5, 2, 1].find(mm => mm * scale < width / 4) || 1;
  context.fillStyle = "#000";
  context.fillRect(width - 9 - bar * scale, height - 9, bar * scale + 2, 5);
  context.fillStyle = "#fff";
  context.fillRect(width - 8 - bar * scale, height - 8, bar * scale, 3);
  write(bar + " mm", width - 8, height - 18, "right", "#fff", 11);
}
