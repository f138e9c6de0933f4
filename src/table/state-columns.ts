import { Field, FixedSizeList, Float32, Float64, makeData, type Data } from 'apache-arrow';
import type { Column } from '../columns/column.ts';
import { firstNonFinite } from '../first-non-finite.ts';
import type { StateArrays } from '../statistics/fit-state.ts';

/** An array of a state in a file: its name, and its length for one layer pair. */
export interface PlacedArray {
  readonly name: string;
  readonly length: number;
}

/** Prefix of the columns of arrays that are not statistics. */
const PREFIX = 'state_';

/** Numbers per row, with one row per function node; the last rows are padded with zeros. */
const widthOf = (length: number, nodes: number): number => Math.max(1, Math.ceil(length / nodes));

export function placedArrays(arrays: StateArrays): PlacedArray[] {
  return Array.from(arrays, ([name, pairs]) => ({ name, length: pairs[0]?.length ?? 0 }));
}

/** A column of lists for each array. */
export function stateFields(arrays: StateArrays, nodes: number): Field[] {
  return Array.from(arrays, ([name, pairs]) => {
    const type = pairs[0] instanceof Float64Array ? new Float64() : new Float32();
    const list = new FixedSizeList(widthOf(pairs[0]?.length ?? 0, nodes), new Field('item', type, false));
    return new Field(PREFIX + name, list, false);
  });
}

/** The columns of a layer pair. */
export function stateData(arrays: StateArrays, nodes: number, pair: number): Data[] {
  return stateFields(arrays, nodes).map(({ name, type }) => {
    const values = arrays.get(name.slice(PREFIX.length))![pair]!;
    const list = type as FixedSizeList<Float32 | Float64>;
    const length = nodes * list.listSize;
    const data = values instanceof Float64Array ? new Float64Array(length) : new Float32Array(length);
    data.set(values);
    const child = makeData({
      type: list.children[0]!.type,
      length,
      nullCount: 0,
      data: data as Float64Array,
    });
    return makeData({ type: list, length: nodes, nullCount: 0, child });
  });
}

/**
 * Reads what {@link stateData} wrote.
 *
 * @param column reads a column of the file
 * @param refuse throws with a reason
 */
export function readState(
  placed: readonly PlacedArray[],
  { nodes, pairs }: { readonly nodes: number; readonly pairs: number },
  column: (name: string) => Column,
  refuse: (why: string) => never,
): StateArrays {
  return new Map(
    placed.map(({ name, length }) => {
      const read = column(PREFIX + name);
      const width = widthOf(length, nodes);
      const items = read.kind === 'lists' && read.width === width ? read.items : undefined;
      const values = items?.kind === 'numbers' && items.valid === undefined ? items.values : undefined;
      if (!(values instanceof Float32Array || values instanceof Float64Array))
        return refuse(`has a column '${PREFIX}${name}' of an unexpected type`);
      if (firstNonFinite(values) >= 0)
        refuse(`holds a value in column '${PREFIX}${name}' that is not finite`);
      const each = nodes * width;
      return [name, Array.from({ length: pairs }, (_, p) => values.slice(p * each, p * each + length))];
    }),
  );
}
