/** Ragged lists in compressed-row form: list j is `indices[offsets[j] .. offsets[j + 1])`. */
export interface RaggedIndices {
  /** Length `lists + 1`, ascending, starting at 0. */
  readonly offsets: Uint32Array;
  /** Length `offsets[lists]`. */
  readonly indices: Uint32Array;
}

/** Packs lists into compressed-row form, keeping their order. */
export function raggedFromLists(lists: readonly (readonly number[])[]): RaggedIndices {
  const offsets = new Uint32Array(lists.length + 1);
  lists.forEach((list, j) => {
    offsets[j + 1] = offsets[j]! + list.length;
  });
  return { offsets, indices: Uint32Array.from(lists.flat()) };
}
