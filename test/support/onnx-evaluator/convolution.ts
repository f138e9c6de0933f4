import { at, filled, forEachIndex, generate, position, type NdArray } from './array.ts';
import type { Evaluation, Operator } from './operator.ts';

interface Window {
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly pads: readonly number[];
}

function windowOf({ ints }: Evaluation, spatial: number): Window {
  const ones = Array<number>(spatial).fill(1);
  return {
    strides: ints('strides') ?? ones,
    dilations: ints('dilations') ?? ones,
    pads: ints('pads') ?? Array<number>(2 * spatial).fill(0),
  };
}

function outputSizes(
  evaluation: Evaluation,
  sizes: readonly number[],
  kernel: readonly number[],
  { strides, dilations, pads }: Window,
): number[] {
  return sizes.map((size, a) => {
    const reach = (kernel[a]! - 1) * dilations[a]! + 1;
    const room = size + pads[a]! + pads[a + sizes.length]! - reach;
    if (evaluation.int('ceil_mode', 0) === 0) return Math.floor(room / strides[a]!) + 1;
    const count = Math.ceil(room / strides[a]!) + 1;
    return (count - 1) * strides[a]! >= size + pads[a]! ? count - 1 : count;
  });
}

/** The position that tap `k` of the window at `o` reads, along every spatial axis. */
function tap(o: readonly number[], k: readonly number[], { strides, dilations, pads }: Window): number[] {
  return o.map((value, a) => value * strides[a]! + k[a]! * dilations[a]! - pads[a]!);
}

const inside = (index: readonly number[], sizes: readonly number[]): boolean =>
  index.every((i, axis) => i >= 0 && i < sizes[axis]!);

const convolution: Operator = (evaluation) => {
  const [x, w, bias] = [evaluation.input(0), evaluation.input(1), evaluation.inputs[2]];
  const sizes = x.dims.slice(2);
  const window = windowOf(evaluation, sizes.length);
  const groups = evaluation.int('group', 1);
  const [outChannels, inPerGroup] = [w.dims[0]!, w.dims[1]!];
  const spatial = outputSizes(evaluation, sizes, w.dims.slice(2), window);
  return [
    generate([x.dims[0]!, outChannels, ...spatial], ([n, c, ...o]) => {
      const group = Math.floor((c! * groups) / outChannels);
      let sum = bias?.data[c!] ?? 0;
      forEachIndex(w.dims.slice(1), ([i, ...k]) => {
        const source = tap(o, k, window);
        if (inside(source, sizes))
          sum += at(x, [n!, group * inPerGroup + i!, ...source]) * at(w, [c!, i!, ...k]);
      });
      return sum;
    }),
  ];
};

const convolutionTranspose: Operator = (evaluation) => {
  const [x, w, bias] = [evaluation.input(0), evaluation.input(1), evaluation.inputs[2]];
  const sizes = x.dims.slice(2);
  const window = windowOf(evaluation, sizes.length);
  const groups = evaluation.int('group', 1);
  const outPerGroup = w.dims[1]!;
  const extra = evaluation.ints('output_padding') ?? sizes.map(() => 0);
  const spatial = sizes.map((size, a) => {
    const reach = (w.dims[a + 2]! - 1) * window.dilations[a]! + 1;
    return (
      window.strides[a]! * (size - 1) + reach + extra[a]! - window.pads[a]! - window.pads[a + sizes.length]!
    );
  });
  const result = filled([x.dims[0]!, outPerGroup * groups, ...spatial], 0);
  forEachIndex(x.dims, ([n, c, ...o]) => {
    const group = Math.floor((c! * groups) / x.dims[1]!);
    forEachIndex(w.dims.slice(1), ([i, ...k]) => {
      const target = tap(o, k, window);
      if (!inside(target, spatial)) return;
      result.data[position(result, [n!, group * outPerGroup + i!, ...target])]! +=
        at(x, [n!, c!, ...o]) * at(w, [c!, i!, ...k]);
    });
  });
  if (bias === undefined) return [result];
  return [generate(result.dims, (index) => at(result, index) + bias.data[index[1]!]!)];
};

/** The elements under each window, with their positions in the data. */
function pooled(
  evaluation: Evaluation,
  f: (taps: { value: number; position: number }[], all: number) => number,
): NdArray {
  const x = evaluation.input(0);
  const sizes = x.dims.slice(2);
  const kernel = evaluation.ints('kernel_shape')!;
  const window = windowOf(evaluation, sizes.length);
  const dims = [...x.dims.slice(0, 2), ...outputSizes(evaluation, sizes, kernel, window)];
  return generate(dims, ([n, c, ...o]) => {
    const taps: { value: number; position: number }[] = [];
    let all = 0;
    forEachIndex(kernel, (k) => {
      const source = tap(o, k, window);
      // With ceil_mode a window may reach beyond the padding; those taps do not count.
      if (source.every((i, a) => i < sizes[a]! + window.pads[a + sizes.length]!)) all++;
      if (!inside(source, sizes)) return;
      const flat = position(x, [n!, c!, ...source]);
      taps.push({ value: x.data[flat]!, position: flat });
    });
    return f(taps, all);
  });
}

const maxPool: Operator = (evaluation) => {
  const best = (taps: { value: number; position: number }[]) =>
    taps.reduce((a, b) => (b.value > a.value ? b : a));
  const values = pooled(evaluation, (taps) => best(taps).value);
  return evaluation.outputs === 1 ? [values] : [values, pooled(evaluation, (taps) => best(taps).position)];
};

const averagePool: Operator = (evaluation) => [
  pooled(evaluation, (taps, all) => {
    const count = evaluation.int('count_include_pad', 0) === 1 ? all : taps.length;
    return taps.reduce((sum, { value }) => sum + value, 0) / count;
  }),
];

const global = (f: (values: number[]) => number): Operator => {
  return ({ input }) => {
    const { dims } = input(0);
    const spatial = dims.slice(2);
    return [
      generate([dims[0]!, dims[1]!, ...spatial.map(() => 1)], ([n, c]) => {
        const values: number[] = [];
        forEachIndex(spatial, (o) => values.push(at(input(0), [n!, c!, ...o])));
        return f(values);
      }),
    ];
  };
};

export const convolutionOperators: Readonly<Record<string, Operator>> = {
  Conv: convolution,
  ConvTranspose: convolutionTranspose,
  MaxPool: maxPool,
  AveragePool: averagePool,
  GlobalAveragePool: global((values) => values.reduce((a, b) => a + b, 0) / values.length),
  GlobalMaxPool: global((values) => Math.max(...values)),
};
