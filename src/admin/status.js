"use strict";
const EVERY_MS = 2000, PATIENCE_MS = 5000, DRIFT_S = 60, NEARLY_FULL = 0.9;
// What went well stands above the line of the picture, what did not hangs below it.
const ABOVE = ["delivered", "duplicate", "token", "test"];
const BELOW = ["rejected", "refused_by_app", "unknown"];
const OUTCOMES = [...ABOVE, ...BELOW];
const LINE = 64, TOP = 8, BOTTOM = 90, LEAST = 2;

const at = (id) => document.getElementById(id);
const words = (text) => text.replaceAll("_", " ");
const number = (value) => value.toLocaleString("en");
const seconds = (later, earlier) => (Date.parse(later) - Date.parse(earlier)) / 1000;

function make(name, text, kind) {
  const node = document.createElement(name);
  if (text !== undefined) node.textContent = text;
  if (kind) node.className = kind;
  return node;
}

function draw(name, attributes) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}

// What stays the same is not touched: no flicker, and a selection lives on.
function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// Shows one node for each item; those that were there before, by their key, are used again.
function list(parent, items, key, build) {
  const old = new Map([...parent.children].map((node) => [node.kawalKey, node]));
  const seen = new Map();
  items.forEach((item, place) => {
    const name = key(item), count = seen.get(name) ?? 0;
    seen.set(name, count + 1);
    const full = count + " " + name;
    const node = old.get(full) ?? build(item);
    old.delete(full);
    node.kawalKey = full;
    if (parent.children[place] !== node) parent.insertBefore(node, parent.children[place] ?? null);
  });
  for (const node of old.values()) node.remove();
}

function span(total) {
  const s = Math.round(Math.abs(total)), sign = total <= -0.5 ? "−" : "";
  if (s < 60) return `${sign}${s} s`;
  if (s < 3600) return `${sign}${Math.floor(s / 60)} min ${s % 60} s`;
  if (s < 86400) return `${sign}${Math.floor(s / 3600)} h ${Math.floor(s / 60) % 60} min`;
  return `${sign}${Math.floor(s / 86400)} d ${Math.floor(s / 3600) % 24} h`;
}

function took(us) {
  if (us < 1000) return `${us} µs`;
  return us < 1e6 ? `${(us / 1000).toFixed(1)} ms` : `${(us / 1e6).toFixed(2)} s`;
}

// The time of day, with the date only where it is another day.
function clock(time, now) {
  const [date, rest] = new Date(time).toISOString().split("T");
  return (now.startsWith(date) ? "" : date + " ") + rest.slice(0, 8);
}

function outcome(name) {
  const cell = make("td");
  cell.append(make("span", "", "swatch " + name), words(name));
  return cell;
}

function decision(one, now) {
  const row = make("tr");
  const add = (value, kind, most = 32, title = value) => {
    const cut = value?.length > most;
    const cell = make("td", cut ? value.slice(0, most) + "…" : value ?? "–", kind);
    if (cut || title !== value) cell.title = title;
    row.append(cell);
  };
  add(clock(one.time, now), "", 32, one.time);
  row.append(outcome(one.outcome));
  add(one.verdict ?? one.reason);
  add(one.gateway);
  add(one.route);
  add(one.client);
  add(one.id, "id", 8);
  add(one.attempt, "number");
  add(one.age_s === null ? null : span(one.age_s), "number");
  add(one.status, "number");
  add(one.app_status, "number");
  add(took(one.total_us), "number");
  return row;
}

function counted(name, ...counts) {
  const row = make("tr");
  row.append(name, ...counts.map((count) => make("td", number(count), "number")));
  return row;
}

const sum = (counts, names) => names.reduce((total, name) => total + (counts[name] ?? 0), 0);

function told(counts) {
  const parts = OUTCOMES.filter((name) => counts[name]).map((name) => `${number(counts[name])} ${words(name)}`);
  return parts.join(", ");
}

function column(counts, place, every, last, scale) {
  const group = draw("g", {});
  const ago = (last - place) * every;
  const title = draw("title", {});
  title.textContent = `${ago ? span(ago) + " ago" : "now"}: ${told(counts)}`;
  group.append(title, draw("rect", { class: "reach", x: place * 10, y: 0, width: 10, height: 96 }));
  for (const [names, way] of [[ABOVE, -1], [BELOW, 1]]) {
    let edge = LINE + way;
    for (const name of names.filter((name) => counts[name])) {
      // One in a thousand must still be seen.
      const height = Math.max(counts[name] * scale, LEAST);
      group.append(draw("rect", { class: name, x: place * 10 + 1, y: way < 0 ? edge - height : edge, width: 8, height }));
      edge += way * height;
    }
  }
  return group;
}

function picture(svg, { every_s, counts }, recent) {
  const key = JSON.stringify(counts);
  if (svg.kawalKey === key) return;
  svg.kawalKey = key;
  svg.setAttribute("aria-label", told(recent) || "nothing came");
  const most = (names) => Math.max(1, ...counts.map((one) => sum(one, names)));
  const scale = Math.min((LINE - TOP) / most(ABOVE), (BOTTOM - LINE) / most(BELOW));
  const columns = counts.map((one, place) => [one, place]).filter(([one]) => sum(one, OUTCOMES));
  svg.replaceChildren(
    draw("rect", { class: "base", x: 0, y: LINE - 0.5, width: 600, height: 1 }),
    ...columns.map(([one, place]) => column(one, place, every_s, counts.length - 1, scale)),
  );
}

function gateway(card, one, now) {
  const part = (name) => card.querySelector(name);
  const slots = one.picture.counts;
  const recent = Object.fromEntries(OUTCOMES.map((name) => [name, slots.reduce((total, slot) => total + slot[name], 0)]));
  const observes = one.mode === "observe";
  card.className = one.mode;
  say(part("h3"), one.name);
  say(part(".scheme"), one.scheme);
  say(part(".mode"), observes ? "observe: refuses nothing" : "enforce");
  say(part(".last"), one.last ? span(seconds(now, one.last)) + " ago" : "none yet");
  part(".last").title = one.last ?? "";
  say(part(".skew"), one.skew_s === null ? "not known" : `${one.skew_s.toFixed(1).replace("-", "−")} s`);
  part(".skew").classList.toggle("off", Math.abs(one.skew_s) > DRIFT_S);
  const most = Math.max(...slots.map((slot) => sum(slot, OUTCOMES)));
  say(part(".peak"), most ? `peak ${number(most)} in ${one.picture.every_s} s` : "nothing came");
  picture(part("svg"), one.picture, recent);
  const rows = OUTCOMES.filter((name) => one.outcomes[name] || ["delivered", "rejected"].includes(name))
    .map((name) => [name, recent[name], one.outcomes[name]]);
  list(part(".outcomes tbody"), rows, String, ([name, ...counts]) => counted(outcome(name), ...counts));
  const reasons = Object.entries(one.reasons).sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]));
  part(".reasons").hidden = reasons.length === 0;
  list(part(".reasons tbody"), reasons, String, ([name, count]) => counted(make("td", name), count));
}

// What an operator must know first, worst first.
function states(status) {
  const { configuration, draining, gateways, ledger } = status;
  const found = [];
  const bad = (text) => found.push(["bad", text]), warn = (text) => found.push(["warn", text]);
  if (!ledger.up) bad("The store does not answer.");
  if (configuration.fault) bad(`The last reload was refused, what was loaded before serves on: ${configuration.fault}`);
  const full = ledger.capacity ? ledger.entries / ledger.capacity : 0;
  if (full >= 1) bad("The ledger is 100 % full: what is new is refused.");
  if (!found.length && !draining) found.push(["good", "Serving."]);
  if (draining) warn("Draining: requests in flight are finished, no others are taken.");
  if (full >= NEARLY_FULL && full < 1) warn(`The ledger is ${Math.floor(full * 100)} % full.`);
  for (const { name, skew_s } of gateways) {
    const way = skew_s < 0 ? "ahead of" : "behind";
    if (Math.abs(skew_s) > DRIFT_S) warn(`Clocks: ${name} signs ${span(Math.abs(skew_s))} ${way} our time.`);
  }
  for (const { name, mode } of gateways) {
    if (mode === "observe") warn(`${name} only observes: what it would refuse reaches the app.`);
  }
  return found;
}

function state(found) {
  document.title = `Kawal: ${found[0][1]}`;
  list(at("state"), found, String, ([kind, text]) => make("p", text, kind));
}

function memory({ store, up, entries, capacity }) {
  say(at("ledger-name"), `Ledger (${store})`);
  say(at("ledger"), entries !== null ? number(entries) : up ? "store is up" : "store is down");
  say(at("room"), capacity ? `of ${number(capacity)} entries` : "");
  const meter = at("meter");
  meter.hidden = !capacity;
  if (!capacity) return;
  Object.assign(meter, { max: capacity, value: entries, low: capacity * 0.75, high: capacity * NEARLY_FULL, optimum: 0 });
}

function show(status) {
  const { now, configuration, ledger } = status;
  state(states(status));
  say(at("version"), status.version);
  say(at("as-of"), `as of ${clock(now, now)} UTC`);
  say(at("up"), span(seconds(now, status.started)));
  at("up").title = `since ${status.started}`;
  say(at("in-flight"), number(status.in_flight));
  say(at("connections"), number(status.connections));
  say(at("loaded"), `loaded ${span(seconds(now, configuration.loaded))} ago`);
  at("loaded").title = configuration.loaded;
  say(at("reloads"), `reloads: ${configuration.reloads.success} taken, ${configuration.reloads.failure} refused`);
  memory(ledger);
  const cards = at("gateways");
  list(cards, status.gateways, (one) => one.name, () => at("card").content.cloneNode(true).firstElementChild);
  status.gateways.forEach((one, place) => gateway(cards.children[place], one, now));
  list(at("decisions"), status.decisions, (one) => now.slice(0, 10) + JSON.stringify(one), (one) => decision(one, now));
  at("none").hidden = status.decisions.length > 0;
  at("scroll").hidden = status.decisions.length === 0;
}

let last = null;

async function ask() {
  let status = null;
  try {
    const answer = await fetch("status.json", { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
    if (answer.ok) status = await answer.json();
  } catch {
    // There is none, or it broke off.
  }
  setTimeout(ask, EVERY_MS);
  if (!status) {
    const since = last ? ` This is what it said at ${clock(last, last)} UTC.` : "";
    return state([["bad", "Kawal does not answer." + since]]);
  }
  try {
    show(status);
    last = status.now;
  } catch (fault) {
    state([["bad", "This page does not know Kawal's answer: load it anew."]]);
    throw fault;
  }
}

ask();
