"use strict";
// The report's table and pictures. Text from the evidence only ever becomes text nodes and attributes: nothing is parsed
// as markup. A connection is drawn when it is opened, and the table holds the rows in view alone.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  // The order of pack.py's rows.
  const FIELDS = ["number", "source", "client", "server", "start", "duration", "version", "suite", "sni", "alpn",
    "verdict", "evidenceAt", "alert", "ladder", "places", "times", "clientChain", "serverChain", "marks", "judged", "own",
    "remarks", "request", "notes", "facts", "clocks"];
  const AT = Object.fromEntries(FIELDS.map((name, place) => [name, place]));
  const ENDINGS = {server: "refused by the server", client: "refused by the client", failed: "failed otherwise",
    incomplete: "incomplete", not_tls: "not TLS", established: "established"};
  const NONE = "none";
  const AROUND = 12;          // rows drawn above and below those in view
  const MOST_OPEN = 50;       // connections that are opened at once
  const MOST_PRINTED = 1000;  // rows that are printed
  const many = data.connections.length;
  const own = (i, name) => data.connections[i][AT[name]] ?? null;
  const word = (i, name) => { const at = own(i, name); return at === null ? null : data.words[at]; };
  const verdict = (i) => data.verdicts[own(i, "verdict")];
  const endingOf = (told) => told.outcome === "failed" ? told.refused_by || "failed" : told.outcome;
  const numbers = new Intl.NumberFormat("en");

  // ---- elements

  const SVG = "http://www.w3.org/2000/svg";
  function made(element, attributes, inside) {
    for (const [name, value] of Object.entries(attributes || {})) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value);
    }
    for (const one of inside) if (one !== null && one !== undefined && one !== "") element.append(one);
    return element;
  }
  const h = (name, attributes, ...inside) => made(document.createElement(name), attributes, inside);
  const s = (name, attributes, ...inside) => made(document.createElementNS(SVG, name), attributes, inside);
  const id = (name) => document.getElementById(name);

  const pen = document.createElement("canvas").getContext("2d");
  const fonts = {plain: "13px", small: "12px", bold: "600 13px"};
  const family = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif";
  function wide(text, font = "plain") { pen.font = `${fonts[font]} ${family}`; return pen.measureText(text).width; }
  function fitted(text, room, font = "plain") {
    if (wide(text, font) <= room) return text;
    let end = Math.max(1, Math.floor(text.length * room / wide(text, font)));
    while (end > 1 && wide(text.slice(0, end) + "…", font) > room) end -= 1;
    return text.slice(0, end) + "…";
  }

  // ---- times

  const pad = (number, digits = 2) => String(number).padStart(digits, "0");
  function iso(micros) {
    const moment = new Date(Math.floor(micros / 1000));
    return Number.isNaN(moment.getTime()) ? String(micros) : moment.toISOString().slice(0, 19);
  }
  const day = (micros) => iso(micros).slice(0, 10);
  const clockTime = (micros) => `${iso(micros).replace("T", " ")}.${pad(((micros % 1e6) + 1e6) % 1e6, 6).slice(0, 3)}`;
  function lasted(micros) {
    if (micros < 1e6) return `${Math.round(micros / 100) / 10} ms`;
    const seconds = micros / 1e6;
    return seconds < 120 ? `${Math.round(seconds * 10) / 10} s` : `${Math.floor(seconds / 60)} min`;
  }
  const DAY = 86400e6;
  function span(micros) {
    const days = Math.floor(micros / DAY);
    if (days >= 3 * 365) return `${Math.round(days / 365.25)} years`;
    if (days >= 2) return `${days} days`;
    const hours = Math.floor(micros / 3600e6);
    return hours >= 2 ? `${hours} hours` : `${Math.floor(micros / 60e6)} minutes`;
  }
  const micros = (text) => text ? Date.parse(text) * 1000 : null;

  // ---- the table: which rows, in which order

  const severalSources = new Set(data.connections.map((row) => row[AT.source])).size > 1;
  const days = new Set(data.connections.map((row) => row[AT.start] === null ? "" : day(row[AT.start])));
  const oneDay = days.size === 1;
  const COLUMNS = [
    {name: "number", head: "#", key: (i) => own(i, "source") * 1e9 + own(i, "number")},
    ...(severalSources ? [{name: "source", head: "File", key: (i) => word(i, "source")}] : []),
    {name: "start", head: oneDay ? "At (UTC)" : "Started (UTC)", key: (i) => own(i, "start") ?? -1},
    {name: "client", head: "Client", key: (i) => word(i, "client") || ""},
    {name: "server", head: "Server", key: (i) => word(i, "server") || ""},
    {name: "version", head: "TLS", key: (i) => word(i, "version") || ""},
    {name: "ending", head: "Outcome", key: (i) => Object.keys(ENDINGS).indexOf(endingOf(verdict(i)))},
    {name: "alert", head: "Alert", key: (i) => word(i, "alert") || "\uffff"},
    {name: "cause", head: "Cause", key: (i) => verdict(i).cause || "\uffff"},
  ];
  const VALUES = {
    ending: (i) => endingOf(verdict(i)),
    alert: (i) => word(i, "alert") || NONE,
    cause: (i) => verdict(i).cause || (verdict(i).outcome === "failed" ? "undecided" : NONE),
    server: (i) => word(i, "server") || NONE,
  };
  const chosen = {text: "", ending: "", alert: "", cause: "", server: ""};
  const order = {column: COLUMNS[0], down: false};
  const opened = new Map();  // number in the report: the height of its details, once measured
  let view = [];
  let at = 0;                // the row that the keyboard is on
  let haystack = null;

  function searchable(i) {
    if (haystack === null) haystack = new Array(many);
    if (haystack[i] === undefined) {
      const told = verdict(i);
      const names = [...(own(i, "clientChain") || []), ...(own(i, "serverChain") || [])]
        .map((one) => `${data.certificates[one].subject} ${data.certificates[one].subject_alt_names.join(" ")}`);
      haystack[i] = [`#${own(i, "number")}`, word(i, "source"), word(i, "client"), word(i, "server"), word(i, "sni"),
        word(i, "version"), word(i, "suite"), word(i, "alpn"), word(i, "alert"), told.cause, ENDINGS[endingOf(told)],
        told.summary, ...names].join("\n").toLowerCase();
    }
    return haystack[i];
  }

  function passes(i, leaving) {
    for (const name of ["ending", "alert", "cause", "server"]) {
      if (name !== leaving && chosen[name] && VALUES[name](i) !== chosen[name]) return false;
    }
    return chosen.text === "" || chosen.text.split(/\s+/).every((part) => searchable(i).includes(part));
  }

  function choose() {
    view = [];
    for (let i = 0; i < many; i += 1) if (passes(i)) view.push(i);
    const keys = new Array(many);
    for (const i of view) keys[i] = order.column.key(i);
    const sign = order.down ? -1 : 1;
    view.sort((a, b) => keys[a] < keys[b] ? -sign : keys[a] > keys[b] ? sign : a - b);
    at = Math.min(at, Math.max(view.length - 1, 0));
    const all = `${numbers.format(many)} ${many === 1 ? "connection" : "connections"}`;
    id("count").textContent = view.length === many ? all : `${numbers.format(view.length)} of ${all}`;
    draw(true);
  }

  function offer() {
    for (const name of ["ending", "alert", "cause", "server"]) {
      const counts = new Map();
      for (let i = 0; i < many; i += 1) {
        const value = VALUES[name](i);
        counts.set(value, (counts.get(value) || 0) + 1);
      }
      const list = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, 500);
      id(name).replaceChildren(h("option", {value: ""}, "any"), ...list.map(([value, count]) =>
        h("option", {value}, `${name === "ending" ? ENDINGS[value] : value} (${numbers.format(count)})`)));
      id(name).addEventListener("change", () => { chosen[name] = id(name).value; choose(); });
    }
  }

  // ---- the table: what of it is drawn

  const table = id("table");
  const body = table.tBodies[0];
  let rowHeight = 0;
  let drawn = "";
  let whole = false;  // while it is printed

  function heads() {
    const row = table.tHead.rows[0];
    row.replaceChildren(...COLUMNS.map((column) => {
      const sorted = order.column === column;
      return h("th", {scope: "col", class: column.name, "aria-sort": sorted ? (order.down ? "descending" : "ascending") : null},
        h("button", {type: "button", onclick: () => {
          order.down = sorted ? !order.down : false;
          order.column = column;
          heads();
          choose();
          row.querySelector(`.${column.name} button`).focus();
        }}, column.head, h("span", {"aria-hidden": "true", class: "sorted"}, sorted ? (order.down ? " ↓" : " ↑") : "")));
    }));
  }

  function measure() {
    if (!view.length) return;
    body.replaceChildren(upToDate(summaryRow(view[0]), view[0], 0));
    rowHeight = body.firstChild.getBoundingClientRect().height || 36;
    drawn = "";
  }

  // Heights of opened rows above a place: there are few of them.
  function extras() {
    const found = [];
    view.forEach((i, place) => { if (opened.has(i)) found.push([place, opened.get(i)]); });
    return found;
  }
  let openPlaces = [];
  const top = (place) => openPlaces.reduce((sum, [at, height]) => at < place ? sum + height : sum, place * rowHeight);

  function placeAt(pixels) {
    let low = 0, high = view.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (top(middle + 1) <= pixels) low = middle + 1; else high = middle;
    }
    return low;
  }

  function draw(anew) {
    if (!rowHeight) measure();
    if (anew) { openPlaces = extras(); drawn = ""; }
    let first = 0, last = Math.min(view.length, MOST_PRINTED);
    if (!whole) {
      const above = -body.getBoundingClientRect().top;
      first = Math.max(0, placeAt(Math.max(above, 0)) - AROUND);
      last = Math.min(view.length, placeAt(Math.max(above + window.innerHeight, 0)) + 1 + AROUND);
    }
    const mark = `${first}-${last}-${whole}`;
    if (mark === drawn) return;
    drawn = mark;
    const held = document.activeElement && document.activeElement.closest("#table button.row");
    const had = held ? held.dataset.i : null;
    const there = (class_) => new Map([...body.querySelectorAll(`tr.${class_}`)].map((row) => [Number(row.dataset.i), row]));
    const summaries = there("row"), details = there("details");
    const rows = [];
    if (first > 0) rows.push(h("tr", {class: "space", "aria-hidden": "true"}, spacer(top(first))));
    for (let place = first; place < last; place += 1) {
      const i = view[place];
      rows.push(upToDate(summaries.get(i) || summaryRow(i), i, place));
      if (opened.has(i)) rows.push(details.get(i) || detailsRow(i));
    }
    const below = whole ? 0 : top(view.length) - top(last);
    if (below > 0) rows.push(h("tr", {class: "space", "aria-hidden": "true"}, spacer(below)));
    if (!view.length) rows.push(h("tr", {class: "nothing"}, h("td", {colspan: COLUMNS.length}, "No connection is like that.")));
    if (whole && last < view.length) {
      rows.push(h("tr", {class: "nothing"}, h("td", {colspan: COLUMNS.length},
        `${numbers.format(view.length - last)} more connections are not printed.`)));
    }
    // Rows that stay are not touched: they keep the focus, and what is selected in them.
    const stay = new Set(rows);
    for (const row of [...body.children]) if (!stay.has(row)) row.remove();
    let next = body.firstChild;
    for (const row of rows) {
      if (row === next) next = next.nextSibling; else body.insertBefore(row, next);
    }
    table.setAttribute("aria-rowcount", String(view.length + 1));
    if (had !== null && !held.isConnected) body.querySelector(`button.row[data-i="${had}"]`)?.focus({preventScroll: true});
    settle();
  }

  function spacer(height) {
    const cell = h("td", {colspan: COLUMNS.length});
    cell.style.height = `${height}px`;
    return cell;
  }

  // Opened rows have the height that they have: it is known once they are drawn.
  function settle() {
    let changed = false;
    for (const row of body.querySelectorAll("tr.details")) {
      const height = row.getBoundingClientRect().height;
      const i = Number(row.dataset.i);
      if (Math.abs((opened.get(i) || 0) - height) > 1) { opened.set(i, height); changed = true; }
    }
    if (changed) openPlaces = extras();
  }

  // What changes of a row: its place, whether it is open, and whether it is where the Tab key leads.
  function upToDate(row, i, place) {
    const isOpen = opened.has(i), button = row.querySelector("button.row");
    row.classList.toggle("open", isOpen);
    row.setAttribute("aria-rowindex", String(place + 2));
    button.setAttribute("aria-expanded", String(isOpen));
    button.setAttribute("tabindex", place === at ? "0" : "-1");
    return row;
  }

  function summaryRow(i) {
    const told = verdict(i);
    const kind = endingOf(told);
    const begun = own(i, "start");
    const cell = (name, ...inside) => h("td", {class: name, role: "cell"}, ...inside);
    // What a narrow window cuts off is told on pointing at it.
    const whole_ = (name, text, ...inside) => h("td", {class: name, role: "cell", title: text || null}, ...inside);
    const number = `#${own(i, "number")}`;
    const alert = (word(i, "alert") || "").replace(/^fatal /, "");
    const cause = told.cause && told.cause !== "normal_close" ? told.cause : kind === "established" ? "" : told.cause || "undecided";
    const sni = word(i, "sni");
    return h("tr", {class: `row ${kind}`, role: "row", "data-i": i, onclick: (event) => {
      if (!event.target.closest("button") && !String(window.getSelection())) toggle(i);
    }},
      cell("number", h("button", {type: "button", class: "row", "data-i": i,
        onclick: () => { at = view.indexOf(i); toggle(i); }, onfocus: () => { at = view.indexOf(i); },
        "aria-label": `Connection ${own(i, "number")}${severalSources ? ` of ${word(i, "source")}` : ""}: ${told.summary}`},
        h("span", {class: "turn", "aria-hidden": "true"}, "▸"), number)),
      severalSources ? cell("source", h("span", {title: word(i, "source")}, word(i, "source").split("/").pop())) : null,
      cell("start", begun === null ? "" : h("time", {datetime: `${iso(begun)}Z`, title: `${clockTime(begun)} UTC`}, clockTime(begun).slice(oneDay ? 11 : 0, severalSources && !oneDay ? 16 : undefined))),
      whole_("client", word(i, "client"), word(i, "client") || "?"),
      whole_("server", [word(i, "server") || "?", sni].filter(Boolean).join(" "), word(i, "server") || "?", sni ? h("span", {class: "sni"}, ` ${sni}`) : null),
      cell("version", word(i, "version") || "–"),
      cell("ending", h("span", {class: "sign", "aria-hidden": "true"}), ENDINGS[kind]),
      whole_("alert", alert, alert),
      whole_("cause", cause, cause));
  }

  function toggle(i, wanted) {
    const isOpen = opened.has(i);
    if (wanted === isOpen) return;
    if (isOpen) opened.delete(i); else opened.set(i, 0);
    const row = body.querySelector(`tr.details[data-i="${i}"]`);
    if (row) row.remove();
    draw(true);
  }

  function go(place) {
    if (!view.length) return;
    at = Math.max(0, Math.min(view.length - 1, place));
    const from = body.getBoundingClientRect().top + window.scrollY + top(at);
    const header = table.tHead.getBoundingClientRect().height;
    if (from - header < window.scrollY) window.scrollTo({top: from - header - 8});
    else if (from + rowHeight > window.scrollY + window.innerHeight) window.scrollTo({top: from + rowHeight - window.innerHeight + 8});
    draw(true);
    const button = body.querySelector(`button.row[data-i="${view[at]}"]`);
    if (button) button.focus({preventScroll: true});
  }

  // ---- one connection

  function detailsRow(i) {
    const cell = h("td", {colspan: COLUMNS.length});
    const row = h("tr", {class: "details", "data-i": i}, cell);
    const told = verdict(i);
    const panel = h("div", {class: "said", "aria-live": "polite"});
    const picture = h("figure", {class: "picture", "aria-label": "Handshake"});
    let scale = "even";
    const point = drawLadder;
    const redraw = () => {
      const room = Math.max(360, Math.min(760, picture.clientWidth || 720));
      picture.querySelector("svg.ladder")?.remove();
      picture.append(point(i, room, scale, panel));
      settle();
    };
    const toScale = h("button", {type: "button", class: "scale", "aria-pressed": "false", onclick: () => {
      scale = scale === "even" ? "time" : "even";
      toScale.setAttribute("aria-pressed", String(scale === "time"));
      redraw();
    }}, "Time to scale");
    picture.append(h("figcaption", {}, h("h4", {}, "Handshake"), toScale));
    cell.append(h("section", {class: "connection", "aria-label": `Connection ${own(i, "number")}`},
      h("p", {class: "sentence"}, told.summary),
      factList(i),
      h("div", {class: "columns"}, h("div", {class: "left"}, picture, panel), h("div", {class: "right"}, evidence(i, row), timelineFigure(i))),
      cards(i)));
    requestAnimationFrame(redraw);
    return row;
  }

  function factList(i) {
    const facts = {...(data.others[own(i, "facts")] || {})};
    const list = [["started", own(i, "start") === null ? null : `${clockTime(own(i, "start"))} UTC`], ["TLS", word(i, "version")], ["cipher suite", word(i, "suite")], ["server name", word(i, "sni")],
      ["ALPN", word(i, "alpn")], ["before TLS", facts.protocol], ["over", facts.transport], ["resumed", facts.resumed],
      ["lasted", own(i, "duration") === null ? null : lasted(own(i, "duration"))],
      ["JA3", facts.ja3], ["JA3S", facts.ja3s], ["JA4", facts.ja4], ["file", severalSources ? word(i, "source") : null]];
    const clocks = own(i, "clocks");
    if (clocks) ["server’s clock", "client’s clock"].forEach((name, side) => {
      const clock = clocks[side];
      if (clock && clock[3] >= 0.1) list.push([name, `${clockTime(clock[0]).slice(0, 19)} (${clock[1]}${skew(clock[2])})`]);
    });
    return h("dl", {class: "list"}, ...list.filter(([, value]) => value).map(([name, value]) =>
      h("div", {}, h("dt", {}, name), h("dd", {}, value))));
  }

  const skew = (seconds) => Math.abs(seconds) < 90 ? "" : `, ${span(Math.abs(seconds) * 1e6)} ${seconds < 0 ? "behind" : "ahead of"} the capture`;

  function evidence(i, row) {
    const told = verdict(i);
    const places = own(i, "evidenceAt") || [];
    const unit = data.ladders[own(i, "ladder")][3];
    const steps = own(i, "places") || [];
    const say = (text, place) => {
      if (place === null || place === undefined) return h("li", {}, text);
      const there = steps.lastIndexOf(place);
      const name = `${unit} ${place}`;
      return h("li", {}, text, " ", there < 0 ? h("span", {class: "dim"}, `(${name})`) : h("button", {type: "button", class: "link",
        "aria-label": `Show ${name} in the handshake`, onclick: () => light(row, place)}, name));
    };
    const seen = told.says.map((text, n) => [text, places[n]]).filter(([, place]) => place !== null && place !== undefined);
    const known = told.says.filter((text, n) => places[n] === null || places[n] === undefined);
    const notes = own(i, "notes") === null ? [] : data.others[own(i, "notes")];
    const percent = (share) => share > 0 && share < 0.005 ? "<1 %" : `${Math.round(share * 100)} %`;
    const part = (title, class_, ...items) => items.length ? h("div", {class: class_}, h("h4", {}, title), h("ul", {}, ...items)) : null;
    const cause = told.cause && told.cause !== "normal_close" ? h("p", {class: "cause"}, h("code", {}, told.cause), ` ${percent(told.confidence)} certain`,
      told.at_fault ? h("span", {}, ` · at fault: ${told.at_fault}`) : null,
      told.alternatives.length ? h("span", {class: "dim"}, ` · or ${told.alternatives.map(([name, share]) => `${name} ${percent(share)}`).join(", ")}`) : null) : null;
    return h("div", {class: "evidence"},
      part("What to do", "do", ...told.advice.map((text) => h("li", {}, text))),
      part("Seen", "seen", ...seen.map(([text, place]) => say(text, place))),
      part("Known", "known", ...known.map((text) => h("li", {}, text))),
      cause,
      part("Notes", "notes", ...notes.map((text) => h("li", {}, text))));
  }

  // Show where in the ladder a piece of evidence stands.
  function light(row, place) {
    for (const step of row.querySelectorAll(".step.lit")) step.classList.remove("lit");
    let first = null;
    for (const step of row.querySelectorAll(`.step[data-at="${place}"]`)) {
      step.classList.add("lit");
      first = first || step;
    }
    if (!first) return;
    const target = [...row.querySelectorAll(`.step[data-at="${place}"] .point-at`)].pop();
    if (target) target.focus({preventScroll: true});
    const box = first.getBoundingClientRect();
    if (box.top < 60 || box.bottom > window.innerHeight) window.scrollBy({top: box.top - window.innerHeight / 3});
  }

  // ---- the ladder

  const CLASSES = {alert: "alert", warn: "caution", dim: "quiet"};
  const LINE = 18, GUTTER = 108, MARGIN = 22, TOP = 44, BEFORE = 12, STRETCH = 90;

  function drawLadder(i, width, scale, panel) {
    const [steps, skipped, head, unit] = data.ladders[own(i, "ladder")];
    const places = own(i, "places") || [], times = own(i, "times") || [];
    const remarks = new Map((own(i, "remarks") || []).map(([step, text, style]) => [step, [text, style]]));
    const mine = new Map((own(i, "own") || []).map(([step, label, fields]) => [`${step}.${label}`, fields]));
    const client = GUTTER, server = width - MARGIN, room = server - client - 28;
    const known = times.filter((time) => time !== null && time !== undefined);
    const least = known.length ? Math.min(...known) : 0;
    const most = known.length ? Math.max(...known) : 0;
    const decimals = most < 10000 ? 1 : 0;
    const drawing = s("svg", {class: "tlsalert-picture ladder", role: "group", width,
      "aria-label": `Handshake of connection ${own(i, "number")}: ${steps.length} steps`});
    const layer = s("g");
    const targets = [];
    let y = TOP;
    steps.forEach(([kind, sender, style, labels], n) => {
      const left = sender === 0, x = left ? client + 14 : server - 14, anchor = left ? null : "end";
      const height = BEFORE + LINE * labels.length;
      if (skipped && n === head) {
        layer.append(s("text", {x: (client + server) / 2, y: y + 12, class: "dim small", "text-anchor": "middle"}, `… ${skipped} more steps …`));
        y += LINE;
      }
      if (scale === "time" && most > least && times[n] !== null) {
        y = Math.max(y, TOP + STRETCH * steps.length * (times[n] - least) / (most - least) - height);
      }
      const arrow = y + height;
      const group = s("g", {class: `step ${CLASSES[style] || ""}`, "data-at": places[n]});
      group.append(s("rect", {class: "ground", x: 4, y: y + 5, width: width - 8, height: height + 5, rx: 5}));
      if (places[n]) group.append(s("text", {x: client - 58, y: arrow + 4, class: "dim small", "text-anchor": "end"}, String(places[n])));
      if (times[n] !== null && times[n] !== undefined) {
        group.append(s("text", {x: client - 14, y: arrow + 4, class: "dim small", "text-anchor": "end"}, (times[n] / 1000).toFixed(decimals)));
      }
      labels.forEach(([text, remark, size, encrypted, ref], m) => {
        const base = y + BEFORE + LINE * m + 10;
        const side = left ? "client" : "server";
        const fields = {...(ref === null || ref === undefined ? {} : data.fields[ref]), ...(mine.get(`${n}.${m}`) || {})};
        const subject = {text, side, size, encrypted, fields, remark, where: places[n] ? `${unit} ${places[n]}` : "", time: times[n]};
        const target = s("g", {class: "point-at", tabindex: targets.length ? "-1" : "0", role: "button",
          "aria-label": `${side}, ${subject.where}: ${text}${remark ? `, ${remark}` : ""}`});
        if (kind === "alert" && style === "alert") {
          const plain = alertWords(text, room - 14), plate = wide(plain, "bold") + 14;
          target.append(s("rect", {class: "plate", x: left ? x - 2 : x + 2 - plate, y: base - 14, width: plate, height: 19, rx: 4}),
            s("text", {x: left ? x + 5 : x - 5, y: base, class: "on", "text-anchor": anchor}, plain));
        } else {
          const plain = fitted(text, room), left_ = room - wide(plain) - 10;
          const look = {alert: "bad", warn: "warn", dim: "dim"}[style] || "";
          const hit = Math.min(room, wide(plain) + (remark ? Math.min(left_, wide(remark, "small") + 6) : 0)) + 10;
          target.append(s("rect", {class: "hit", x: left ? x - 5 : x + 5 - hit, y: base - 13, width: hit, height: 17, rx: 3}),
            s("text", {x, y: base, "text-anchor": anchor}, s("tspan", {class: look}, plain),
              remark && left_ > 60 ? s("tspan", {class: "dim small"}, ` ${fitted(remark, left_, "small")}`) : null));
        }
        const show = () => tell(panel, subject);
        target.addEventListener("mouseenter", () => { if (!panel.dataset.kept) show(); });
        target.addEventListener("focus", () => {
          panel.dataset.kept = "yes";
          for (const other of targets) other.setAttribute("tabindex", other === target ? "0" : "-1");
          show();
        });
        target.addEventListener("blur", () => { delete panel.dataset.kept; });
        target.addEventListener("click", () => target.focus({preventScroll: true}));
        targets.push(target);
        group.append(target);
      });
      group.append(...arrowOf(left ? client : server, left ? server : client, arrow, style === "alert" ? 7 : 5));
      y += height;
      const remark = remarks.get(n);
      if (remark) {
        group.append(s("text", {x, y: arrow + 15, "text-anchor": anchor, class: `${remark[1] === "dim" ? "dim" : "warn"} small`}, fitted(remark[0], room, "small")));
        y += LINE;
      }
      layer.append(group);
    });
    if (!steps.length) layer.append(s("text", {x: (client + server) / 2, y: TOP + LINE, class: "dim", "text-anchor": "middle"}, "no handshake message was seen"));
    const height = y + 18;
    const end = (x, side, address, anchor) => s("text", {x, y: 26, "text-anchor": anchor}, s("tspan", {class: "head"}, side),
      s("tspan", {class: "dim"}, ` ${fitted(address || "", room / 2 - 60)}`));
    drawing.append(
      s("text", {x: client - 58, y: 26, class: "dim small", "text-anchor": "end"}, unit),
      s("text", {x: client - 14, y: 26, class: "dim small", "text-anchor": "end"}, "+ms"),
      end(client - 6, "client", word(i, "client"), null), end(server + 6, "server", word(i, "server"), "end"),
      s("path", {class: "rail", d: `M${client} 34V${height - 8}M${server} 34V${height - 8}`}), layer);
    drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
    drawing.addEventListener("keydown", (event) => {
      const here = targets.indexOf(document.activeElement);
      const to = {ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: targets.length - 1}[event.key];
      if (here < 0 || to === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      targets[Math.max(0, Math.min(targets.length - 1, to))]?.focus();
    });
    const worst = targets.find((target) => target.closest(".step.alert")) || targets[0];
    if (!panel.firstChild && worst) panel.append(h("p", {class: "dim"}, "Point at a message, or move through them with the arrow keys, to read its fields."));
    return drawing;
  }

  // The alert's name and number matter more than the words before them.
  function alertWords(text, room) {
    const forms = [text, text.replace(/^ALERT /, ""), text.replace(/^ALERT \w+ (?=\w)/, "")];
    return forms.find((form) => wide(form, "bold") <= room) ?? fitted(forms[2], room, "bold");
  }

  function arrowOf(from, to, y, size) {
    const back = to > from ? -1 : 1, tip = to + back * 2, neck = tip + back * size * 1.8;
    return [s("path", {class: "arrow", d: `M${from} ${y}H${neck}`}), s("path", {class: "tip", d: `M${tip} ${y}L${neck} ${y - size}V${y + size}Z`})];
  }

  // What a message says, as a list of names and values, and lists within.
  function tell(panel, subject) {
    const about = [`from the ${subject.side}`, subject.where, subject.size === null ? "" : `${numbers.format(subject.size)} bytes`,
      subject.encrypted ? "encrypted" : "", subject.time === null || subject.time === undefined ? "" : `+${(subject.time / 1000).toFixed(1)} ms`];
    panel.replaceChildren(h("h4", {}, subject.text), h("p", {class: "dim"}, about.filter(Boolean).join(" · ")),
      subject.remark ? h("p", {}, subject.remark) : "", fieldList(subject.fields) || "");
  }

  function empty(value) {
    return value === null || value === "" || (typeof value === "object" && !Object.keys(value).length);
  }
  function fieldList(fields) {
    const rows = Object.entries(fields).filter(([, value]) => !empty(value));
    return rows.length ? h("dl", {class: "fields"}, ...rows.map(([name, value]) =>
      h("div", {}, h("dt", {}, name.replaceAll("_", " ")), h("dd", {}, fieldValue(value))))) : null;
  }
  function fieldValue(value) {
    if (Array.isArray(value)) {
      if (value.every((one) => typeof one !== "object" || one === null)) return value.join(", ");
      return h("ul", {}, ...value.map((one) => h("li", {}, typeof one === "object" && one !== null ? oneValue(one) : String(one))));
    }
    return typeof value === "object" ? fieldList(value) || "" : String(value);
  }
  function oneValue(value) {
    if (!Array.isArray(value) && "name" in value && "type" in value) {
      const {name, type, length, value: inside, ...rest} = value;
      const told = inside === undefined || inside === null ? "" : fieldValue(inside);
      return h("span", {}, h("b", {}, name), " ", told, Object.values(rest).every(empty) ? "" : fieldList(rest));
    }
    return fieldValue(value);
  }

  // ---- the validity timeline

  const EDGE = 14, BAR = 14, ROW = 44, HEADROOM = 24, BELOW = 16, STUB = 4;

  function timelineFigure(i) {
    const marks = (own(i, "marks") || []).map(([name, time, kind, judge]) => ({name, time, kind, judge: Boolean(judge)}));
    const bars = [];
    const seen = new Set();
    for (const [side, chain] of [["client", own(i, "clientChain")], ["server", own(i, "serverChain")]]) {
      for (const ref of chain || []) {
        const one = data.certificates[ref];
        if (seen.has(ref) || !one.not_before || !one.not_after) continue;
        seen.add(ref);
        bars.push({name: `${side}: ${commonName(one.subject)}`, first: micros(one.not_before), last: micros(one.not_after), judged: ref === own(i, "judged")});
      }
    }
    if (!bars.length) return null;
    bars.sort((a, b) => b.judged - a.judged);
    const figure = h("figure", {class: "validity", "aria-label": "Validity against the clocks"}, h("figcaption", {}, h("h4", {}, "Validity against the clocks")));
    requestAnimationFrame(() => {
      figure.append(drawTimeline(bars.slice(0, 8), marks, Math.max(320, Math.min(760, figure.clientWidth || 560))));
      if (bars.length > 8) figure.append(h("p", {class: "dim"}, `${bars.length - 8} more certificates are below.`));
      settle();
    });
    return figure;
  }

  function miss(bar, mark) {
    if (mark.time < bar.first) return [mark.time, bar.first, `not valid for another ${span(bar.first - mark.time)}`];
    if (mark.time > bar.last) return [bar.last, mark.time, `expired ${span(mark.time - bar.last)} ago`];
    return null;
  }

  // A vertical line that leaves out the words in its way.
  function lineAround(x, from, to, taken) {
    let path = "", at = from;
    const hit = taken.filter(([left, right]) => left - 2 < x && x < right + 2).sort((a, b) => a[2] - b[2]);
    for (const [, , top_, bottom] of hit) {
      if (bottom <= at || top_ >= to) continue;
      if (top_ - at > STUB) path += `M${x} ${at}V${top_}`;
      at = bottom;
    }
    return at < to ? `${path}M${x} ${at}V${to}` : path;
  }

  function drawTimeline(bars, marks, width) {
    const dates = [...new Set([...marks.map((one) => one.time), ...bars.flatMap((bar) => [bar.first, bar.last])])].sort((a, b) => a - b);
    const left = EDGE + 8, right = width - EDGE - 8, whole_ = dates.at(-1) - dates[0] || 1;
    // Certificates that begin or end within two days of each other are shown as if at once; a clock always shows.
    const clocks = new Set(marks.map((one) => one.time));
    let gaps = 0;
    const before = dates.map((date, n) => {
      if (n && (date - dates[n - 1] >= 2 * 86400e6 || clocks.has(date) || clocks.has(dates[n - 1]))) gaps += 1;
      return gaps;
    });
    const least = Math.min(26, 0.4 * (right - left) / Math.max(gaps, 1));
    const points = dates.map((date, n) => [date, left + least * before[n] + (right - left - least * gaps) * ((date - dates[0]) / whole_)]);
    const x = (time) => {
      for (let n = 1; n < points.length; n += 1) {
        const [a, from] = points[n - 1], [b, to] = points[n];
        if (time >= a && time <= b) return from + (to - from) * (time - a) / (b - a);
      }
      return time <= points[0][0] ? points[0][1] : points.at(-1)[1];
    };
    const gapsOf = (bar) => bar.judged ? marks.filter((mark) => mark.judge).map((mark) => miss(bar, mark)).filter(Boolean) : [];
    const inside = (gap) => wide(gap[2], "small") + 8 < x(gap[1]) - x(gap[0]);
    let bottom = HEADROOM;
    const tops = bars.map((bar) => { const top_ = bottom + 18; bottom += ROW + (gapsOf(bar).every(inside) ? 0 : BELOW); return top_; });
    const drawing = s("svg", {class: "tlsalert-picture timeline", role: "img", width});
    const words = [];
    const [firstYear, lastYear] = [dates[0], dates.at(-1)].map((date) => Number(iso(date).slice(0, 4)));
    const years = (step) => {
      const found = [];
      for (let year = Math.ceil((firstYear + 1) / step) * step; year <= lastYear; year += step) {
        const place = x(micros(`${pad(year, 4)}-01-01T00:00:00Z`));
        if (place > EDGE + 14 && place < width - EDGE - 14) found.push([year, place]);
      }
      return found;
    };
    const apart = (found) => found.every(([, place], n) => n === 0 || place - found[n - 1][1] >= 44);
    for (const [year, place] of [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000].map(years).find(apart) || []) {
      drawing.append(s("path", {class: "tick", d: `M${place} ${HEADROOM - 6}V${bottom - 8}`}),
        s("text", {x: place, y: 12, class: "dim small", "text-anchor": "middle"}, String(year)));
    }
    bars.forEach((bar, n) => {
      const group = s("g", {class: bar.judged ? "bar judged" : "bar"});
      for (const gap of gapsOf(bar)) group.append(s("rect", {class: "missed", x: x(gap[0]), y: tops[n], width: Math.max(x(gap[1]) - x(gap[0]), 1), height: BAR}));
      group.append(s("rect", {class: "valid", x: x(bar.first), y: tops[n], width: Math.max(x(bar.last) - x(bar.first), 2), height: BAR, rx: 3}));
      drawing.append(group);
      words.push(`${bar.name} is valid from ${day(bar.first)} to ${day(bar.last)}`);
    });
    const taken = [];  // what stands where: left, right, top, bottom
    const names = bars.map((bar, n) => {
      const dated = `${day(bar.first)} to ${day(bar.last)}`, font = bar.judged ? "bold" : "plain";
      const name = fitted(bar.name, width - 2 * EDGE - wide(dated, "small") - 24, font);
      const size = wide(name, font) + wide(dated, "small") + 12;
      const from = Math.max(Math.min(x(bar.first), width - EDGE - size - 8), EDGE);
      taken.push([from, from + size, tops[n] - 17, tops[n] - 1]);
      const found = [s("text", {class: "halo", x: from, y: tops[n] - 5},
        s("tspan", {class: bar.judged ? "head" : null}, name), s("tspan", {class: "dim small"}, `   ${dated}`))];
      for (const gap of gapsOf(bar)) {
        const [begin, end] = [x(gap[0]), x(gap[1])], size_ = wide(gap[2], "small");
        const above = tops[n] + BAR + 3, below = above + 14;
        if (inside(gap)) {
          found.push(s("text", {x: (begin + end) / 2, y: tops[n] + BAR - 3, "text-anchor": "middle", class: "bad small"}, gap[2]));
        } else if ((gap[0] === bar.last ? end : begin) < width / 2) {  // the words stand at the clock's line
          found.push(s("text", {x: begin + 8, y: below - 3, class: "bad small halo"}, gap[2]));
          taken.push([begin + 8, begin + 8 + size_, above, below]);
        } else {
          found.push(s("text", {x: end - 8, y: below - 3, "text-anchor": "end", class: "bad small halo"}, gap[2]));
          taken.push([end - 8 - size_, end - 8, above, below]);
        }
      }
      return found;
    });
    const rows = [], labels = [], lines = [];
    for (const mark of marks) {
      const out = mark.judge && bars.some((bar) => gapsOf(bar).length > 0);
      const others = dates.some((date) => date !== mark.time && day(date) === day(mark.time));
      const text = `${mark.name} ${others ? iso(mark.time).slice(0, 16).replace("T", " ") : day(mark.time)}`;
      const place = x(mark.time), size = wide(text, "bold") + 4, toLeft = place + 10 + size > width - 4 && place > size;
      const begins = toLeft ? place - 10 - size : place - 6;
      let row = rows.findIndex((taken) => taken + 8 < begins);
      if (row < 0) { row = rows.length; rows.push(0); }
      rows[row] = toLeft ? place + 8 : place + 10 + size;
      const y = bottom + 16 + 20 * row;
      const sign = {server: `M${place} ${y - 14}l6 6l-6 6l-6 -6Z`, client: `M${place - 5} ${y - 13}h10v10h-10Z`}[mark.kind] || `M${place} ${y - 14}l6 11h-12Z`;
      lines.push([place, y - 13, out ? " out" : "", sign]);
      taken.push(toLeft ? [place - 10 - size, place - 10, y - 16, y] : [place + 10, place + 10 + size, y - 16, y]);
      labels.push(s("text", {x: toLeft ? place - 10 : place + 10, y: y - 3, "text-anchor": toLeft ? "end" : null,
        class: `halo${out ? " bad head" : mark.judge ? " head" : ""}`}, text));
      words.push(`${mark.name}: ${day(mark.time)}` + bars.flatMap((bar) => mark.judge ? gapsOf(bar).map((gap) => `, by which ${bar.name} is ${gap[2]}`) : []).join(""));
    }
    for (const [place, end, out, sign] of lines) {
      drawing.append(s("path", {class: `mark${out}`, d: lineAround(place, HEADROOM - 2, end, taken)}), s("path", {class: `point${out}`, d: sign}));
    }
    drawing.append(...labels, ...names.flat());
    drawing.setAttribute("viewBox", `0 0 ${width} ${bottom + 20 * Math.max(rows.length, 1) + 10}`);
    drawing.setAttribute("aria-label", `Validity of the certificates against the clocks. ${words.join("; ")}`);
    return drawing;
  }

  // ---- certificates

  const commonName = (subject) => (/(?:^|[,+])\s*(CN=(?:\\.|[^,+\\])*)/i.exec(subject || "") || [])[1] || subject || "(no name)";

  function cards(i) {
    const groups = [["client", own(i, "clientChain") || []], ["server", own(i, "serverChain") || []]].filter(([, chain]) => chain.length);
    const request = own(i, "request") === null ? null : data.others[own(i, "request")];
    const asked = request && request.authorities.length
      ? h("p", {class: "asked"}, h("b", {}, "The server asked for a certificate issued by "), request.authorities.slice(0, 12).join("; "),
        request.authorities.length > 12 ? ` and ${request.authorities.length - 12} more` : "") : null;
    if (!groups.length) return asked || "";
    return h("div", {class: "certificates"}, h("h4", {}, "Certificates"), asked,
      h("div", {class: "cards"}, ...groups.flatMap(([side, chain]) => chain.map((ref, n) => card(side, ref, n, chain.length, ref === own(i, "judged"))))));
  }

  function card(side, ref, n, length, judged) {
    const one = data.certificates[ref];
    const role = n === 0 ? "" : ` · ${n + 1} of ${length}`;
    const facts = {subject: one.subject, issuer: one.self_signed ? "itself" : one.issuer, valid: `${(one.not_before || "?").slice(0, 10)} to ${(one.not_after || "?").slice(0, 10)}`,
      key: one.key, signature: one.signature_algorithm, names: one.subject_alt_names, usage: one.key_usage, purpose: one.extended_key_usage,
      CA: one.ca === null ? null : one.ca ? `yes${one.path_length === null ? "" : `, path length ${one.path_length}`}` : "no", serial: one.serial, "SHA-256": one.sha256};
    return h("article", {class: `card ${side}${judged ? " judged" : ""}`},
      h("p", {class: "whose"}, `${side}${role}`), h("h5", {}, commonName(one.subject)),
      ...one.problems.map((text) => h("p", {class: "problem"}, text)), fieldList(facts));
  }

  // ---- what the reader does

  function setFilter(name, value) {
    chosen[name] = value;
    id(name).value = value;
  }
  function clear() {
    for (const name of Object.keys(chosen)) setFilter(name, "");
    choose();
  }

  let waiting = null;
  id("text").addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => { chosen.text = id("text").value.trim().toLowerCase(); choose(); }, many > 5000 ? 150 : 0);
  });
  id("clear").addEventListener("click", clear);
  document.querySelector(".filters").addEventListener("submit", (event) => event.preventDefault());
  id("open").addEventListener("click", () => {
    for (const i of view.slice(0, MOST_OPEN)) if (!opened.has(i)) opened.set(i, 0);
    draw(true);
    requestAnimationFrame(() => requestAnimationFrame(() => { settle(); draw(true); }));
  });
  id("close").addEventListener("click", () => { opened.clear(); draw(true); });
  for (const button of document.querySelectorAll("button.show")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      clear();
      setFilter("cause", button.dataset.cause);
      setFilter("ending", button.dataset.ending);
      at = 0;
      choose();
      id("connections").scrollIntoView();
      if (view.length) { toggle(view[0], true); body.querySelector("button.row").focus({preventScroll: true}); }
    });
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const inField = event.target.closest && event.target.closest("input, select, textarea");
    if (event.key === "/" && !inField) {
      event.preventDefault();
      id("text").focus();
      id("text").select();
    } else if (event.key === "Escape") {
      const row = event.target.closest && event.target.closest("tr.details");
      const i = row ? Number(row.dataset.i) : event.target.matches?.("button.row") ? Number(event.target.dataset.i) : null;
      if (i !== null && opened.has(i)) {
        toggle(i, false);
        go(view.indexOf(i));
      } else if (inField) clear();
    } else if (event.target.matches?.("button.row")) {
      const page = Math.max(1, Math.floor(window.innerHeight / rowHeight) - 3);
      const to = {ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: view.length - 1, PageDown: at + page, PageUp: at - page}[event.key];
      if (to !== undefined) { event.preventDefault(); go(to); }
      else if (event.key === "ArrowRight") toggle(view[at], true);
      else if (event.key === "ArrowLeft") toggle(view[at], false);
    } else if (event.key === "ArrowDown" && event.target === id("text")) {
      event.preventDefault();
      go(0);
    }
  });

  let soon = false;
  const later = () => { if (!soon) { soon = true; requestAnimationFrame(() => { soon = false; draw(false); }); } };
  window.addEventListener("scroll", later, {passive: true});
  let lastWidth = window.innerWidth;
  window.addEventListener("resize", () => {
    if (window.innerWidth !== lastWidth) {
      lastWidth = window.innerWidth;
      body.replaceChildren();
      rowHeight = 0;
      draw(true);
    } else later();
  });
  window.addEventListener("beforeprint", () => { whole = true; draw(true); });
  window.addEventListener("afterprint", () => { whole = false; draw(true); });

  const THEMES = {"": "as the system", light: "light", dark: "dark"};
  const theme = id("theme");
  theme.hidden = false;
  theme.addEventListener("click", () => {
    const names = Object.keys(THEMES);
    const now = names[(names.indexOf(document.documentElement.className) + 1) % names.length];
    document.documentElement.className = now;
    theme.textContent = `Theme: ${THEMES[now]}`;
  });

  // A link to #c2 opens connection 2.
  function follow() {
    const wanted = /^#c(\d+)$/.exec(location.hash);
    if (!wanted) return;
    const place = view.findIndex((i) => own(i, "number") === Number(wanted[1]));
    if (place < 0) return;
    toggle(view[place], true);
    go(place);
  }

  table.classList.toggle("one-day", oneDay);
  table.classList.toggle("several", severalSources);
  id("list").hidden = many === 0;
  if (many) {
    offer();
    heads();
    choose();
    follow();
    window.addEventListener("hashchange", follow);
  }
  document.documentElement.dataset.ready = "yes";
})();
