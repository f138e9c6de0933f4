/**
 * Just enough of the WebAssembly binary format (core specification 3.0, chapter 5) to encode modules of a few functions
 * by hand: a few hundred bytes, made where they are needed, with no file to host and no build tool.
 */

/** Bytes of instructions, nested as they are composed. */
export type Code = readonly (number | Code)[];

/** Value types as the format encodes them. */
export const valueType = { i32: 0x7f, v128: 0x7b } as const;
export type ValueType = (typeof valueType)[keyof typeof valueType];

/** A nonnegative integer in LEB128. */
export function unsigned(value: number): number[] {
  const bytes: number[] = [];
  for (; value >= 0x80; value = Math.floor(value / 0x80)) bytes.push((value % 0x80) | 0x80);
  return [...bytes, value];
}

/** A nonnegative integer in the signed LEB128 of constants: the top bit of the last byte is the sign. */
function signed(value: number): number[] {
  return value < 0x40 ? [value] : [(value & 0x7f) | 0x80, ...signed(value >>> 7)];
}

/** An instruction of the vector group, prefix 0xfd. */
function vector(opcode: number): number[] {
  return [0xfd, ...unsigned(opcode)];
}

/** An instruction that reads or writes memory; `alignment` is the logarithm of the guaranteed alignment in bytes. */
function memoryAccess(opcode: number, alignment: number): (offset: number) => Code {
  return (offset) => [vector(opcode), alignment, unsigned(offset)];
}

/** The same for a scalar, whose instructions have no prefix. */
function scalarAccess(opcode: number, alignment: number): (offset: number) => Code {
  return (offset) => [opcode, alignment, unsigned(offset)];
}

const BLOCK_WITHOUT_RESULT = 0x40;

/** Instructions, under the names of the specification. Operands precede their instruction: it is a stack machine. */
export const wasm = {
  local: {
    get: (local: number): Code => [0x20, unsigned(local)],
    set: (local: number): Code => [0x21, unsigned(local)],
    tee: (local: number): Code => [0x22, unsigned(local)],
  },
  /** Repeats `body` as long as `condition` leaves a nonzero value. */
  repeatWhile: (body: Code, condition: Code): Code => [
    [0x03, BLOCK_WITHOUT_RESULT],
    body,
    condition,
    [0x0d, 0x00],
    0x0b,
  ],
  /** Runs `body` if `condition` leaves a nonzero value. */
  when: (condition: Code, body: Code): Code => [condition, [0x04, BLOCK_WITHOUT_RESULT], body, 0x0b],
  i32: {
    /** Of an address on the stack */
    load: [0x28, 2, 0],
    const: (value: number): Code => [0x41, signed(value)],
    add: [0x6a],
    sub: [0x6b],
    lessUnsigned: [0x49],
  },
  f32: {
    load: scalarAccess(0x2a, 2),
    store: scalarAccess(0x38, 2),
  },
  f64: {
    load: scalarAccess(0x2b, 2),
    store: scalarAccess(0x39, 2),
  },
  v128: {
    load: memoryAccess(0x00, 3),
    load32Splat: memoryAccess(0x09, 2),
    load64Splat: memoryAccess(0x0a, 3),
    /** The lower half; the upper one is zero */
    load64Zero: memoryAccess(0x5d, 2),
    store: memoryAccess(0x0b, 3),
    /** Writes the lower half */
    store64Low: (offset: number): Code => [memoryAccess(0x5b, 3)(offset), 0],
    not: vector(0x4d),
    and: vector(0x4e),
    or: vector(0x50),
    xor: vector(0x51),
    /** a, b, mask: bits of a where the mask has them, of b elsewhere */
    bitselect: vector(0x52),
  },
  f32x4: {
    /** Of two float64, rounded; the upper two are zero */
    demoteZero: vector(0x5e),
    add: vector(0xe4),
    mul: vector(0xe6),
    /** As in f64x2 */
    relaxedMadd: vector(0x105),
  },
  i64x2: {
    shiftLeft: vector(0xcb),
    shiftRightUnsigned: vector(0xcd),
  },
  f64x2: {
    equal: vector(0x47),
    /** All bits of an element set where a < b, none elsewhere */
    less: vector(0x49),
    floor: vector(0x75),
    abs: vector(0xec),
    neg: vector(0xed),
    /** Of the lower two float32 */
    promoteLow: vector(0x5f),
    /** All bits of an element set where a > b, none elsewhere */
    greater: vector(0x4a),
    sqrt: vector(0xef),
    add: vector(0xf0),
    sub: vector(0xf1),
    mul: vector(0xf2),
    div: vector(0xf3),
    min: vector(0xf4),
    max: vector(0xf5),
    /** a, b: b where a < b, else a */
    pseudoMax: vector(0xf7),
    /** a, b, c: a * b + c, rounded once or twice, whichever the processor prefers */
    relaxedMadd: vector(0x107),
    /** a, b, c: c - a * b, likewise */
    relaxedNmadd: vector(0x108),
  },
} as const;

/** A function without a result. */
export interface WasmFunction {
  /** What it is exported as */
  readonly name: string;
  readonly parameters: readonly ValueType[];
  /** In addition to the parameters, and numbered after them */
  readonly locals: readonly ValueType[];
  readonly body: Code;
}

/** Parameters or locals by name: one of a type, or a list of `count`. */
export type Declarations = Readonly<Record<string, ValueType | readonly [type: ValueType, count: number]>>;

/** Their indices in the format, in the order of their declarations */
export type Locals<D extends Declarations> = {
  readonly [Name in keyof D]: D[Name] extends ValueType ? number : readonly number[];
};

/** Numbers parameters and locals. */
export function declareLocals<P extends Declarations, L extends Declarations>(
  parameters: P,
  locals: L,
): Pick<WasmFunction, 'parameters' | 'locals'> & { readonly named: Locals<P> & Locals<L> } {
  const types: ValueType[] = [];
  const numbered = Object.entries({ ...parameters, ...locals }).map(([each, declared]) => {
    const [type, count] = typeof declared === 'number' ? [declared] : declared;
    const numbers = Array.from({ length: count ?? 1 }, () => types.push(type) - 1);
    return [each, count === undefined ? numbers[0] : numbers] as const;
  });
  const count = Object.keys(parameters).length;
  return {
    parameters: types.slice(0, count),
    locals: types.slice(count),
    named: Object.fromEntries(numbered) as Locals<P> & Locals<L>,
  };
}

/** A function whose parameters and locals have names in its body. */
export function defineFunction<P extends Declarations, L extends Declarations>(
  name: string,
  parameters: P,
  locals: L,
  body: (named: Locals<P> & Locals<L>) => Code,
): WasmFunction {
  const { named, ...types } = declareLocals(parameters, locals);
  return { name, ...types, body: body(named) };
}

/** Declares addresses, lengths and counters. */
export function addresses<Name extends string>(
  ...names: readonly Name[]
): Readonly<Record<Name, typeof valueType.i32>> {
  return Object.fromEntries(names.map((each) => [each, valueType.i32])) as Record<Name, typeof valueType.i32>;
}

/** Adds bytes to an address. */
export function advance(cursor: number, by: Code): Code {
  return [wasm.local.get(cursor), by, wasm.i32.add, wasm.local.set(cursor)];
}

/** Decrements a counter and leaves the result. */
export function countDown(counter: number): Code {
  return [wasm.local.get(counter), wasm.i32.const(1), wasm.i32.sub, wasm.local.tee(counter)];
}

/** A module that imports `env.memory` and exports functions. */
export function encodeModule(functions: readonly WasmFunction[]): Uint8Array<ArrayBuffer> {
  const types = functions.map(({ parameters }) => [0x60, counted(parameters), counted([])]);
  const exported = functions.map((each, index) => [name(each.name), 0x00, unsigned(index)]);
  const code = functions.map(({ locals, body }) => {
    const declared = locals.map((type) => [1, type]);
    return sized([counted(declared), body, 0x0b]);
  });
  return Uint8Array.from(
    flatten([
      [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
      section(1, types),
      section(2, [[name('env'), name('memory'), 0x02, 0x00, 0x00]]),
      section(
        3,
        functions.map((_, index) => unsigned(index)),
      ),
      section(7, exported),
      section(10, code),
    ]),
  );
}

function section(id: number, items: Code): Code {
  return [id, sized(counted(items))];
}

function counted(items: Code): Code {
  return [unsigned(items.length), items];
}

function sized(code: Code): Code {
  const bytes = flatten(code);
  return [unsigned(bytes.length), bytes];
}

function name(text: string): Code {
  return counted([...new TextEncoder().encode(text)]);
}

function flatten(code: Code): number[] {
  return code.flatMap((part) => (typeof part === 'number' ? [part] : flatten(part)));
}
