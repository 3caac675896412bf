// The drives embedded in the page, and how what is known of them is looked up and said.
// Times are seconds from a drive's second 0. Text from a recording is only ever set as text, never as markup.
"use strict";

const SEVERITIES = [[1, "s0"], [1.25, "s1"], [1.5, "s2"], [2, "s3"]];
const NEAR_S = 0.5;

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const words = name => name.replaceAll("_", " ");
const unitOf = line => line.unit.replace("^2", "²");
const figures = value => Number.isFinite(value) ? String(+value.toPrecision(3)) : "–";
const counted = (count, noun) => `${count || "no"} ${noun}${count === 1 ? "" : "s"}`;
const addressOf = jpeg => `data:image/jpeg;base64,${jpeg}`;
const nameOf = event => event.random ? "random draw" : words(event.kind);
const mostSevere = events => events.reduce((most, event) => most?.severity >= event.severity ? most : event, undefined);

function evidenceOf({ reason, evidence }) {
  const threshold = `(threshold ${figures(evidence.threshold)})`;
  const why = reason && reason !== "unknown" ? `${words(reason)}, ` : "";
  return `${why}${evidence.signal} ${figures(evidence.value)} ${threshold}`;
}

function inkOf(event) {
  const reached = SEVERITIES.filter(([from]) => event.severity >= from).at(-1) ?? SEVERITIES[0];
  return event.random ? "random" : reached[1];
}

function clock(t, digits = 1) {
  const units = Math.round(Math.abs(t) * 10 ** digits), minutes = Math.floor(units / 10 ** digits / 60);
  const seconds = (units / 10 ** digits - 60 * minutes).toFixed(digits).padStart(digits ? digits + 3 : 2, "0");
  const hours = minutes > 59 ? `${Math.floor(minutes / 60)}:` : "";
  return `${t < 0 ? "−" : ""}${hours}${String(minutes % 60).padStart(hours ? 2 : 1, "0")}:${seconds}`;
}

function prepared(drive) {
  drive.span[1] = Math.max(drive.span[1], drive.span[0] + 0.001);
  drive.charts.flat().forEach(prepareLine);
  drive.events.forEach((event, place) => Object.assign(event, { place, drive, random: event.kind === "baseline" }));
  drive.found = drive.events.filter(event => !event.random);
  drive.stops = [...new Set(drive.cameras.flatMap(camera => camera.t_s))].sort((a, b) => a - b);
  return drive;
}

function prepareLine(line) {
  let ms = 0, low = 0, high = 0;
  line.t = Float64Array.from(line.steps_ms, step => (ms += step) / 1000);
  line.v = Float64Array.from(line.values, value => value ?? NaN);
  for (const value of line.v) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  line.extent = [Math.max(low, line.range[0]), Math.min(high, line.range[1])];
}

function lastAtOrBefore(times, t) {
  let low = 0, high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] <= t) low = middle + 1; else high = middle;
  }
  return low - 1;
}

function valueAt(line, t) {
  return t > line.t.at(-1) + NEAR_S ? NaN : line.v[lastAtOrBefore(line.t, t)] ?? NaN;
}

function nearestStill(camera, t) {
  if (!camera.recorded.some(([start, end]) => t >= start - NEAR_S && t <= end + NEAR_S)) return -1;
  const before = lastAtOrBefore(camera.t_s, t), after = before + 1;
  if (after === camera.t_s.length) return before;
  return before < 0 || camera.t_s[after] - t < t - camera.t_s[before] ? after : before;
}

function grouped(things, keyOf) {
  const groups = new Map();
  for (const thing of things) {
    const key = keyOf(thing);
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(thing);
  }
  return groups;
}
