import { MagnitudeEdgeError } from '../../errors.ts';
import { describeNode } from '../attributes.ts';
import { DataType, type ElementType } from '../data-type.ts';
import type { Dimension, OnnxGraph, OnnxNode, Tensor, TensorType } from '../graph.ts';
import { elementCount, tensorValues } from '../tensor.ts';

/** The elements of a small tensor that sizes are computed with, as far as known before the model runs; rank 0 or 1. */
export interface Contents {
  readonly scalar: boolean;
  readonly values: readonly Dimension[];
}

/** What an inference rule may ask about a node's inputs. */
export interface InferenceContext {
  readonly node: OnnxNode;
  /** Type of input `index`; unknown for an omitted one. */
  readonly type: (index: number) => TensorType;
  readonly shape: (index: number) => readonly Dimension[] | undefined;
  readonly contents: (index: number) => Contents | undefined;
  readonly constant: (index: number) => Tensor | undefined;
  /** Axis counted from the front. Throws `invalid-model` if it lies outside `rank`. */
  readonly axis: (axis: number, rank: number) => number;
  /** Types of the outputs of a subgraph without inputs. */
  readonly outputsOf: (graph: OnnxGraph) => readonly TensorType[];
}

export type InferenceRule = (context: InferenceContext) => readonly TensorType[];
export type ContentsRule = (context: InferenceContext) => Contents | undefined;

export const unknownType: TensorType = { elementType: undefined, shape: undefined };

/** Longer constants are weights, not shape arithmetic. */
const MAX_CONTENTS = 256;

const contentsTypes: ReadonlySet<ElementType> = new Set([
  DataType.int64,
  DataType.int32,
  DataType.bool,
  DataType.float32,
]);

/** Whether sizes are computed in the type; in float32 they are scaled and rounded. */
export function isContentsType(elementType: ElementType): boolean {
  return contentsTypes.has(elementType);
}

/** The contents of a constant that can take part in shape arithmetic; undefined for any other. */
export function constantContents(tensor: Tensor): Contents | undefined {
  if (!isContentsType(tensor.elementType) || tensor.dims.length > 1) return undefined;
  if (elementCount(tensor.dims) > MAX_CONTENTS) return undefined;
  return { scalar: tensor.dims.length === 0, values: tensorValues(tensor) };
}

export function normalizeAxis(node: OnnxNode, axis: number, rank: number): number {
  const fromFront = axis < 0 ? axis + rank : axis;
  if (Number.isInteger(axis) && fromFront >= 0 && fromFront < rank) return fromFront;
  throw new MagnitudeEdgeError(
    'invalid-model',
    `${describeNode(node)} names axis ${axis} of a value with ${rank} axes.`,
  );
}
