// What stands beside the canvas: the drives, the events, what is known of the recording, cameras, labels.

function add(parent, tag, css = "", text = "") {
  const element = document.createElement(tag);
  if (css) element.className = css;
  element.textContent = text;
  return parent.appendChild(element);
}

function listDrives() {
  $("drives").hidden = drives.length < 2;
  for (const other of drives) {
    const button = add($("drives"), "button"), [start, end] = other.span;
    button.drive = other;
    add(button, "span", "name", other.id).title = other.id;
    add(button, "small", "", `${clock(end - start, 0)} · ${counted(other.found.length, "event")}`);
    const strip = add(button, "span", "strip");
    for (const event of other.found) {
      const mark = add(strip, "i");
      mark.style.left = `${100 * (event.t_s - start) / (end - start)}%`;
      mark.style.background = `var(--${inkOf(event)})`;
    }
    button.onclick = () => visit(other);
  }
}

function listEvents() {
  const random = drive.events.length - drive.found.length;
  const draws = random ? `, ${counted(random, "random draw")}` : "";
  $("count").textContent = counted(drive.found.length, "event") + draws;
  $("events").replaceChildren();
  for (const event of drive.events) {
    const button = event.button = add(add($("events"), "li"), "button", event.random ? "random" : "");
    add(button, "i").style.background = `var(--${inkOf(event)})`;
    add(button, "b", "name", nameOf(event));
    add(button, "time", "", clock(event.t_s, 2));
    add(button, "span", "severity", event.random ? "" : event.severity.toFixed(2));
    if (!event.random) add(button, "small", "", evidenceOf(event));
    button.onclick = () => look(event.t_s, event);
    button.ondblclick = () => zoomTo(event);
  }
}

function tellFacts() {
  const absent = [...grouped(Object.entries(drive.absent), ([, needs]) => needs)].map(([needs, entries]) => {
    const kinds = entries.map(([kind]) => kind).join(", ");
    return kinds === needs ? needs : `${needs} (for ${kinds})`;
  });
  const facts = [
    ...drive.lost.map(line => ["lost", `lost: ${line}`]),
    ...drive.notes.map(line => ["", `note: ${line}`]),
    ...(drive.engagement ? [["", `engaged: ${drive.engagement}`]] : []),
    ...(absent.length ? [["", `absent: ${absent.join("; ")}`]] : []),
  ];
  $("facts").replaceChildren();
  for (const [css, text] of facts) add($("facts"), "li", css, text);
  const frames = sum(drive.cameras, camera => camera.t_s.length), { every_s, left_out } = drive.film;
  const thinned = left_out ? `; ${left_out} more had no room in the page's 20 MB` : "";
  $("pictures").textContent = frames ? `${frames} frames: every ${every_s} s, closer around events${thinned}.` : "";
}

function hangCameras() {
  const count = drive.cameras.length, lines = count > 3 ? 2 : 1;
  $("cameras").replaceChildren();
  $("cameras").style.gridTemplate = `repeat(${lines}, minmax(0, 1fr)) / repeat(${Math.ceil(count / lines) || 1}, auto)`;
  for (const camera of drive.cameras) {
    const figure = add($("cameras"), "figure");
    const image = camera.image = add(figure, "img");
    image.onload = () => { figure.style.aspectRatio = `${image.naturalWidth} / ${image.naturalHeight}`; };
    const first = camera.jpeg.find(jpeg => jpeg !== "");
    if (first) image.src = addressOf(first);
    camera.none = add(figure, "p", "", "no picture here");
    const caption = add(figure, "figcaption");
    add(caption, "bdi", "", camera.name);
    camera.seen = add(caption, "span");
  }
}

function writeLabels() {
  $("labels").replaceChildren();
  for (const row of rows) {
    const label = add($("labels"), "div", row.css ?? "faint");
    label.style.top = `${row.top + row.tall / 2 - (row.lines ? 18 : 9)}px`;
    if (row.lines) writeReadings(row.lines, label);
    else add(label, "span", "name", row.label ?? "");
  }
}

function writeReadings(lines, label) {
  label.className = lines.length > 1 ? "pair" : "";
  for (const line of lines) {
    const entry = add(label, "div");
    add(entry, "span", "", line.name);
    const reading = add(entry, "span");
    line.reading = add(reading, "b");
    line.reading.style.color = `var(--${colourOf(line)})`;
    add(reading, "small", "", ` ${unitOf(line)}`);
  }
}
