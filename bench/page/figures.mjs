/** What is drawn of each result: a heading, a sentence, and figures with their numbers. */
import { median } from '../shared/median.mjs';
import { barChart, exponent, lineChart } from './charts.mjs';

/** @typedef {{ title: string, chart: string, head: readonly string[], rows: readonly (readonly (string | number)[])[] }} Figure */
/** @typedef {{ heading: string, note: string, figures: Figure[] }} Section */
/** @typedef {{ name: string, content: any }} Result a file of bench/results/, as read */

const number = (/** @type {number | undefined} */ value) =>
  value === undefined ? '' : Number(value.toPrecision(3));

/** @param {Result} result @returns {Section} */
function kernels({ content }) {
  const { setup, places } = content;
  /** @type {Figure[]} */
  const figures = places.flatMap((/** @type {any} */ place) => {
    const { peaks, points, sets } = place;
    const where = `${place.where === 'node' ? 'Node (Dawn)' : 'Chromium'}: ${place.adapter}`;
    const bars = [
      { label: 'multiply-adds, at most', value: peaks.gflops, kind: 2 },
      ...points
        .filter((/** @type {any} */ { rates }) => rates.productGflops)
        .map((/** @type {any} */ { precision, nodes, rates }) => ({
          label: `${precision}, N = ${nodes}`,
          value: rates.productGflops,
          kind: precision === 'fast' ? 0 : 1,
        })),
      { label: 'plain shared tiles 16 x 16', value: peaks.sharedTile.gflops, kind: 3 },
    ];
    const products = {
      title: `Products in ${where}`,
      chart: barChart({ title: 'Rate of the products', unit: 'GFLOP/s', bars }),
      head: [
        'N',
        'precision',
        'products, GFLOP/s',
        'corr, GB/s',
        'partial, GFLOP/s',
        'copy at most, GB/s',
        ...points[0].steps.map((/** @type {any} */ step) => `${step.what}, s`),
      ],
      rows: points.map((/** @type {any} */ { nodes, precision, rates, steps }) => [
        nodes,
        precision,
        number(rates.productGflops),
        number(rates.pearsonGigabytes),
        number(rates.partialGflops),
        number(peaks.gigabytes),
        ...steps.map((/** @type {any} */ step) => number(step.wall)),
      ]),
    };
    return sets ? [products, growthOverSets(where, sets)] : [products];
  });
  return {
    heading: 'WebGPU kernels',
    note: `n = ${setup.samples}, P = ${setup.pairs}, ${setup.parents} parents per target. Rates are of GPU time (timestamp-query) of the shaders that form X^T Y and a triangle of X^T X; peaks are measured in the same run.`,
    figures,
  };
}

/** @param {string} where @param {any} sets @returns {Figure} */
function growthOverSets(where, { nodes, repeats, points }) {
  const series = (/** @type {string} */ name, /** @type {string} */ kind) => ({
    name,
    points: points.map((/** @type {any} */ point) => /** @type {const} */ ([point.size, point[kind]])),
  });
  return {
    title: `A target's partial scores in ${where}; ${nodes} sources, median of ${repeats}`,
    chart: lineChart({
      title: 'Seconds for a target over the size of its conditioning set',
      x: { label: '|S|, parents of the target', log: true },
      y: { label: 'seconds', log: true },
      series: [series('factor', 'factors'), series('substitution', 'substitution'), series('wall', 'wall')],
    }),
    head: ['|S|', 'targets together', 'factor, GPU s', 'substitution, GPU s', 'by the clock, s'],
    rows: points.map((/** @type {any} */ { size, targets, factors, substitution, wall }) => [
      size,
      targets,
      number(factors),
      number(substitution),
      number(wall),
    ]),
  };
}

/** @param {Result} result @returns {Section} */
function products({ name, content }) {
  const { setup, points } = content;
  const distinct = (/** @type {string} */ field) => [
    ...new Set(points.map((/** @type {any} */ point) => point[field])),
  ];
  /** @type {Figure[]} */
  const figures = distinct('where').flatMap((where) =>
    distinct('threads').map((threads) => {
      const own = points.filter(
        (/** @type {any} */ point) => point.where === where && point.threads === threads,
      );
      const title = `Products in ${where}, ${threads === 1 ? 'one thread' : `${threads} threads`}`;
      return {
        title,
        chart: lineChart({
          title,
          x: { label: 'N, function nodes', log: true },
          y: { label: 'GFLOP/s' },
          series: productSides.map(([side, name]) => ({
            name,
            points: own.flatMap((/** @type {any} */ point) =>
              point[side] ? [/** @type {const} */ ([point.nodes, point[side].median])] : [],
            ),
          })),
        }),
        head: ['N', ...productSides.map(([, name]) => `${name}, GFLOP/s`), 'ours, of the 128-bit limit'],
        rows: own.map((/** @type {any} */ point) => [
          point.nodes,
          ...productSides.map(([side]) => number(point[side]?.median)),
          point.limit128 ? `${((100 * point.ours.median) / point.limit128.median).toFixed(0)}%` : '',
        ]),
      };
    }),
  );
  return {
    heading: `Accumulation on the CPU${name.endsWith('-revectorized') ? ', vectors of 256 bits' : ''}`,
    note: `float64, P = ${setup.pairs}, n = ${setup.samples}; all counted as 3 N^2 n operations. Ours includes all the way from float32 magnitudes to the sums on the host. AVX2: OpenBLAS without AVX-512. The limit: multiply-adds without loads in vectors of 128 bits, WebAssembly's.`,
    figures,
  };
}

/** Sides of a measurement of products, with the names of their lines. */
const productSides = /** @type {const} */ ([
  ['ours', 'ours'],
  ['numpy', 'OpenBLAS'],
  ['limit128', '128-bit limit'],
  ['numpyAvx2', 'AVX2 only'],
]);

const axisNames = /** @type {Record<string, string>} */ ({
  nodes: 'N, function nodes',
  samples: 'n, samples',
  pairs: 'P, layer pairs',
  parents: '|S|, parents per target',
});

/** @param {Result} result @returns {Section} */
function growth({ content }) {
  const { setup, points } = content;
  /** @type {Figure[]} */
  const figures = [];
  for (const [axis, label] of Object.entries(axisNames)) {
    const own = points.filter((/** @type {any} */ point) => point.axis === axis);
    if (own.length === 0) continue;
    for (const [key, unit] of /** @type {const} */ ([
      ['wall', 'seconds'],
      ['peakMiB', 'MiB at most'],
    ])) {
      const series = (/** @type {'ours' | 'port'} */ side) => ({
        name: side === 'ours' ? 'ours' : 'straight port',
        points: own
          .filter((/** @type {any} */ point) => point[side])
          .map((/** @type {any} */ point) => /** @type {const} */ ([point.value, point[side][key]])),
      });
      const log = axis !== 'parents';
      const sides = [series('ours'), series('port')];
      const powers = sides.map(({ name, points }) => `${name} ${exponent(points).toFixed(2)}`).join(', ');
      figures.push({
        title: `${key === 'wall' ? 'Time' : 'Memory'} over ${label}${log ? `; exponents: ${powers}` : ''}`,
        chart: lineChart({
          title: `${unit} over ${label}`,
          x: { label, log },
          y: { label: unit, log: true },
          series: sides,
        }),
        head: [label, `ours, ${unit}`, `port, ${unit}`],
        rows: own.map((/** @type {any} */ point) => [
          point.value,
          number(point.ours[key]),
          number(point.port?.[key]),
        ]),
      });
    }
  }
  return {
    heading: 'Growth',
    note: `CPU engine and straight port, magnitudes to table, partial scores; otherwise N = ${setup.nodes}, n = ${setup.samples}, P = ${setup.pairs}, |S| = ${setup.parents}. Exponents: of the power law through the last three points.`,
    figures,
  };
}

/** @param {Result} result @returns {Section} */
function job({ content }) {
  const { setup, results, machine } = content;
  const fit = results.some((/** @type {any} */ { ours }) => ours.fit);
  const clock = (/** @type {{ wall: number }[]} */ list) => median(list.map(({ wall }) => wall));
  const bars = results.flatMap((/** @type {any} */ { job: what, ours, port }) => {
    const time = (/** @type {any} */ side) =>
      side.fit ? clock(side.fit) : clock(side.accumulate) + clock(side.first ?? side.evaluate);
    const label = what.replace('evaluate, ', '');
    return [
      { label: `${label}: ours`, value: time(ours), kind: 0 },
      { label: `${label}: ${ours.fit ? 'torch' : 'port'}`, value: time(port), kind: 1 },
    ];
  });
  return {
    heading: `The whole job, N = ${setup.nodes}, Node ${machine.node.slice(1)}`,
    note: `Magnitudes to table on ${setup.backend}; P = ${setup.pairs}, n = ${setup.samples}, ${setup.parents} parents per target.${fit ? ' The fit is of the bundled example (24 functions, 2,000 samples).' : ''}`,
    figures: [
      {
        title: fit ? 'Magnitudes to table, and the fit of the example' : 'Magnitudes to table',
        chart: barChart({ title: 'The whole job', unit: 'seconds', bars }),
        head: ['', 'seconds'],
        rows: bars.map((/** @type {any} */ { label, value }) => [label, number(value)]),
      },
    ],
  };
}

/** @param {Result} result @returns {Section} */
function training({ content }) {
  const { setup, points } = content;
  const series = (/** @type {string} */ name, /** @type {(point: any) => number | undefined} */ value) => ({
    name,
    points: points.flatMap((/** @type {any} */ point) => {
      const at = value(point);
      return at === undefined ? [] : [/** @type {const} */ ([point.nodes, at])];
    }),
  });
  const all = [
    series('ours, wasm', (point) => point.ours.seconds),
    series('torch', (point) => point.torch.seconds),
    series('Chromium, wasm', (point) => point.browser?.wasm.seconds),
    series('Chr., WebGPU', (point) => point.browser?.webgpu.seconds),
  ];
  return {
    heading: 'Training graph',
    note: `Forward and backward of one GSNN, batch ${setup.batch}, ${setup.threads} threads; 5 layers, 8 channels, average in-degree 8.`,
    figures: [
      {
        title: 'One batch',
        chart: lineChart({
          title: 'Seconds for a batch',
          x: { label: 'function nodes', log: true },
          y: { label: 'seconds', log: true },
          series: all,
        }),
        head: ['function nodes', 'torch, s', 'ours, s', 'Chromium wasm, s', 'Chromium WebGPU, s'],
        rows: points.map((/** @type {any} */ point) => [
          point.nodes,
          number(point.torch.seconds),
          number(point.ours.seconds),
          number(point.browser?.wasm.seconds),
          number(point.browser?.webgpu.seconds),
        ]),
      },
    ],
  };
}

/** @param {Result} result @returns {Section} */
function interactive({ content }) {
  const { setup, steps } = content;
  const bars = steps.map((/** @type {any} */ step) => ({ label: step.what, value: step.seconds, kind: 0 }));
  return {
    heading: 'While somebody looks',
    note: `CPU engine, ${setup.workers} workers, partial scores: N = ${setup.nodes}, P = ${setup.pairs}, n = ${setup.samples}, ${setup.parents} parents per target. Medians.`,
    figures: [
      {
        title: 'What a change costs',
        chart: barChart({ title: 'What a change costs', unit: 'seconds', bars }),
        head: ['what', 'seconds'],
        rows: steps.map((/** @type {any} */ step) => [step.what, number(step.seconds)]),
      },
    ],
  };
}

/** @param {Result} result @returns {Section} */
function uncertainty({ content }) {
  const { setup, steps } = content;
  const bars = steps.map((/** @type {any} */ { score, what, wall }) => ({
    label: `${score}: ${what}`,
    value: wall,
    kind: score === 'corr' ? 0 : 1,
  }));
  return {
    heading: 'Uncertainty',
    note: `${setup.backend}; N = ${setup.nodes}, P = ${setup.pairs}, n = ${setup.samples}, ${setup.parents} parents per target. A scoring without a group, or of a shuffle, includes its accumulation; medians.`,
    figures: [
      {
        title: 'What resampling costs beside the scores',
        chart: barChart({ title: 'What resampling costs', unit: 'seconds', bars }),
        head: ['score', 'what', 'by the clock, s', 'CPU time, s'],
        rows: steps.map((/** @type {any} */ { score, what, wall, cpu }) => [
          score,
          what,
          number(wall),
          number(cpu),
        ]),
      },
    ],
  };
}

/** How results are drawn, by the prefix of their names, in the order of the page. */
const drawers = /** @type {[string, (result: Result) => Section][]} */ ([
  ['kernels', kernels],
  ['products', products],
  ['job', job],
  ['growth', growth],
  ['training', training],
  ['interactive', interactive],
  ['uncertainty', uncertainty],
]);

/** @param {readonly Result[]} results @returns {(Section & { source: Result })[]} */
export function sections(results) {
  return drawers.flatMap(([prefix, draw]) =>
    results.filter(({ name }) => name.startsWith(prefix)).map((source) => ({ ...draw(source), source })),
  );
}
