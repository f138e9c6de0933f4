/** Charts as SVG text: lines over two axes, and bars. Colours are classes of the page (s0, s1, ...), so both themes serve. */

/** @typedef {{ label: string, log?: boolean }} Axis */
/** @typedef {{ name: string, points: readonly (readonly [number, number])[] }} Series */

const WIDTH = 460;
const HEIGHT = 290;
const PLOT = { left: 58, right: 344, top: 14, bottom: 244 };

/** @param {string} text */
export const escape = (text) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** 12500 -> 12.5k; whole numbers below in full. @param {number} value */
export function short(value) {
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e4) return String(value);
  if (size >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`;
  if (size >= 1e4) return `${Number((value / 1e3).toPrecision(3))}k`;
  return String(Number(value.toPrecision(3)));
}

/**
 * Where values of an axis lie, and its ticks.
 * @param {readonly number[]} values
 * @param {boolean} log
 * @param {number} from
 * @param {number} to
 */
function scale(values, log, from, to) {
  const positive = values.filter((value) => !log || value > 0);
  let [low, high] = [Math.min(...positive), Math.max(...positive)];
  if (!log) {
    low = 0;
    const step = niceStep(high / 5);
    high = Math.ceil(high / step) * step;
    const ticks = Array.from({ length: Math.round(high / step) + 1 }, (_, i) => i * step);
    return {
      at: (/** @type {number} */ value) => from + ((to - from) * (value - low)) / (high - low || 1),
      ticks,
    };
  }
  // Whole steps of 1, 2, 5 around the values.
  const marks = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    for (const digit of [1, 2, 5]) marks.push(digit * 10 ** power);
  }
  low = Math.max(...marks.filter((mark) => mark <= low * 1.0001));
  high = Math.min(...marks.filter((mark) => mark >= high * 0.9999));
  if (low === high) high *= 2;
  const all = marks.filter((mark) => mark >= low && mark <= high * 1.0001);
  const ticks = all.length > 7 ? all.filter((mark) => /^1/.test(mark.toExponential())) : all;
  const span = Math.log(high / low);
  return { at: (/** @type {number} */ value) => from + ((to - from) * Math.log(value / low)) / span, ticks };
}

/** @param {number} rough */
function niceStep(rough) {
  const power = 10 ** Math.floor(Math.log10(rough || 1));
  return ([1, 2, 2.5, 5, 10].find((digit) => digit * power >= rough) ?? 10) * power;
}

/**
 * Lines with a name at the end of each.
 * @param {{ title: string, x: Axis, y: Axis, series: readonly Series[] }} chart
 */
export function lineChart({ title, x, y, series }) {
  const drawn = series.filter(({ points }) => points.length > 0);
  const points = drawn.flatMap((one) => one.points);
  const across = scale(
    points.map(([value]) => value),
    x.log ?? false,
    PLOT.left,
    PLOT.right,
  );
  const up = scale(
    points.map(([, value]) => value),
    y.log ?? false,
    PLOT.bottom,
    PLOT.top,
  );
  const values = [...new Set(points.map(([value]) => value))].sort((a, b) => a - b);
  const ticks = values.length <= 6 ? values : across.ticks;
  const parts = [
    ...up.ticks.map((tick) => {
      const at = up.at(tick).toFixed(1);
      return `<line class="grid" x1="${PLOT.left}" x2="${PLOT.right}" y1="${at}" y2="${at}"/><text class="tick" x="${PLOT.left - 6}" y="${at}" dy="0.32em" text-anchor="end">${short(tick)}</text>`;
    }),
    ...ticks.map((tick) => {
      const at = across.at(tick).toFixed(1);
      return `<text class="tick" x="${at}" y="${PLOT.bottom + 17}" text-anchor="middle">${short(tick)}</text>`;
    }),
    `<line class="axis" x1="${PLOT.left}" x2="${PLOT.right}" y1="${PLOT.bottom}" y2="${PLOT.bottom}"/>`,
    `<text class="label" x="${(PLOT.left + PLOT.right) / 2}" y="${HEIGHT - 8}" text-anchor="middle">${escape(x.label)}</text>`,
    `<text class="label" transform="translate(14 ${(PLOT.top + PLOT.bottom) / 2}) rotate(-90)" text-anchor="middle">${escape(y.label)}</text>`,
  ];
  const ends = spread(drawn.map((one) => up.at(one.points.at(-1)?.[1] ?? NaN)));
  drawn.forEach((one, index) => {
    const path = one.points.map(([a, b]) => `${across.at(a).toFixed(1)},${up.at(b).toFixed(1)}`);
    parts.push(`<polyline class="line s${index}" points="${path.join(' ')}"/>`);
    one.points.forEach(([a, b], k) => {
      const [cx, cy] = (path[k] ?? '').split(',');
      parts.push(
        `<circle class="dot s${index}" cx="${cx}" cy="${cy}" r="3.5"><title>${escape(one.name)}: ${short(a)}, ${short(b)}</title></circle>`,
      );
    });
    parts.push(
      `<text class="name s${index}" x="${PLOT.right + 10}" y="${(ends[index] ?? 0).toFixed(1)}" dy="0.32em">${escape(one.name)}</text>`,
    );
  });
  return svg(title, WIDTH, HEIGHT, parts);
}

/** Labels at least a line apart, in the order of the lines. @param {readonly number[]} wished */
function spread(wished) {
  const order = wished.map((at, index) => ({ at, index })).sort((a, b) => a.at - b.at);
  const placed = [...wished];
  let last = -Infinity;
  for (const { at, index } of order) {
    last = Math.max(at, last + 15);
    placed[index] = last;
  }
  return placed;
}

/**
 * Horizontal bars from zero, one per row, each with its number.
 * @param {{ title: string, unit: string, bars: readonly { label: string, value: number, kind: number }[] }} chart
 */
export function barChart({ title, unit, bars }) {
  const [right, row] = [384, 24];
  // Room for the longest label, in a font of about six units a letter.
  const left = Math.max(190, 12 + 6.2 * Math.max(...bars.map(({ label }) => label.length)));
  const height = bars.length * row + 44;
  const widest = Math.max(...bars.map(({ value }) => value));
  const parts = bars.flatMap(({ label, value, kind }, index) => {
    const top = 10 + index * row;
    const width = Math.max(((right - left) * value) / widest, 1).toFixed(1);
    return [
      `<text class="tick" x="${(left - 8).toFixed(1)}" y="${top + 9}" dy="0.32em" text-anchor="end">${escape(label)}</text>`,
      `<rect class="bar s${kind}" x="${left.toFixed(1)}" y="${top}" width="${width}" height="${row - 7}" rx="2"/>`,
      `<text class="value" x="${(left + Number(width) + 6).toFixed(1)}" y="${top + 9}" dy="0.32em">${short(value)}</text>`,
    ];
  });
  parts.push(
    `<text class="label" x="${(left + right) / 2}" y="${height - 10}" text-anchor="middle">${escape(unit)}</text>`,
  );
  return svg(title, WIDTH, height, parts);
}

/** @param {string} title @param {number} width @param {number} height @param {readonly string[]} parts */
function svg(title, width, height, parts) {
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escape(title)}">${parts.join('')}</svg>`;
}
