// Charts as SVG, drawn for the width that they have. Each stands beside a table of the same numbers.

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 200;
const LEFT = 44; // for the numbers of the axis
const RIGHT = 12;
const TOP = 10;
const BOTTOM = 34;

export const formatNumber = (value, digits = 0) =>
  value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });

export const formatShare = (share, digits = 0) => `${formatNumber(100 * share, digits)} %`;

function draw(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

function drawText(x, y, text, anchor = "middle", className = "tick") {
  return draw("text", { x, y, "text-anchor": anchor, class: className }, text);
}

function drawChart(width, height, label, ...parts) {
  const size = { viewBox: `0 0 ${width} ${height}`, width, height };
  return draw("svg", { ...size, role: "img", "aria-label": label, class: "chart" }, ...parts);
}

// Return round numbers from 0, or from below the lowest, up to the highest: some four of them.
export function chooseTicks(low, high, n = 4) {
  const span = high - low || Math.abs(high) || 1;
  const rough = span / n;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough);
  const first = Math.floor(low / step + 1e-9);
  const last = Math.max(Math.ceil(high / step - 1e-9), first + 1);
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}

function drawAxis(ticks, toY, width, format) {
  return ticks.flatMap((tick) => [
    draw("line", { x1: LEFT, x2: width - RIGHT, y1: toY(tick), y2: toY(tick), class: "grid" }),
    drawText(LEFT - 6, toY(tick) + 4, format(tick), "end"),
  ]);
}

// Draw one bar of several parts: {n, kind}. What is too small to see is left to the table.
export function drawShares(width, parts, label) {
  const total = parts.reduce((sum, { n }) => sum + n, 0) || 1;
  let x = 0;
  const bars = parts.map(({ n, kind, name }) => {
    const size = (n / total) * width;
    const title = draw("title", {}, `${name}: ${formatNumber(n)}`);
    const shape = { x, y: 0, width: Math.max(size - 2, 0), height: 28, rx: 3, class: kind };
    x += size;
    return draw("rect", shape, title);
  });
  return drawChart(width, 28, label, ...bars);
}

// Draw a curve of points [x, y, low, high], with the band from low to high around it.
export function drawCurve(width, points, { label, format, noun, bounded }) {
  const xs = points.map(([x]) => x);
  const xTicks = chooseTicks(0, Math.max(...xs), Math.max(2, Math.floor(width / 110)));
  const lowest = Math.min(...points.map(([, , low]) => low));
  const highest = Math.max(...points.map(([, , , high]) => high));
  const yTicks = chooseTicks(bounded ? lowest : 0, highest).filter((tick) => !bounded || tick <= 1.0001);
  const [x0, x1] = [xTicks[0], xTicks.at(-1)];
  const [y0, y1] = [yTicks[0], Math.max(yTicks.at(-1), highest)];
  const toX = (x) => LEFT + ((x - x0) / (x1 - x0)) * (width - LEFT - RIGHT);
  const toY = (y) => HEIGHT - BOTTOM - ((y - y0) / (y1 - y0)) * (HEIGHT - TOP - BOTTOM);
  const line = points.map(([x, y]) => `${toX(x)},${toY(y)}`);
  const upper = points.map(([x, , , high]) => `${toX(x)},${toY(high)}`);
  const lower = points.map(([x, , low]) => `${toX(x)},${toY(low)}`).reverse();
  const dots = points.map(([x, y, low, high]) => {
    const text = `${formatNumber(x)} ${noun}: ${format(y)} (${format(low)} to ${format(high)})`;
    return draw("circle", { cx: toX(x), cy: toY(y), r: 4, class: "dot" }, draw("title", {}, text));
  });
  return drawChart(width, HEIGHT, label,
    ...drawAxis(yTicks, toY, width, format),
    ...xTicks.map((tick) => drawText(toX(tick), HEIGHT - BOTTOM + 16, formatNumber(tick))),
    drawText((LEFT + width - RIGHT) / 2, HEIGHT - 3, noun),
    draw("polygon", { points: [...upper, ...lower].join(" "), class: "band" }),
    draw("polyline", { points: line.join(" "), class: "line" }),
    ...dots.slice(dots.length > 40 ? -1 : 0));
}

// Draw columns of two parts on each other: {name, people, annotators}.
export function drawColumns(width, spans, label) {
  const highest = Math.max(...spans.map(({ people, annotators }) => people + annotators), 1);
  const ticks = chooseTicks(0, highest).filter((tick) => Number.isInteger(tick));
  const top = ticks.at(-1);
  const toY = (n) => HEIGHT - BOTTOM - (n / top) * (HEIGHT - TOP - BOTTOM);
  const pitch = (width - LEFT - RIGHT) / spans.length;
  const size = Math.min(Math.max(pitch - 2, 1), 36);
  const every = Math.ceil(spans.length / Math.max(1, Math.floor((width - LEFT) / 90)));
  const columns = spans.flatMap(({ name, people, annotators }, i) => {
    const x = LEFT + (i + 0.5) * pitch - size / 2;
    const column = (n, below, kind, who) => draw("rect",
      { x, y: toY(below + n), width: size, height: toY(below) - toY(below + n), class: kind },
      draw("title", {}, `${name}: ${formatNumber(n)} ${who}`));
    return [
      ...(people ? [column(people, 0, "people", "by people")] : []),
      ...(annotators ? [column(annotators, people, "annotators", "by the router")] : []),
      ...(i % every === 0 ? [drawText(x + size / 2, HEIGHT - BOTTOM + 16, name)] : []),
    ];
  });
  return drawChart(width, HEIGHT, label, ...drawAxis(ticks, toY, width, formatNumber), ...columns);
}
