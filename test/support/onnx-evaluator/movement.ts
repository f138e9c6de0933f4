import {
  at,
  broadcastDims,
  filled,
  forEachIndex,
  generate,
  ndArray,
  position,
  reshape,
  scalar,
  sizeOf,
  transpose,
  type NdArray,
} from './array.ts';
import { axisFromFront, type Evaluation, type Operator } from './operator.ts';

const list = (array: NdArray | undefined): number[] => [...(array?.data ?? [])];

const reshapeOperator: Operator = ({ input, int }) => {
  const data = input(0);
  const wanted = list(input(1)).map((size, axis) =>
    size === 0 && int('allowzero', 0) === 0 ? data.dims[axis]! : size,
  );
  const known = wanted.reduce((product, size) => (size === -1 ? product : product * size), 1);
  return [
    reshape(
      data,
      wanted.map((size) => (size === -1 ? data.data.length / known : size)),
    ),
  ];
};

const squeeze: Operator = ({ input, inputs }) => {
  const data = input(0);
  const axes = inputs[1] && list(inputs[1]).map((axis) => axisFromFront(axis, data.dims.length));
  return [
    reshape(
      data,
      data.dims.filter((size, axis) => (axes ? !axes.includes(axis) : size !== 1)),
    ),
  ];
};

const unsqueeze: Operator = ({ input }) => {
  const data = input(0);
  const rank = data.dims.length + input(1).data.length;
  const axes = list(input(1)).map((axis) => axisFromFront(axis, rank));
  const rest = [...data.dims];
  return [
    reshape(
      data,
      Array.from({ length: rank }, (_, axis) => (axes.includes(axis) ? 1 : rest.shift()!)),
    ),
  ];
};

const expand: Operator = ({ input }) => {
  const target = filled(list(input(1)), 0);
  return [generate(broadcastDims([input(0), target]), (index) => at(input(0), index))];
};

const concat: Operator = ({ inputs, int }) => {
  const arrays = inputs as NdArray[];
  const axis = axisFromFront(int('axis', 0), arrays[0]!.dims.length);
  const total = arrays.reduce((sum, { dims }) => sum + dims[axis]!, 0);
  const dims = arrays[0]!.dims.map((size, a) => (a === axis ? total : size));
  return [
    generate(dims, (index) => {
      let along = index[axis]!;
      for (const array of arrays) {
        if (along < array.dims[axis]!) return at(array, index.with(axis, along));
        along -= array.dims[axis]!;
      }
      throw new Error('unreachable');
    }),
  ];
};

const split: Operator = ({ input, inputs, int, outputs }) => {
  const data = input(0);
  const axis = axisFromFront(int('axis', 0), data.dims.length);
  const size = data.dims[axis]!;
  const each = Math.ceil(size / outputs);
  const sizes = inputs[1]
    ? list(inputs[1])
    : Array.from({ length: outputs }, (_, i) => Math.min(each, size - i * each));
  let start = 0;
  return sizes.map((length) => {
    const from = start;
    start += length;
    return generate(data.dims.with(axis, length), (index) => at(data, index.with(axis, index[axis]! + from)));
  });
};

const slice: Operator = ({ input, inputs }) => {
  const [data, starts, ends] = [input(0), list(input(1)), list(input(2))];
  const axes = inputs[3] ? list(inputs[3]) : starts.map((_, i) => i);
  const picked = data.dims.map((size) => Array.from({ length: size }, (_, i) => i));
  axes.forEach((given, i) => {
    const axis = axisFromFront(given, data.dims.length);
    const size = data.dims[axis]!;
    const step = inputs[4] ? inputs[4].data[i]! : 1;
    const clamp = (value: number, low: number, high: number): number =>
      Math.min(Math.max(value < 0 ? value + size : value, low), high);
    const start = step > 0 ? clamp(starts[i]!, 0, size) : clamp(starts[i]!, 0, size - 1);
    const end = step > 0 ? clamp(ends[i]!, 0, size) : clamp(ends[i]!, -1, size - 1);
    picked[axis] = [];
    for (let at = start; step > 0 ? at < end : at > end; at += step) picked[axis].push(at);
  });
  return [
    generate(
      picked.map((positions) => positions.length),
      (index) =>
        at(
          data,
          index.map((i, axis) => picked[axis]![i]!),
        ),
    ),
  ];
};

const pad: Operator = ({ input, inputs }) => {
  const [data, pads] = [input(0), list(input(1))];
  const axes = inputs[3] ? list(inputs[3]) : data.dims.map((_, axis) => axis);
  const before = data.dims.map(() => 0);
  const dims = [...data.dims];
  axes.forEach((given, i) => {
    const axis = axisFromFront(given, data.dims.length);
    before[axis] = pads[i]!;
    dims[axis]! += pads[i]! + pads[i + axes.length]!;
  });
  return [
    generate(dims, (index) => {
      const source = index.map((i, axis) => i - before[axis]!);
      const inside = source.every((i, axis) => i >= 0 && i < data.dims[axis]!);
      return inside ? at(data, source) : (inputs[2]?.data[0] ?? 0);
    }),
  ];
};

const gather: Operator = ({ input, int }) => {
  const [data, indices] = [input(0), input(1)];
  const axis = axisFromFront(int('axis', 0), data.dims.length);
  const rank = indices.dims.length;
  const dims = [...data.dims.slice(0, axis), ...indices.dims, ...data.dims.slice(axis + 1)];
  return [
    generate(dims, (index) => {
      const picked = at(indices, index.slice(axis, axis + rank));
      const along = picked < 0 ? picked + data.dims[axis]! : picked;
      return at(data, [...index.slice(0, axis), along, ...index.slice(axis + rank)]);
    }),
  ];
};

const gatherElements: Operator = ({ input, int }) => {
  const [data, indices] = [input(0), input(1)];
  const axis = axisFromFront(int('axis', 0), data.dims.length);
  return [
    generate(indices.dims, (index) => {
      const along = indices.data[position(indices, index)]!;
      return data.data[position(data, index.with(axis, along < 0 ? along + data.dims[axis]! : along))]!;
    }),
  ];
};

const gatherNd: Operator = ({ input, int }) => {
  const [data, indices] = [input(0), input(1)];
  const batch = int('batch_dims', 0);
  const depth = indices.dims.at(-1)!;
  const outer = indices.dims.slice(0, -1);
  return [
    generate([...outer, ...data.dims.slice(batch + depth)], (index) => {
      const lead = index.slice(0, outer.length);
      const picked = Array.from({ length: depth }, (_, d) => at(indices, [...lead, d]));
      return at(data, [...index.slice(0, batch), ...picked, ...index.slice(outer.length)]);
    }),
  ];
};

function store(evaluation: Evaluation, result: NdArray, index: readonly number[], value: number): void {
  const flat = position(result, index);
  const reduce: Record<string, (kept: number) => number> = {
    none: () => value,
    add: (kept) => kept + value,
    max: (kept) => Math.max(kept, value),
    min: (kept) => Math.min(kept, value),
  };
  result.data[flat] = reduce[evaluation.string('reduction', 'none')]!(result.data[flat]!);
}

const scatterElements: Operator = (evaluation) => {
  const { input, int } = evaluation;
  const [data, indices, updates] = [input(0), input(1), input(2)];
  const axis = axisFromFront(int('axis', 0), data.dims.length);
  const result = { dims: data.dims, data: data.data.slice() };
  forEachIndex(indices.dims, (index) => {
    const along = at(indices, index);
    const place = index.with(axis, along < 0 ? along + data.dims[axis]! : along);
    store(evaluation, result, place, at(updates, index));
  });
  return [result];
};

const scatterNd: Operator = (evaluation) => {
  const [data, indices, updates] = [evaluation.input(0), evaluation.input(1), evaluation.input(2)];
  const outer = indices.dims.length - 1;
  const result = { dims: data.dims, data: data.data.slice() };
  forEachIndex(updates.dims, (index) => {
    const lead = index.slice(0, outer);
    const picked = Array.from({ length: indices.dims.at(-1)! }, (_, d) => at(indices, [...lead, d]));
    store(evaluation, result, [...picked, ...index.slice(outer)], at(updates, index));
  });
  return [result];
};

const cumSum: Operator = ({ input, int }) => {
  const data = input(0);
  const axis = axisFromFront(input(1).data[0]!, data.dims.length);
  const size = data.dims[axis]!;
  return [
    generate(data.dims, (index) => {
      let sum = 0;
      for (let i = 0; i < size; i++) {
        const distance = int('reverse', 0) === 1 ? i - index[axis]! : index[axis]! - i;
        if (distance > 0 || (distance === 0 && int('exclusive', 0) === 0))
          sum += at(data, index.with(axis, i));
      }
      return sum;
    }),
  ];
};

const trilu: Operator = ({ input, inputs, int }) => {
  const k = inputs[1]?.data[0] ?? 0;
  return [
    generate(input(0).dims, (index) => {
      const offset = index.at(-1)! - index.at(-2)!;
      return (int('upper', 1) === 1 ? offset >= k : offset <= k) ? at(input(0), index) : 0;
    }),
  ];
};

const range: Operator = ({ input }) => {
  const [start, limit, delta] = [0, 1, 2].map((index) => input(index).data[0]!) as [number, number, number];
  const length = Math.max(0, Math.ceil((limit - start) / delta));
  return [generate([length], ([i]) => start + i! * delta)];
};

const oneHot: Operator = ({ input, int }) => {
  const [indices, values] = [input(0), input(2)];
  const depth = Math.trunc(input(1).data[0]!);
  const axis = axisFromFront(int('axis', -1), indices.dims.length + 1);
  return [
    generate([...indices.dims.slice(0, axis), depth, ...indices.dims.slice(axis)], (index) => {
      const chosen = Math.trunc(at(indices, [...index.slice(0, axis), ...index.slice(axis + 1)]));
      return values.data[index[axis] === (chosen < 0 ? chosen + depth : chosen) ? 1 : 0]!;
    }),
  ];
};

const nonZero: Operator = ({ input }) => {
  const found: number[][] = [];
  forEachIndex(input(0).dims, (index) => {
    if (at(input(0), index) !== 0) found.push([...index]);
  });
  return [generate([input(0).dims.length, found.length], ([axis, n]) => found[n!]![axis!]!)];
};

const flatten: Operator = ({ input, int }) => {
  const { dims } = input(0);
  const axis = int('axis', 1) < 0 ? int('axis', 1) + dims.length : int('axis', 1);
  return [reshape(input(0), [sizeOf(dims.slice(0, axis)), sizeOf(dims.slice(axis))])];
};

export const movementOperators: Readonly<Record<string, Operator>> = {
  Reshape: reshapeOperator,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Flatten: flatten,
  Transpose: ({ input, ints }) => [
    transpose(input(0), ints('perm') ?? input(0).dims.map((_, axis, { length }) => length - 1 - axis)),
  ],
  Expand: expand,
  Tile: ({ input }) => [
    generate(
      input(0).dims.map((size, axis) => size * input(1).data[axis]!),
      (index) =>
        at(
          input(0),
          index.map((i, axis) => i % input(0).dims[axis]!),
        ),
    ),
  ],
  Concat: concat,
  Split: split,
  Slice: slice,
  Pad: pad,
  Gather: gather,
  GatherElements: gatherElements,
  GatherND: gatherNd,
  ScatterElements: scatterElements,
  ScatterND: scatterNd,
  CumSum: cumSum,
  Trilu: trilu,
  Range: range,
  OneHot: oneHot,
  NonZero: nonZero,
  Shape: ({ input, int }) => {
    const dims = input(0).dims.slice(int('start', 0), int('end', input(0).dims.length));
    return [ndArray([dims.length], dims)];
  },
  Size: ({ input }) => [scalar(input(0).data.length)],
  ConstantOfShape: ({ input, tensor }) => [filled(list(input(0)), tensor('value')?.data[0] ?? 0)],
};
