import type { ElementType } from './data-type.ts';
import type {
  AttributeProto,
  FunctionProto,
  GraphProto,
  ModelProto,
  NodeProto,
  TypeProto,
} from './schema/onnx_pb.ts';

/**
 * The size of one axis: a number, a name for a size known only at run time (`batch`; products are written `24*batch`),
 * or undefined if unknown.
 */
export type Dimension = number | string | undefined;

/** What is known about a tensor before the model runs. */
export interface TensorType {
  /** Undefined if neither declared in the file nor inferred. */
  readonly elementType: ElementType | undefined;
  /** Undefined if not even the rank is known. */
  readonly shape: readonly Dimension[] | undefined;
  /** A declared type other than a tensor (a sequence, an optional), passed through unchanged. */
  readonly other?: TypeProto;
}

/** A value with its declared type: a graph input, a graph output, or an annotated inner value. */
export interface ValueInfo {
  readonly name: string;
  readonly type: TensorType;
}

/** A constant. Elements are row-major and little-endian in `bytes`; strings are separate. Borrows the file's bytes. */
export interface Tensor {
  readonly elementType: ElementType;
  readonly dims: readonly number[];
  readonly bytes: Uint8Array;
  readonly strings?: readonly Uint8Array[];
}

/** An attribute of a node. Integers are bigint, since shapes use the whole range of int64. */
export type Attribute =
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'int'; readonly value: bigint }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'tensor'; readonly value: Tensor }
  | { readonly kind: 'floats'; readonly value: readonly number[] }
  | { readonly kind: 'ints'; readonly value: readonly bigint[] }
  | { readonly kind: 'strings'; readonly value: readonly string[] }
  /** A branch of If, the body of Loop or Scan: may read values of the enclosing graph. */
  | { readonly kind: 'graph'; readonly value: OnnxGraph }
  | { readonly kind: 'graphs'; readonly value: readonly OnnxGraph[] }
  /** Types, sparse tensors and references to a function's attributes: passed through unchanged. */
  | { readonly kind: 'opaque'; readonly value: AttributeProto };

/** An operation. An empty input name stands for an omitted optional input. */
export interface OnnxNode {
  readonly name: string;
  readonly opType: string;
  /** Empty for the standard operators. */
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, Attribute>;
  /** The message that the node was read from: keeps notes and fields that this type does not represent. */
  readonly source?: NodeProto;
}

/** Inputs, constants and operations in topological order. */
export interface OnnxGraph {
  readonly name: string;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  /** Declared types of inner values, by name; optional in a file. */
  readonly valueTypes: ReadonlyMap<string, TensorType>;
  readonly initializers: ReadonlyMap<string, Tensor>;
  readonly nodes: readonly OnnxNode[];
  readonly source?: GraphProto;
}

/** A model as read from a file. Tensors borrow the file's bytes: do not modify those while the model is in use. */
export interface OnnxModel {
  readonly irVersion: number;
  /** Operator set version by domain; the standard operators have domain ''. */
  readonly opsets: ReadonlyMap<string, number>;
  /** `metadata_props`: the profile's `gsnn` JSON and whatever else a producer wrote. */
  readonly metadata: ReadonlyMap<string, string>;
  readonly graph: OnnxGraph;
  readonly functions: readonly FunctionProto[];
  readonly source?: ModelProto;
}

/** The version of the standard operators that the model is written in. */
export function standardOpset(model: OnnxModel): number {
  return model.opsets.get('') ?? model.opsets.get('ai.onnx') ?? 0;
}

/** An Identity node, which gives a value another name. */
export function identityNode(name: string, input: string, output: string): OnnxNode {
  return { name, opType: 'Identity', domain: '', inputs: [input], outputs: [output], attributes: new Map() };
}
