// What the timeline is made of: rows from top to bottom that share one axis of time, and how high each is.
// `view` is the stretch of time that is shown, `now` the moment looked at, `chosen` the event looked at.

const GUTTER = 188, RIGHT = 14, TICKS_PX = 90, LEVELS_PX = 11, MOST_LEVELS = 5, ROOMY_PX = 34, TALLEST_PX = 70;
const STEPS_S = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 86400];

const $ = id => document.getElementById(id);
const canvas = $("canvas");
let drive, view, now, chosen = null, hover = null, dragging = null, rows = [];

const plotWidth = () => canvas.clientWidth - GUTTER - RIGHT;
const xOf = (t, span = view) => GUTTER + (t - span[0]) / (span[1] - span[0]) * plotWidth();
const tOf = (x, span = view) => span[0] + (x - GUTTER) / plotWidth() * (span[1] - span[0]);
const sum = (things, sizeOf) => things.reduce((total, thing) => total + sizeOf(thing), 0);

function layOut() {
  const camera = drive.cameras.find(({ name }) => name === "front") ?? drive.cameras[0];
  const lanes = [...grouped(drive.events, event => event.kind).values()].sort((a, b) => a[0].random - b[0].random);
  const gap = () => ({ height: 5 });
  rows = [
    { height: 34, draw: drawOverview, overview: true },
    { height: 22, draw: drawRuler, ruler: true },
    ...(camera ? [{ height: 48, draw: drawFilm, camera, label: camera.name }] : []), gap(),
    ...lanes.map(events => ({ height: 20, draw: drawLane, events, label: nameOf(events[0]), css: "lane" })), gap(),
    ...drive.bands.map(band => ({ height: 20, draw: drawBand, band, label: band.title })), gap(),
    ...drive.charts.map(lines => ({ height: 45, draw: drawChart, lines, scale: scaleOf(lines) })),
  ];
  $("board").style.flexBasis = `${10 + sum(rows, row => row.height + (row.lines ? ROOMY_PX : 0))}px`;
  stretch();
}

function scaleOf(lines) {
  const low = Math.min(...lines.map(line => line.extent[0])), high = Math.max(...lines.map(line => line.extent[1]));
  return high > low ? [low, high] : [low, low + 1];
}

function stretch() {
  const spare = $("board").clientHeight - 8 - sum(rows, row => row.height);
  const extra = clamp(spare / drive.charts.length, 0, TALLEST_PX);
  let top = 0;
  for (const row of rows) {
    row.top = top;
    row.tall = row.height + (row.lines ? extra : 0);
    top += row.tall;
  }
  canvas.tall = Math.max(top + 8, $("board").clientHeight);
  redraw();
}

function ticks() {
  const wanted = (view[1] - view[0]) * TICKS_PX / plotWidth();
  const unit = STEPS_S.find(step => step >= wanted) ?? STEPS_S.at(-1);
  const first = Math.ceil(view[0] / unit), count = Math.max(0, Math.floor(view[1] / unit) - first + 1);
  return { times: Array.from({ length: count }, (_, place) => (first + place) * unit), unit };
}

function levels(low, high, height) {
  const wanted = (high - low) * Math.max(LEVELS_PX / height, 1 / MOST_LEVELS);
  const power = 10 ** Math.floor(Math.log10(wanted));
  const unit = [1, 2, 5, 10].map(part => part * power).find(part => part >= wanted) ?? 10 * power;
  const first = Math.ceil(low / unit - 1e-9), count = Math.floor(high / unit + 1e-9) - first + 1;
  return Array.from({ length: count }, (_, place) => (first + place) * unit);
}
