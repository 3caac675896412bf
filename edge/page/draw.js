// The rows on the canvas.

const LINE_COLOURS = {
  speed_mps: "speed", gas_fraction: "gas", brake_fraction: "brake", accel_long_mps2: "long", accel_lat_mps2: "lat",
  yaw_rate_dps: "lat", steering_wheel_deg: "steering", steering_tire_deg: "steering", steering_normalised: "steering",
};
const BAND_COLOURS = {
  engaged: "system", human: "human", system: "system", shared: "shared", "gas pressed": "gas", "brake pressed": "brake",
  bookmark: "accent", "collision warning": "alarm", "emergency braking": "alarm", "stability control": "alarm",
  fault: "alarm",
};

const paint = canvas.getContext("2d"), pictures = new Map();
let colours = {}, waiting = 0;

const colourOf = line => LINE_COLOURS[line.signal] ?? "other";

// ---- strokes -------------------------------------------------------------------------------------------------------

function recolour() {
  const style = getComputedStyle(document.documentElement);
  colours = new Proxy({}, { get: (known, name) => known[name] ??= style.getPropertyValue(`--${name}`).trim() });
}

function box(x, y, width, height, colour, alpha = 1, radius = 0) {
  paint.globalAlpha = alpha;
  paint.fillStyle = colours[colour];
  paint.beginPath();
  paint.roundRect(x, y, Math.max(width, 0), height, Math.min(radius, Math.max(width, 0) / 2));
  paint.fill();
  paint.globalAlpha = 1;
}

function write(text, x, y, colour, align = "left", size = 11) {
  paint.font = `${size}px system-ui, sans-serif`;
  paint.textAlign = align;
  paint.textBaseline = "middle";
  paint.fillStyle = colours[colour];
  paint.fillText(text, x, y);
}

function within(x, y, width, height, strokes) {
  paint.save();
  paint.beginPath();
  paint.rect(x, y, width, height);
  paint.clip();
  strokes();
  paint.restore();
}

function hatch(from, to, top, height) {
  const left = Math.max(from, GUTTER), right = Math.min(to, GUTTER + plotWidth());
  if (right <= left) return;
  box(left, top, right - left, height, "card");
  within(left, top, right - left, height, () => {
    paint.strokeStyle = colours.hatch;
    paint.lineWidth = 2;
    paint.beginPath();
    for (let x = left - left % 8 - height; x < right; x += 8) {
      paint.moveTo(x, top + height);
      paint.lineTo(x + height, top);
    }
    paint.stroke();
  });
}

// ---- drawing -------------------------------------------------------------------------------------------------------

function redraw() {
  waiting ||= requestAnimationFrame(() => { waiting = 0; draw(); });
}

function draw() {
  const ratio = window.devicePixelRatio || 1;
  canvas.style.height = `${canvas.tall}px`;
  const width = Math.round(canvas.clientWidth * ratio), height = Math.round(canvas.tall * ratio);
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  paint.setTransform(ratio, 0, 0, ratio, 0, 0);
  paint.clearRect(0, 0, canvas.clientWidth, canvas.tall);
  const below = rows[1].top + rows[1].tall;
  for (const t of ticks().times) box(Math.round(xOf(t)), below, 1, canvas.tall - below, "grid");
  for (const row of rows.filter(row => row.draw)) {
    const margin = row.lines || row.ruler ? 44 : 0;
    const right = Math.min(margin, RIGHT);
    within(GUTTER - margin, row.top, plotWidth() + margin + right, row.tall, () => row.draw(row));
  }
  within(GUTTER, 0, plotWidth(), canvas.tall, () => drawOver(below));
  drawNow(below);
}

function drawRuler(row) {
  const { times, unit } = ticks(), digits = unit < 0.1 ? 2 : unit < 1 ? 1 : 0;
  for (const t of times)
    if (Math.abs(xOf(t) - xOf(now)) > 46) write(clock(t, digits), xOf(t), row.top + 11, "soft", "center");
}

function drawOverview(row) {
  const top = row.top + 8, height = row.tall - 10, x = t => xOf(t, drive.span);
  box(GUTTER, top, plotWidth(), height, "grid", 1, 6);
  for (const [start, end] of drive.bands.find(band => band.title === "engaged")?.spans ?? [])
    box(x(start), top, x(end) - x(start), height, "system", 0.22, 3);
  for (const [start, end] of drive.gaps) hatch(x(start), x(end), top, height);
  for (const event of [...drive.events].sort((a, b) => b.random - a.random || a.severity - b.severity)) {
    const inset = event.random ? 8 : 3;
    box(x(event.t_s) - 1, top + inset, 2.5, height - 2 * inset, inkOf(event), 1, 1);
  }
  const left = x(view[0]), right = x(view[1]);
  if (right - left < plotWidth() - 1) {
    box(GUTTER, top, left - GUTTER, height, "card", 0.55);
    box(right, top, GUTTER + plotWidth() - right, height, "card", 0.55);
    paint.strokeStyle = colours.accent;
    paint.lineWidth = 1.5;
    paint.strokeRect(left, top + 0.75, Math.max(right - left, 3), height - 1.5);
  }
  box(x(now) - 0.75, top - 2, 1.5, height + 4, "ink");
}

function picture(camera, place) {
  const key = `${drive.cameras.indexOf(camera)} ${place}`;
  if (!pictures.has(key)) {
    const image = new Image();
    image.onload = redraw;
    image.src = addressOf(camera.jpeg[place]);
    pictures.set(key, image);
  }
  return pictures.get(key);
}

function drawFilm({ camera, top, tall }) {
  const height = tall - 6, first = camera.jpeg.findIndex(jpeg => jpeg !== "");
  box(GUTTER, top + 3, plotWidth(), height, "grid", 1, 4);
  if (first < 0) return;
  const { naturalWidth, naturalHeight } = picture(camera, first);
  const width = height * (naturalWidth || 4) / (naturalHeight || 3);
  const slot_s = (width + 2) / plotWidth() * (view[1] - view[0]);
  let previous = -1;
  for (let slot = Math.floor(view[0] / slot_s); slot * slot_s < view[1]; slot++) {
    const near = [0.5, 0, 1].map(part => nearestStill(camera, clamp((slot + part) * slot_s, ...drive.span)));
    const place = near.find(found => found >= 0) ?? previous;
    if (place === previous || camera.jpeg[place] === "") continue;
    const image = picture(camera, place);
    if (image.complete && image.naturalWidth) paint.drawImage(image, xOf(slot * slot_s), top + 3, width, height);
    previous = place;
  }
}

function drawLane({ events, top, tall }) {
  const middle = top + tall / 2;
  box(GUTTER, Math.round(top + tall) - 1, plotWidth(), 1, "grid");
  for (const event of events) {
    const ink = inkOf(event), x = xOf(event.t_s), left = xOf(event.window_s[0]), right = xOf(event.window_s[1]);
    box(left, middle - 8, right - left, 16, ink, event === chosen ? 0.3 : event.random ? 0.1 : 0.16, 5);
    box(x, middle - 3, xOf(event.end_s) - x, 6, ink, 0.75, 3);
    paint.beginPath();
    paint.arc(x, middle, event.random ? 3.5 : 5, 0, 7);
    paint.fillStyle = colours[ink];
    paint.fill();
    paint.lineWidth = event === chosen ? 2 : 1.5;
    paint.strokeStyle = colours[event === chosen ? "ink" : "card"];
    paint.stroke();
  }
}

function drawBand({ band, top, tall }) {
  const height = tall - 6;
  box(GUTTER, top + 3, plotWidth(), height, "grid", 0.8, 4);
  for (const [start, end, label] of band.spans) {
    const left = Math.max(xOf(start), GUTTER), width = Math.min(xOf(end), GUTTER + plotWidth()) - left;
    if (width < 0) continue;
    box(left, top + 3, Math.max(width, 2), height, BAND_COLOURS[label || band.title] ?? "on", 0.85, 4);
    if (label && width > 12 + 7 * label.length)
      write(label, left + width / 2, top + 3.5 + height / 2, "onband", "center", 10);
  }
}

function drawChart({ lines, scale: [low, high], top, tall }) {
  const height = tall - 12, yOf = value => top + 7 + (high - clamp(value, low, high)) / (high - low) * height;
  box(GUTTER, Math.round(top), plotWidth(), 1, "grid");
  for (const value of levels(low, high, height)) {
    box(GUTTER, Math.round(yOf(value)), plotWidth(), 1, value === 0 ? "zero" : "grid");
    write(figures(value), GUTTER - 8, yOf(value), "soft", "right", 10);
  }
  within(GUTTER, top, plotWidth(), tall, () => lines.forEach(line => drawLine(line, yOf, lines.length === 1)));
}

function drawLine({ signal, t, v }, yOf, filled) {
  const trace = new Path2D(), area = new Path2D();
  const from = Math.max(0, lastAtOrBefore(t, view[0])), to = Math.min(t.length - 1, lastAtOrBefore(t, view[1]) + 1);
  for (let place = from, first = from; place <= to; place++) {
    const x = xOf(t[place]), y = yOf(v[place]);
    if (Number.isNaN(v[place])) {
      first = place + 1;
    } else if (place === first) {
      trace.moveTo(x, y);
      area.moveTo(x, yOf(0));
      area.lineTo(x, y);
    } else {
      trace.lineTo(x, y);
      area.lineTo(x, y);
    }
    if (place === to || Number.isNaN(v[place + 1])) area.lineTo(x, yOf(0));
  }
  paint.fillStyle = paint.strokeStyle = colours[colourOf({ signal })];
  paint.globalAlpha = 0.09;
  if (filled) paint.fill(area);
  paint.globalAlpha = 1;
  paint.lineWidth = 1.5;
  paint.lineJoin = "round";
  paint.stroke(trace);
}

function drawOver(below) {
  const height = canvas.tall - below;
  for (const [start, end] of drive.gaps) {
    const left = xOf(start), right = xOf(end);
    hatch(left, right, below, height - 6);
    if (right - left > 110) write("nothing recorded", (left + right) / 2, below + 10, "soft", "center", 10);
  }
  if (chosen) {
    const [left, right] = chosen.window_s.map(t => xOf(t)), top = below + (drive.cameras.length ? rows[2].tall : 0);
    box(left, top, right - left, canvas.tall - top, inkOf(chosen), 0.06);
  }
  if (dragging?.range) {
    const [left, right] = [...dragging.range].sort((a, b) => a - b), top = dragging.row.top;
    box(left, top, right - left, dragging.row.overview ? dragging.row.tall : canvas.tall - top, "accent", 0.2);
  }
  if (hover !== null) box(Math.round(xOf(hover)), below, 1, height, "soft", 0.6);
}

function drawNow(below) {
  const x = xOf(now), text = clock(now, 2);
  if (x < GUTTER - 1 || x > GUTTER + plotWidth() + 1) return;
  box(x - 0.75, below, 1.5, canvas.tall - below, "ink");
  paint.font = "11px system-ui, sans-serif";
  const width = paint.measureText(text).width + 18, left = clamp(x - width / 2, GUTTER, GUTTER + plotWidth() - width);
  box(left, below - 20, width, 18, "ink", 1, 9);
  write(text, left + width / 2, below - 10.5, "page", "center");
}
