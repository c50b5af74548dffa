// Elements, and the contents of items.

const FRAME_POLICY =
  "default-src 'none'; img-src data:; media-src data:; font-src data:; style-src 'unsafe-inline'";
const TINY = 120; // pixels; pictures below are enlarged
const THIN = 64; // pixels; pictures that would be drawn thinner keep their size, and scroll

// Make an element. Strings become text nodes: they are never parsed as HTML.
function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

function svg(tag, attributes) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

function notice(text) {
  return h("p", { class: "ska-notice" }, text);
}

// Screen readers read a live region when its text is set, so set it only if it changes.
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// Return the node that shows an item; onProblem(text) is called if its content proves broken.
function nodeOf(item, onProblem) {
  item.node ??= (CONTENTS[item.content.type] ?? CONTENTS.unknown)(item.content, onProblem);
  return item.node;
}

// Return whether an item has something to look at or to listen to.
function isShown({ content, problem }) {
  return !problem && content.type in CONTENTS && !["problem", "error"].includes(content.type);
}

const problemNode = ({ text }) => h("div", { class: "ska-problem", dir: "auto" }, visible(text));

const CONTENTS = {
  text: ({ text }) => h("div", { class: "ska-text", dir: "auto" }, text),
  problem: problemNode,
  error: problemNode,
  image: imageNode,
  audio: audioNode,
  table: ({ rows }) =>
    h("table", { class: "ska-table" }, h("tbody", {}, ...rows.map(([key, value]) =>
      h("tr", {}, h("th", { scope: "row" }, key), h("td", { dir: "auto" }, value))))),
  html: ({ html }) => {
    const frame = h("iframe", { class: "ska-frame", sandbox: "", title: "The item to be labeled" });
    frame.srcdoc =
      `<!doctype html><meta charset="utf-8">` +
      `<meta http-equiv="Content-Security-Policy" content="${FRAME_POLICY}">` +
      `<base target="_blank"><style>body{margin:.75rem;font:1rem/1.5 sans-serif;` +
      `background:#fff;color:#111;overflow-wrap:anywhere}</style>` +
      `<body tabindex="0">${html}`; // so that Tab can reach it, and keys can scroll
    return frame;
  },
};

Object.defineProperty(CONTENTS, "unknown", { // not enumerable: no content has this type
  value: ({ type }) => problemNode({ text: `This page cannot show the type "${type}".` }),
});

function imageNode(content, onProblem) {
  const { src, alt } = content;
  if (!isData(src, "image")) return refuse("This page cannot show images from other sites.", onProblem);
  const image = h("img", { class: "ska-image", src, alt: visible(alt || "the image to be labeled") });
  image.addEventListener("load", () => fitImage(image));
  image.addEventListener("error", () => onProblem(`This picture cannot be shown${nameOf(content)}.`));
  image.decode().catch(() => {});
  return image;
}

// Enlarge tiny pictures, and keep thin ones at their size.
function fitImage(image) {
  const { naturalWidth: width, naturalHeight: height } = image;
  if (!width) return; // it is not loaded yet
  const box = image.parentElement?.getBoundingClientRect() ?? { width: 800 };
  const scale = Math.min(1, box.width / width, (0.6 * window.innerHeight) / height);
  const short = Math.min(width, height);
  image.classList.toggle("ska-tiny", Math.max(width, height) < TINY);
  image.classList.toggle("ska-thin", short * scale < Math.min(short, THIN));
}

function audioNode(content, onProblem) {
  const { src } = content;
  if (!isData(src, "audio")) return refuse("This page cannot show sounds from other sites.", onProblem);
  const sound = h("audio", { controls: "", preload: "auto", "aria-label": "The sound to be labeled" });
  sound.addEventListener("error", () => onProblem(`This sound cannot be played${nameOf(content)}.`));
  sound.src = src;
  return sound;
}

function refuse(text, onProblem) {
  queueMicrotask(() => onProblem(text));
  return problemNode({ text });
}

// Return ": NAME" of a file.
function nameOf(content) {
  const file = content.name ?? content.alt ?? "";
  return file && file !== "the image to be labeled" ? `: ${file}` : "";
}

function isData(src, kind) {
  return typeof src === "string" && src.startsWith(`data:${kind}/`);
}

// Draw a learning curve; `describe` writes a score, such as "accuracy 80.0 %".
function curve(points, describe) {
  const [width, height, pad] = [180, 56, 4];
  const xs = points.map(([n]) => n);
  const ys = points.map(([, score]) => score);
  const [left, right] = [Math.min(...xs), Math.max(...xs)];
  const [low, high] = [Math.min(...ys), Math.max(...ys)];
  const x = (n) => pad + ((n - left) / (right - left || 1)) * (width - 2 * pad);
  const share = (s) => (high > low ? (s - low) / (high - low) : 0.5);
  const y = (s) => height - pad - share(s) * (height - 2 * pad);
  const [first, last] = [points[0], points.at(-1)];
  const title =
    `Learning curve: ${describe(first[1])} with ${count(first[0])} labels, ` +
    `${describe(last[1])} with ${count(last[0])}`;
  const figure = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": title });
  const path = points.map(([n, s]) => `${x(n).toFixed(1)},${y(s).toFixed(1)}`).join(" ");
  figure.append(
    svg("polyline", { points: path, fill: "none", stroke: "currentColor", "stroke-width": 2 }),
    svg("circle", { cx: x(last[0]), cy: y(last[1]), r: 3, fill: "currentColor" }),
  );
  return figure;
}

// Return whether text is typed into an element.
function isField(target) {
  if (target?.isContentEditable) return true;
  if (target?.tagName === "TEXTAREA" || target?.tagName === "SELECT") return true;
  const buttons = ["button", "checkbox", "radio", "submit"];
  return target?.tagName === "INPUT" && !buttons.includes(target.type);
}

// Return the theme around the page: "dark", "light", or "" if it is unknown.
function surroundingTheme() {
  const { body, documentElement: html } = document;
  if (body.dataset.jpThemeLight) return body.dataset.jpThemeLight === "false" ? "dark" : "light";
  for (const element of [body, html]) {
    const names = `${element.className} ${element.dataset.theme ?? ""}`;
    if (/\b(vscode-)?dark\b/.test(names)) return "dark";
    if (/\b(vscode-)?light\b/.test(names)) return "light";
  }
  return "";
}
