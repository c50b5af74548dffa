// Texts of the page, and the keys of a keyboard.

// Return a text whose invisible characters are seen, as in ⟨U+202E⟩: marks that change the direction
// of the text, characters without width, controls, unusual spaces.
export function visible(text) {
  return String(text).replace(INVISIBLE, (character, at, whole) =>
    isNeeded(character, at, whole) ? character : `⟨U+${codeOf(character)}⟩`);
}

const INVISIBLE =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|[^\S \n\t]/gu;
const JOINERS = "\u200c\u200d"; // needed in Persian, in Indian scripts, and in emoji
const JOINED =
  /^(?![\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}])[\p{L}\p{M}\p{Extended_Pictographic}]$/u;

function isNeeded(character, at, whole) {
  if (/[\n\t\ufe0e\ufe0f]/.test(character)) return true;
  if (!JOINERS.includes(character)) return false;
  const [before, after] = [[...whole.slice(0, at)].at(-1), [...whole.slice(at + 1)][0]];
  return [before, after].every((other) => other && (JOINED.test(other) || other === "\ufe0f"));
}

function codeOf(character) {
  return character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
}

function name(label) {
  return label === "" ? "(empty)" : visible(label);
}

function quote(label) {
  return `“${name(label)}”`;
}

function names(label) {
  return Array.isArray(label) ? label.map(name).join(", ") || "none" : name(label);
}

function describeAnswer({ kind, label }) {
  if (kind === "skip") return "Skipped";
  if (kind === "unknown") return "Don't know";
  return `Labeled ${names(label)}`;
}

// Return the answer whose label counts, among those of everybody, latest first.
function countingAnswer(answers) {
  return answers.find(({ kind }) => kind === "label");
}

// Return who answered what, and how it compares with the label that counts.
function describeGiven(answer, counting) {
  const { annotator, kind, label, cost } = answer;
  const words = { skip: "skipped", unknown: "don't know" }[kind] ?? names(label);
  const differs = kind === "label" && JSON.stringify(label) !== JSON.stringify(counting.label);
  const mark = answer === counting ? ", counts" : differs ? ", differs" : "";
  const source = cost === undefined ? "" : ` (router, cost ${formatCost(cost)})`;
  return `${annotator === null ? "(no name)" : visible(annotator)}${source}: ${words}${mark}`;
}

// Return which label an annotator of a router gave, how sure it was, and what it cost.
function describeRouted({ annotator, label, confidence, cost }) {
  const sure = confidence === null ? "" : `, ${(100 * confidence).toFixed(1)} % sure`;
  return `${visible(annotator)} (router, cost ${formatCost(cost)}) says ${names(label)}${sure}.`;
}

function formatCost(cost) {
  return String(Number(cost.toPrecision(3)));
}

function count(n) {
  return Number(n).toLocaleString("en");
}

function plural(n, noun) {
  return `${count(n)} ${noun}${n === 1 ? "" : "s"}`;
}

function describeAccuracy(share) {
  return `accuracy ${(100 * share).toFixed(1)} %`;
}

function describeError(error) {
  return `mean error ${Number(error.toPrecision(3))}`;
}

function describeCounts(state) {
  const parts = [`${count(state.n_labeled)} of ${count(state.n_rows)} labeled`];
  if (state.mine) parts.push(`${count(state.mine)} by you`);
  if (state.n_skipped) parts.push(`${count(state.n_skipped)} skipped`);
  if (state.n_unknown) parts.push(`${count(state.n_unknown)} unknown`);
  return parts.join(" · ");
}

function describeTally(state) {
  const used = (state.counts ?? []).filter(([, n]) => n > 0);
  const top = used.sort((a, b) => b[1] - a[1]).slice(0, MAX_TALLY);
  const rest = used.length > MAX_TALLY ? ` · and ${count(used.length - MAX_TALLY)} more classes` : "";
  return top.map(([label, n]) => `${name(label)}: ${count(n)}`).join(" · ") + rest;
}

const MAX_TALLY = 12;

// Keys and classes -------------------------------------------------------------------------------

// Return what a key press may mean, the likeliest first, on keyboards of any language.
function keyNames({ key, code, shiftKey }) {
  const names = [key];
  const digit = /^Digit([0-9])$/.exec(code ?? ""); // French keyboards have signs there
  if (digit && !shiftKey && key.length === 1) names.push(digit[1]);
  const letter = /^Key([A-Z])$/.exec(code ?? ""); // Cyrillic, Greek, ...
  if (letter && key.length === 1 && !/^[ -~]$/.test(key)) {
    names.push(shiftKey ? letter[1] : letter[1].toLowerCase());
  }
  const swapped = key === key.toLowerCase() ? key.toUpperCase() : key.toLowerCase();
  return key.length === 1 ? [...names, swapped] : names; // swapped: Caps Lock may be on
}

// Return how a key is shown, and how screen readers are told of it.
function keyTexts(key) {
  const isUpper = key.length === 1 && key !== key.toLowerCase();
  return { shown: isUpper ? `⇧${key}` : visible(key), shortcut: isUpper ? `Shift+${key}` : key };
}

// Return which keys mean another class now, though the class that had them is still there.
function describeMovedKeys(before, after) {
  const moved = before.classes.map((label, index) => {
    const key = before.keys.classes[index];
    const taker = key ? after.keys.classes.indexOf(key) : -1;
    const now = after.classes.indexOf(label);
    if (taker < 0 || now < 0 || taker === now) return "";
    const other = after.keys.classes[now];
    const place = other ? `has the key ${keyTexts(other).shown}` : "has no key";
    return `The key ${keyTexts(key).shown} now means ${quote(after.classes[taker])}; ${quote(label)} ${place}.`;
  });
  return moved.filter(Boolean).join(" ");
}

function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function plainText(text) {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}

// Return the classes that contain the typed text; those that begin with it come first.
function matches(classes, typed) {
  const wanted = plainText(typed.trim());
  if (!wanted) return classes;
  const matching = classes.filter((label) => plainText(name(label)).includes(wanted));
  const begins = (label) => Number(!plainText(name(label)).startsWith(wanted));
  return matching.sort((a, b) => begins(a) - begins(b));
}

function isSameList(a, b) {
  return a.length === b.length && a.every((value, index) => value === b[index]);
}
