// Looking around: which drive, which moment, which stretch of time; by mouse, keyboard and address.
// A moment has an address: #drive=NAME&t=SECONDS.

const SHORTEST_VIEW_S = 0.5, FAR_S = 5, HIT_PX = 7, DRAG_PX = 4;
const drives = [...document.querySelectorAll("script.drive")].map(block => prepared(JSON.parse(block.textContent)));
let remembering = 0;

// ---- one drive and one moment -------------------------------------------------------------------------------------

function openDrive(which) {
  drive = which;
  view = [...drive.span];
  chosen = hover = null;
  pictures.clear();
  const lasts = clock(drive.span[1] - drive.span[0], 0);
  document.title = $("name").textContent = $("name").title = drive.id;
  $("about").textContent = `${drive.recorder} · ${lasts} · ${counted(drive.cameras.length, "camera")}`;
  document.body.classList.toggle("bare", !drive.cameras.length);
  for (const button of $("drives").children) button.setAttribute("aria-current", button.drive === drive);
  listEvents();
  tellFacts();
  hangCameras();
  layOut();
  writeLabels();
}

function look(t, event = null) {
  now = clamp(t, ...drive.span);
  chosen = event;
  if (now < view[0] || now > view[1]) move(now - (view[0] + view[1]) / 2);
  for (const other of drive.events) other.button.setAttribute("aria-current", other === event);
  if (event) {
    event.button.scrollIntoView({ block: "nearest" });
    const severity = `severity ${event.severity.toFixed(2)}`;
    $("said").textContent = `${nameOf(event)} at ${clock(now, 2)}, ${severity}, ${evidenceOf(event)}`;
  }
  for (const line of drive.charts.flat()) line.reading.textContent = figures(valueAt(line, now));
  drive.cameras.forEach(showFrame);
  redraw();
  remember();
}

function showFrame(camera) {
  const place = nearestStill(camera, now), there = place >= 0 && camera.jpeg[place] !== "";
  const at = there ? clock(camera.t_s[place], 2) : "";
  camera.none.hidden = there;
  camera.image.hidden = !there;
  if (there) camera.image.src = addressOf(camera.jpeg[place]);
  camera.image.alt = `camera ${camera.name} at ${at}`;
  camera.seen.textContent = there ? ` · ${at}` : "";
}

function step(direction, far) {
  if (far || !drive.stops.length) return look(now + direction * (far ? FAR_S : (view[1] - view[0]) / 200));
  const at = lastAtOrBefore(drive.stops, now + direction * 1e-6);
  look(drive.stops[direction > 0 ? at + 1 : at] ?? now);
}

function jump(direction) {
  const events = drive.found.length ? drive.found : drive.events;
  const further = event => chosen ? event.place - chosen.place : Math.round((event.t_s - now) * 1e6);
  const next = (direction > 0 ? events : [...events].reverse()).find(event => direction * further(event) > 0);
  if (next) look(next.t_s, next);
}

function remember() {
  clearTimeout(remembering);
  remembering = setTimeout(() => {
    const t = now.toFixed(2), hash = new URLSearchParams(drives.length > 1 ? { drive: drive.id, t } : { t });
    history.replaceState(null, "", `#${hash}`);
  }, 200);
}

function follow() {
  const hash = new URLSearchParams(location.hash.slice(1)), t = parseFloat(hash.get("t"));
  const named = drives.find(({ id }) => id === hash.get("drive"));
  visit(named ?? drive ?? mostSevere(drives.flatMap(({ found }) => found))?.drive ?? drives[0], t);
}

function visit(which, t) {
  if (which !== drive) openDrive(which);
  const severest = mostSevere(drive.found);
  if (Number.isFinite(t)) look(t, drive.events.find(event => Math.abs(event.t_s - t) < 0.006));
  else look(severest?.t_s ?? drive.span[0], severest);
}

// ---- one stretch ---------------------------------------------------------------------------------------------------

function show(start, end) {
  const [first, last] = drive.span, width = clamp(end - start, Math.min(SHORTEST_VIEW_S, last - first), last - first);
  const begin = clamp((start + end - width) / 2, first, last - width);
  view = [begin, begin + width];
  redraw();
}

const move = seconds => show(view[0] + seconds, view[1] + seconds);
const zoom = (factor, t) => show(t - (t - view[0]) * factor, t + (view[1] - t) * factor);
const zoomTo = event => show(...event.window_s);
const whole = () => show(...drive.span);

// ---- mouse and keyboard --------------------------------------------------------------------------------------------

function placeOf({ clientX, clientY }) {
  const frame = canvas.getBoundingClientRect(), y = clientY - frame.top;
  return { x: clientX - frame.left, row: rows.find(row => y >= row.top && y < row.top + row.tall) ?? rows.at(-1) };
}

function eventAt(row, x) {
  const miss = event => Math.max(xOf(event.t_s) - x, x - Math.max(xOf(event.end_s), xOf(event.t_s)));
  const near = (row.events ?? []).filter(event => miss(event) < HIT_PX);
  return near.sort((a, b) => Math.abs(xOf(a.t_s) - x) - Math.abs(xOf(b.t_s) - x))[0] ?? null;
}

function press(pressed) {
  const { x, row } = placeOf(pressed), event = eventAt(row, x);
  if (pressed.button || x < GUTTER) return;
  canvas.setPointerCapture(pressed.pointerId);
  dragging = { row, range: row.ruler || row.overview ? [x, x] : null };
  if (!dragging.range) look(event?.t_s ?? tOf(x), event);
}

function drag(moved) {
  const { x, row } = placeOf(moved);
  hover = x >= GUTTER ? tOf(x) : null;
  if (dragging?.range) dragging.range[1] = clamp(x, GUTTER, GUTTER + plotWidth());
  else if (dragging) look(tOf(x));
  explain(moved, row, x);
  redraw();
}

function release() {
  if (dragging?.range) {
    const span = dragging.row.overview ? drive.span : view, [from, to] = dragging.range;
    if (Math.abs(to - from) > DRAG_PX) show(...[tOf(from, span), tOf(to, span)].sort((a, b) => a - b));
    else look(tOf(from, span));
  }
  dragging = null;
  redraw();
}

function leave() {
  hover = null;
  $("tip").hidden = true;
  redraw();
}

function wheel(turned) {
  const { x } = placeOf(turned), { deltaX, deltaY, shiftKey } = turned;
  if (x < GUTTER) return;
  turned.preventDefault();
  const sideways = shiftKey ? deltaY || deltaX : Math.abs(deltaX) > Math.abs(deltaY) ? deltaX : 0;
  if (sideways) move(sideways / plotWidth() * (view[1] - view[0]));
  else zoom(Math.exp(clamp(deltaY, -200, 200) * 0.002), tOf(x));
}

function explain({ clientX, clientY }, row, x) {
  const tip = $("tip"), [title, ...lines] = dragging || x < GUTTER ? [] : tipOf(row, x);
  tip.hidden = !title;
  if (!title) return;
  tip.replaceChildren();
  add(tip, "b", "", title);
  for (const line of lines) add(tip, "span", "", line);
  const board = $("board"), frame = board.getBoundingClientRect(), left = clientX - frame.left + 14;
  const top = clientY - frame.top + board.scrollTop + 14;
  tip.style.left = `${left + tip.offsetWidth > frame.width - 8 ? left - tip.offsetWidth - 28 : left}px`;
  tip.style.top = `${clamp(top, 0, canvas.tall - tip.offsetHeight - 8)}px`;
}

function tipOf(row, x) {
  const t = tOf(x), event = eventAt(row, x), span = row.band?.spans.find(([start, end]) => t >= start && t <= end);
  if (event) {
    const times = `onset ${clock(event.t_s, 2)}, lasts ${figures(event.end_s - event.t_s)} s`;
    return [nameOf(event), times, `severity ${event.severity.toFixed(2)}`, evidenceOf(event)];
  }
  if (span) return [[row.band.title, span[2]].filter(Boolean).join(" "), `${clock(span[0])} to ${clock(span[1])}`];
  if (!row.lines) return [];
  return [clock(t, 2), ...row.lines.map(line => `${line.name} ${figures(valueAt(line, t))} ${unitOf(line)}`)];
}

const KEYS = {
  n: () => jump(1), p: () => jump(-1), ArrowRight: e => step(1, e.shiftKey), ArrowLeft: e => step(-1, e.shiftKey),
  "+": () => zoom(0.5, now), "=": () => zoom(0.5, now), "-": () => zoom(2, now), 0: whole, Escape: whole,
  z: () => chosen && zoomTo(chosen), Home: () => look(drive.span[0]), End: () => look(drive.span[1]),
};
const BUTTONS = { previous: KEYS.p, next: KEYS.n, out: KEYS["-"], in: KEYS["+"], whole };

function type(pressed) {
  const act = pressed.ctrlKey || pressed.metaKey || pressed.altKey ? null : KEYS[pressed.key];
  if (!act) return;
  pressed.preventDefault();
  act(pressed);
}

// ---- begin ---------------------------------------------------------------------------------------------------------

function begin() {
  for (const [from, ink] of SEVERITIES) {
    const entry = add($("severities"), "span");
    add(entry, "i").style.background = `var(--${ink})`;
    add(entry, "span", "", String(from));
  }
  recolour();
  listDrives();
  follow();
  const listeners = {
    pointerdown: press, pointermove: drag, pointerup: release, pointercancel: release, pointerleave: leave,
    dblclick: e => { const { row, x } = placeOf(e), event = eventAt(row, x); event ? zoomTo(event) : whole(); },
  };
  for (const [name, act] of Object.entries(listeners)) canvas.addEventListener(name, act);
  canvas.addEventListener("wheel", wheel, { passive: false });
  for (const [id, act] of Object.entries(BUTTONS)) $(id).onclick = act;
  document.addEventListener("keydown", type);
  window.addEventListener("hashchange", follow);
  new ResizeObserver(() => { stretch(); writeLabels(); look(now, chosen); }).observe($("board"));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { recolour(); redraw(); });
}

if (drives.length) begin();
