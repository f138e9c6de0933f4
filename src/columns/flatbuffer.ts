/**
 * A table of a FlatBuffer (the metadata of Arrow files). Damaged bytes cause a RangeError: every access goes through a
 * DataView, and the bounds of a vector are checked before it is read.
 */
export class FlatTable {
  readonly #view: DataView;
  readonly #at: number;
  readonly #vtable: number;
  readonly #vtableBytes: number;

  /** @param at offset of the table in the view */
  constructor(view: DataView, at: number) {
    this.#view = view;
    this.#at = at;
    this.#vtable = at - view.getInt32(at, true);
    this.#vtableBytes = view.getUint16(this.#vtable, true);
  }

  /** The root table of a buffer. */
  static root(bytes: Uint8Array): FlatTable {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return new FlatTable(view, view.getUint32(0, true));
  }

  uint8(field: number, otherwise = 0): number {
    const at = this.#field(field);
    return at === undefined ? otherwise : this.#view.getUint8(at);
  }

  int16(field: number, otherwise = 0): number {
    const at = this.#field(field);
    return at === undefined ? otherwise : this.#view.getInt16(at, true);
  }

  int32(field: number, otherwise = 0): number {
    const at = this.#field(field);
    return at === undefined ? otherwise : this.#view.getInt32(at, true);
  }

  /** A 64-bit integer; inexact beyond 2^53, which no valid size reaches. */
  int64(field: number, otherwise = 0): number {
    const at = this.#field(field);
    return at === undefined ? otherwise : Number(this.#view.getBigInt64(at, true));
  }

  table(field: number): FlatTable | undefined {
    const at = this.#indirect(field);
    return at === undefined ? undefined : new FlatTable(this.#view, at);
  }

  string(field: number): string | undefined {
    const at = this.#indirect(field);
    if (at === undefined) return undefined;
    const { buffer, byteOffset } = this.#view;
    const length = this.#vectorLength(at, 1);
    return new TextDecoder().decode(new Uint8Array(buffer, byteOffset + at + 4, length));
  }

  tables(field: number): FlatTable[] {
    const at = this.#indirect(field);
    if (at === undefined) return [];
    return Array.from({ length: this.#vectorLength(at, 4) }, (_, index) => {
      const element = at + 4 + 4 * index;
      return new FlatTable(this.#view, element + this.#view.getUint32(element, true));
    });
  }

  /** A vector of structs of 64-bit words; a padded 32-bit field is the low half of a word. */
  words(field: number, wordsPerStruct: number): number[][] {
    const at = this.#indirect(field);
    if (at === undefined) return [];
    return Array.from({ length: this.#vectorLength(at, 8 * wordsPerStruct) }, (_, index) =>
      Array.from({ length: wordsPerStruct }, (_unused, word) =>
        Number(this.#view.getBigInt64(at + 4 + 8 * (wordsPerStruct * index + word), true)),
      ),
    );
  }

  #vectorLength(at: number, elementBytes: number): number {
    const length = this.#view.getUint32(at, true);
    if (at + 4 + length * elementBytes > this.#view.byteLength) {
      throw new RangeError('a vector of its metadata extends beyond the metadata');
    }
    return length;
  }

  #field(field: number): number | undefined {
    const slot = 4 + 2 * field;
    if (slot + 2 > this.#vtableBytes) return undefined;
    const offset = this.#view.getUint16(this.#vtable + slot, true);
    return offset === 0 ? undefined : this.#at + offset;
  }

  #indirect(field: number): number | undefined {
    const at = this.#field(field);
    return at === undefined ? undefined : at + this.#view.getUint32(at, true);
  }
}
