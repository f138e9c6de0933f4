/** Charts of the page, drawn by Observable Plot. Colours are variables of the page's style, so both themes serve. */
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';

/** @typedef {{ label: string, log?: boolean }} Axis */
/** @typedef {{ name: string, points: readonly (readonly [number, number])[] }} Series */

const { document } = parseHTML('<html><body></body></html>');
const colours = ['var(--s0)', 'var(--s1)', 'var(--s2)', 'var(--s3)'];
/** Every second line is dashed: not everybody can tell lines apart by colour. */
const dashes = ['none', '6 4', 'none', '6 4'];

/** @param {readonly string[]} list @param {number} k */
const cycled = (list, k) => list[k % list.length] ?? '';

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
 * The exponent k of a power law value ~ size^k, by least squares of the logarithms over the last three points, where
 * costs independent of the size weigh least.
 * @param {Series['points']} points
 */
export function exponent(points) {
  const last = points.slice(-3).map(([size, value]) => [Math.log(size), Math.log(value)]);
  const mean = (/** @type {0 | 1} */ side) =>
    last.reduce((sum, at) => sum + (at[side] ?? 0), 0) / last.length;
  const [size, value] = [mean(0), mean(1)];
  const across = last.reduce((sum, [a]) => sum + ((a ?? 0) - size) ** 2, 0);
  return last.reduce((sum, [a, b]) => sum + ((a ?? 0) - size) * ((b ?? 0) - value), 0) / across;
}

/**
 * Lines, each with its name at the end.
 * @param {{ title: string, x: Axis, y: Axis, series: readonly Series[] }} chart
 */
export function lineChart({ title, x, y, series }) {
  const drawn = series.filter(({ points }) => points.length > 0);
  const sizes = [...new Set(drawn.flatMap(({ points }) => points.map(([size]) => size)))].sort(
    (a, b) => a - b,
  );
  const lines = drawn.flatMap(({ name, points }, k) => {
    const colour = cycled(colours, k);
    const at = { x: '0', y: '1', stroke: colour };
    return [
      Plot.line(points, { ...at, strokeWidth: 2, strokeDasharray: cycled(dashes, k) }),
      Plot.dot(points, {
        ...at,
        fill: colour,
        title: ([size, value]) => `${name}: ${short(size)}, ${short(value)}`,
      }),
    ];
  });
  const named = /** @type {const} */ ({ label: x.label, labelAnchor: 'center', labelArrow: 'none' });
  const labels = spread(drawn, y.log ?? false).map(({ name, end, dy }, k) =>
    Plot.text([end], {
      x: '0',
      y: '1',
      text: () => name,
      dx: 10,
      dy,
      textAnchor: 'start',
      fill: cycled(colours, k),
    }),
  );
  return svg(title, {
    ...FRAME,
    x: { type: x.log ? 'log' : 'linear' },
    y: {
      type: y.log ? 'log' : 'linear',
      label: y.label,
      labelArrow: 'none',
      grid: true,
      zero: !y.log,
      nice: true,
      tickFormat: short,
      ticks: 5,
    },
    marks: [
      // Measured sizes are the ticks, if there are few; a log scale would leave labels out.
      sizes.length <= 6
        ? Plot.axisX(sizes, { text: short, ...named })
        : Plot.axisX({ tickFormat: short, ...named }),
      ...lines,
      ...labels,
    ],
  });
}

/** Frame of a line chart in pixels, with space for names at the right. */
const FRAME = { width: 460, height: 290, marginTop: 20, marginBottom: 42, marginLeft: 58, marginRight: 116 };
/** Pixels between names */
const LINE = 15;

/**
 * The last point of each line, and how far its name is moved down to keep names a line apart.
 * @param {readonly Series[]} series
 * @param {boolean} log
 */
function spread(series, log) {
  const along = (/** @type {number} */ value) => (log ? Math.log(value) : value);
  const all = series.flatMap(({ points }) => points.map(([, value]) => along(value)));
  const [low, high] = [log ? Math.min(...all) : 0, Math.max(...all)];
  const scale = (FRAME.height - FRAME.marginTop - FRAME.marginBottom) / (high - low || 1);
  const ends = series.map(({ name, points }) => {
    const end = points.at(-1) ?? /** @type {const} */ ([NaN, NaN]);
    return { name, end, at: scale * (high - along(end[1])), dy: 0 };
  });
  let last = -Infinity;
  for (const end of [...ends].sort((a, b) => a.at - b.at)) {
    last = Math.max(end.at, last + LINE);
    end.dy = last - end.at;
  }
  return ends;
}

/**
 * Horizontal bars from zero, one per row, each with its number.
 * @param {{ title: string, unit: string, bars: readonly { label: string, value: number, kind: number }[] }} chart
 */
export function barChart({ title, unit, bars }) {
  return svg(title, {
    width: 460,
    height: bars.length * 24 + 50,
    // Space for the longest label, at about six units per letter.
    marginLeft: Math.max(150, 12 + 6.4 * Math.max(...bars.map(({ label }) => label.length))),
    marginRight: 56,
    x: { label: unit, labelAnchor: 'center', labelArrow: 'none', axis: 'bottom', ticks: [], zero: true },
    y: { label: null, domain: bars.map((_, k) => k), tickFormat: (k) => bars[k]?.label ?? '', tickSize: 0 },
    marks: [
      Plot.barX(bars, {
        x: 'value',
        y: (_, k) => k,
        fill: ({ kind }) => colours[kind % colours.length],
        rx: 2,
      }),
      Plot.text(bars, {
        x: 'value',
        y: (_, k) => k,
        text: ({ value }) => short(value),
        dx: 6,
        textAnchor: 'start',
      }),
    ],
  });
}

/** @param {string} title @param {Plot.PlotOptions} options */
function svg(title, options) {
  const plot = Plot.plot({
    ...options,
    document: /** @type {any} */ (document),
    ariaLabel: title,
    style: { fontSize: '12px', color: 'inherit', overflow: 'visible' },
  });
  plot.setAttribute('role', 'img');
  return plot.outerHTML;
}
