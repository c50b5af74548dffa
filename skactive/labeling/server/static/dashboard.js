// The campaign page: reads the report again and again, and shows each part that has changed.
import { drawColumns, drawCurve, drawShares, formatNumber, formatShare } from "./charts.js";
import { element, hasToken, post, takeToken } from "./link.js";
import { visible } from "./page.js";

const INTERVAL_MS = 10000;
const WIDEST = 640; // pixels of a chart

const root = document.getElementById("campaign");
const notice = element("p", { className: "entry-notice", hidden: true });
notice.setAttribute("role", "alert");
const updated = element("span");
const heading = element("h1", { textContent: "Campaign" });
const tiles = element("dl", { className: "tiles" });
const grid = element("div", { className: "sections" });
const shown = new Map(); // by section: what is drawn, as JSON
let report = null;
let timer = 0;
let reading = false;

// Parts of sections ------------------------------------------------------------------------------

function announce(text) {
  if (notice.textContent === text) return;
  notice.textContent = text;
  notice.hidden = !text;
}

function say(text, className = "") {
  return element("p", { textContent: text, className });
}

function cell(content, tag = "td", numeric = false) {
  const node = element(tag, { className: numeric ? "number" : "" });
  node.append(content ?? "");
  return node;
}

// Return a table; a column is [heading, whether it holds numbers]; the first cell names the row.
function makeTable(caption, columns, rows) {
  const head = element("tr", {}, ...columns.map(([text, numeric]) => {
    const node = cell(text, "th", numeric);
    node.scope = "col";
    return node;
  }));
  const body = rows.map((cells) => element("tr", {}, ...cells.map((content, i) => {
    const node = cell(content, i ? "td" : "th", columns[i][1]);
    if (!i) node.scope = "row";
    return node;
  })));
  const table = element("table", {},
    element("caption", { textContent: caption }),
    element("thead", {}, head),
    element("tbody", {}, ...body));
  const frame = element("div", { className: "scroll", tabIndex: 0 }, table);
  frame.setAttribute("role", "region");
  frame.setAttribute("aria-label", caption);
  return frame;
}

// Return a table that is folded under its chart; whether it is open is kept.
function foldTable(id, ...table) {
  const details = element("details", { id },
    element("summary", { textContent: "Numbers" }), makeTable(...table));
  details.open = document.getElementById(id)?.open ?? false;
  return details;
}

function makeLegend(parts) {
  return element("ul", { className: "legend" }, ...parts.map(({ name, n, kind }) =>
    element("li", {}, element("span", { className: `key ${kind}` }), `${name} `,
      element("strong", { textContent: formatNumber(n) }))));
}

function measureWidth() {
  const section = grid.firstElementChild ?? grid;
  const style = getComputedStyle(section);
  const padding = parseFloat(style.paddingLeft) + parseFloat(style.paddingRight);
  return Math.max(220, Math.min(section.clientWidth - padding, WIDEST));
}

function formatTime(seconds, width) {
  const options = width < 86400
    ? { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" }
    : { month: "short", day: "numeric" };
  return new Date(1000 * seconds).toLocaleString("en", { ...options, timeZone: "UTC" });
}

const formatHours = (hours) =>
  hours < 1 ? `${formatNumber(60 * hours, hours < 1 / 6 ? 1 : 0)} min` : `${formatNumber(hours, 1)} h`;
const formatMoney = (money) => formatNumber(money, 2);
const formatSeconds = (seconds) => (seconds === null ? "" : `${formatNumber(seconds, 1)} s`);
const named = (name) => visible(name) || "(no name)";
const count = (n, noun) => `${formatNumber(n)} ${noun}${n === 1 ? "" : "s"}`;

// Sections: what each shows of the report --------------------------------------------------------

const SECTIONS = {
  Progress: ({ progress }, width) => {
    const parts = [
      { name: "Labeled by people", n: progress.n_by_people, kind: "people" },
      { name: "By the router", n: progress.n_routed, kind: "annotators" },
      { name: "Unknown", n: progress.n_unknown, kind: "unknown" },
      { name: "Left", n: progress.n_left, kind: "left" },
    ].filter(({ n, kind }) => n || ["people", "left"].includes(kind));
    const facts = [
      progress.n_in_flight && `${count(progress.n_in_flight, "row")} being labeled`,
      progress.n_skipped && `${formatNumber(progress.n_skipped)} skipped`,
      progress.n_learned && `the model learned from ${count(progress.n_learned, "label")}`,
      progress.fitting && "a model is being fitted",
    ].filter(Boolean).join(" · ");
    return [
      drawShares(width, parts, parts.map(({ name, n }) => `${name}: ${formatNumber(n)}`).join(", ")),
      makeLegend(parts),
      ...(facts ? [say(facts, "soft")] : []),
      ...(progress.stop_reason ? [say(`You may stop now: ${visible(progress.stop_reason)}`, "good")] : []),
      ...(progress.problem ? [say(`The model could not be fitted: ${visible(progress.problem)}`, "bad")] : []),
    ];
  },
  "Labels over time": ({ times }, width) => {
    if (!times.spans.length) return [say("No label yet.", "soft")];
    const spans = times.spans.map(([begin, people, annotators]) =>
      ({ name: formatTime(begin, times.seconds), people, annotators }));
    const span = { 3600: "hour", 86400: "day", 604800: "week" }[times.seconds];
    const routed = spans.some(({ annotators }) => annotators);
    const columns = [[`${span} (UTC)`], ["people", true], ...(routed ? [["router", true]] : [])];
    const rows = spans.filter(({ people, annotators }) => people || annotators).map((s) =>
      [s.name, formatNumber(s.people), ...(routed ? [formatNumber(s.annotators)] : [])]);
    return [
      drawColumns(width, spans, `Labels per ${span}, in UTC; the table below has the numbers`),
      say(`Per ${span}, UTC`, "soft"),
      foldTable("times", `Labels per ${span}`, columns, rows),
    ];
  },
  Accuracy: ({ audit, curve }, width) => {
    if (!audit.n_rows) {
      return [say("Without an audit nobody knows how good the model is: begin with a share of rows for it " +
        "(--audit).", "soft")];
    }
    const isError = audit.measure === "mean error";
    const format = isError ? (value) => formatNumber(value, 2) : (value) => formatShare(value);
    const sentence = say(audit.text || "After the first model.");
    if (!curve.length) return [sentence];
    const rows = curve.map(([n, value, low, high, nAudit]) =>
      [formatNumber(n), format(value), `${format(low)} to ${format(high)}`, formatNumber(nAudit)]);
    const label = `Learning curve: ${audit.measure} on the audit, by labels learned from`;
    return [
      sentence,
      drawCurve(width, curve, { label, format, noun: "labels learned from", bounded: !isError }),
      foldTable("curve", "Learning curve",
        [["labels", true], [audit.measure, true], ["95 % interval", true], ["audit rows", true]], rows),
    ];
  },
  Routing: ({ routing, progress }) => {
    if (!routing.certificate && !routing.n_asked && !routing.annotators.length) {
      return [say("No router: people label all rows. See session.route() and skactive route.", "soft")];
    }
    const rows = routing.annotators.map(({ name, n_labels, share, confidence, cost }) =>
      [named(name), formatNumber(n_labels), formatShare(share),
        confidence === null ? "" : formatShare(confidence, 1), formatMoney(cost)]);
    const people = [
      "People", formatNumber(progress.n_by_people), formatShare(progress.n_by_people / progress.n_rows), "", "",
    ];
    return [
      ...(routing.certificate ? [say(visible(routing.certificate), "promise")] : []),
      ...(routing.n_asked ? [say(`${count(routing.n_asked, "row")} of the router's audit wait for people, who ` +
        "are asked for these first.")] : []),
      makeTable("Labels by source",
        [["source"], ["labels", true], ["share", true], ["confidence", true], ["cost", true]],
        [people, ...rows]),
      say("Where a person has labeled a row, that label counts. The share is that of all rows, the " +
        "confidence the mean.", "soft"),
    ];
  },
  Classes: ({ classes }) => {
    if (!classes.length) return [say("Labels are numbers, or there are none yet.", "soft")];
    const total = classes.reduce((sum, [, n]) => sum + n, 0) || 1;
    const most = Math.max(...classes.map(([, n]) => n), 1);
    const rows = [...classes].sort(([, a], [, b]) => b - a).slice(0, 50).map(([label, n]) => {
      const bar = element("span", { className: "bar people" });
      bar.style.width = `${(100 * n) / most}%`;
      return [visible(label) || "(empty)", element("span", { className: "track" }, bar), formatNumber(n),
        formatShare(n / total)];
    });
    const more = classes.length - rows.length;
    return [
      makeTable("Labels by class", [["class"], ["compared"], ["rows", true], ["share", true]], rows),
      ...(more > 0 ? [say(`${formatNumber(more)} further classes with fewer rows`, "soft")] : []),
    ];
  },
  People: ({ people }) => {
    if (!people.length) return [say("Nobody has answered yet.", "soft")];
    const rows = people.map((p) => [named(p.name), formatNumber(p.n_labels),
      formatSeconds(p.seconds), p.hours === null ? "" : formatHours(p.hours), formatTime(p.last, 86400)]);
    return [makeTable("Answers by person",
      [["person"], ["labels", true], ["median", true], ["in all", true], ["last", true]], rows),
      say("The median and the sum of the times that answers took, and the day of the last one (UTC).", "soft")];
  },
  Agreement: ({ agreement }) => {
    if (!agreement) return [say("No row was labeled by two people yet.", "soft")];
    const { alpha, n_rows, n_differ, pairs } = agreement;
    const interval = alpha && alpha[1] !== null
      ? ` (95 % interval ${formatNumber(alpha[1], 2)} to ${formatNumber(alpha[2], 2)})` : "";
    const sentence = alpha
      ? `Krippendorff's alpha ${formatNumber(alpha[0], 2)}${interval}: 1 is always, 0 as chance would have it.`
      : "All labels are the same, so that agreement beyond chance cannot be measured.";
    const verb = n_rows === 1 ? "was" : "were";
    return [
      say(sentence),
      say(`${count(n_rows, "row")} ${verb} labeled by several people, ${formatNumber(n_differ)} of them differently.`),
      makeTable("Pairs of people", [["pair"], ["rows of both", true], ["equal labels", true]],
        pairs.map(([a, b, n, equal]) => [`${named(a)}, ${named(b)}`, formatNumber(n), formatShare(equal)])),
    ];
  },
  Costs: ({ costs }) => {
    const ofLimit = (value, limit, format) => (limit ? `${format(value)} of ${format(limit)}` : format(value));
    const rows = [
      ...(costs.money === null ? [] : [["Money", ofLimit(costs.money, costs.money_limit, formatMoney)]]),
      ...(costs.routed ? [["of it for the router", formatMoney(costs.routed)]] : []),
      ["Time of people", costs.n_timed ? ofLimit(costs.hours, costs.hours_limit, formatHours) : "not recorded"],
      ["Timed answers", formatNumber(costs.n_timed)],
      ["Answers without a time", formatNumber(costs.n_untimed)],
      ...(costs.hours_left === null ? []
        : [[`For the ${count(costs.n_left, "row")} left, about`, formatHours(costs.hours_left)]]),
    ];
    return [makeTable("What labels have cost", [["what"], ["how much", true]], rows)];
  },
  Drift: ({ drift, pool_drift }) => {
    const alarms = drift.map(({ message, n_labels }) => `After ${count(n_labels, "label")}: ${visible(message)}`);
    const rows = pool_drift.flatMap((watch) => watch.alarms.map(visible));
    const items = [...alarms, ...rows].map((text) => element("li", { textContent: text }));
    const evidence = pool_drift.map((watch) => say(
      "New rows: evidence that they are unlike the pool is at " +
      `${formatShare(Math.min(watch.evidence, 1))} of what raises an alarm.`, "soft"));
    return [
      items.length ? element("ul", { className: "alarms" }, ...items)
        : say("No alarm: the speed of people, their agreement and the classes of the audit have not changed."),
      ...evidence,
    ];
  },
};

// The whole page ---------------------------------------------------------------------------------

function showTiles({ progress, audit, costs, agreement }) {
  const estimate = audit.estimate;
  const isError = audit.measure === "mean error";
  const facts = [
    ["Labeled", `${formatNumber(progress.n_labeled)} of ${formatNumber(progress.n_rows)}`],
    [isError ? "Mean error" : "Accuracy",
      estimate ? (isError ? formatNumber(estimate[0], 2) : formatShare(estimate[0])) : "not yet"],
    ["Agreement", agreement?.alpha ? formatNumber(agreement.alpha[0], 2) : "not yet"],
    costs.money === null
      ? ["Time", costs.n_timed ? formatHours(costs.hours) : "not recorded"]
      : ["Money", formatMoney(costs.money)],
  ];
  tiles.replaceChildren(...facts.map(([name, value]) => element("div", {},
    element("dt", { textContent: name }), element("dd", { textContent: value }))));
}

function show() {
  if (!report) return;
  const title = visible(report.title);
  heading.textContent = title || "Campaign";
  document.title = title ? `${title}: campaign` : "Campaign";
  showTiles(report);
  if (!grid.childElementCount) {
    grid.append(...Object.keys(SECTIONS).map((name) =>
      element("section", {}, element("h2", { textContent: name }), element("div"))));
  }
  const width = measureWidth();
  Object.entries(SECTIONS).forEach(([name, describe], i) => {
    const content = JSON.stringify([width, ...USED[name].map((part) => report[part])]);
    if (shown.get(name) === content) return; // so that nobody who reads or selects is disturbed
    grid.children[i].lastElementChild.replaceChildren(...describe(report, width));
    shown.set(name, content);
  });
}

// The parts of the report that each section shows.
const USED = {
  Progress: ["progress"],
  "Labels over time": ["times"],
  Accuracy: ["audit", "curve"],
  Routing: ["routing", "progress"],
  Classes: ["classes"],
  People: ["people"],
  Agreement: ["agreement"],
  Costs: ["costs"],
  Drift: ["drift", "pool_drift"],
};

async function read() {
  if (reading || document.hidden) return;
  reading = true;
  try {
    const [status, reply] = await post("api/campaign", {}, {}, [408]);
    if (reply.ok) {
      report = reply;
      updated.textContent = `Updated ${new Date().toLocaleTimeString("en", { hourCycle: "h23" })}`;
      announce("");
      show();
    } else {
      const advice = status === 401 ? " Open the link that the server printed." : "";
      announce(`${visible(reply.error)}${advice}`);
    }
  } catch (error) {
    announce(`The server cannot be reached (${error.message}); the page tries again.`);
  } finally {
    reading = false;
    clearTimeout(timer);
    timer = setTimeout(read, INTERVAL_MS);
  }
}

async function start() {
  const label = element("a", { href: "./", textContent: "Label" });
  root.replaceChildren(
    element("header", {}, heading, element("p", {}, updated, label)), notice, tiles, grid);
  try {
    await takeToken();
  } catch (error) {
    announce(`The server cannot be reached (${error.message}): reload this page.`);
    return;
  }
  if (hasToken()) {
    read();
  } else {
    announce("Open the link that the server printed: this one contains no token.");
  }
}

document.addEventListener("visibilitychange", read);
window.addEventListener("resize", show);
window.addEventListener("hashchange", start);
start();
