import type { OnnxNode } from '../../onnx/graph.ts';
import type { GraphBuilder } from '../graph-builder.ts';

/** What a gradient rule works with: one node of the forward graph and the gradients of its outputs. */
export interface RuleContext {
  readonly graph: GraphBuilder;
  readonly node: OnnxNode;
  /** d loss / d first output, in the shape of that output. */
  readonly gradient: string;
  /** d loss / d each output; undefined for outputs that the loss does not depend on. */
  readonly gradients: readonly (string | undefined)[];
  /** Name of input `index`; '' for an omitted one. Values that subgraphs read come after the inputs. */
  readonly input: (index: number) => string;
  readonly output: (index: number) => string;
  /** Whether the gradient of input `index` is needed. */
  readonly needs: (index: number) => boolean;
  /** Refuses the node (`unsupported-op`): `reason` completes the sentence "... has no gradient rule for ...". */
  readonly unsupported: (reason: string) => never;
  /** Differentiates a graph inside this one: gradients of `wrt` from `seeds`, the gradients of its outputs. */
  readonly backward: (
    inner: GraphBuilder,
    seeds: ReadonlyMap<string, readonly string[]>,
    wrt: readonly string[],
    place: string,
  ) => ReadonlyMap<string, string>;
}

/** d loss / d each value read, each in the shape of that value; undefined for those without a gradient. */
export type InputGradients = readonly (string | undefined)[];

/** How gradients pass through one operator. */
export interface GradientRule {
  /** Inputs that carry gradients; all if absent. */
  readonly inputs?: readonly number[];
  /** Whether gradients flow through the node's subgraphs, to what they read, and not to its inputs. */
  readonly throughSubgraphs?: true;
  /**
   * Inputs that the output does not depend on, or only in steps: indices, shapes, axes, masks, types. No path leads
   * through them. An input in neither list is refused if a path leads through it.
   */
  readonly withoutGradient?: readonly number[];
  /**
   * Whether the rule uses the gradients of all outputs. Without it, a needed gradient of a further output is refused.
   */
  readonly allOutputs?: boolean;
  /** Adds the nodes of the vector-Jacobian product and names the results. Unused values are removed later. */
  readonly apply: (context: RuleContext) => InputGradients;
  /** What the rule does not cover, or how it treats points without a derivative; for the list of operators. */
  readonly note?: string;
}

export type RuleTable = Readonly<Record<string, GradientRule>>;

/** A rule for `y = f(x)`, element by element; `apply` returns the gradient multiplied by f'(x). */
export function elementwise(
  apply: (graph: GraphBuilder, gradient: string, x: string, y: string, context: RuleContext) => string,
  note?: string,
): GradientRule {
  return {
    inputs: [0],
    apply: (context) => [
      apply(context.graph, context.gradient, context.input(0), context.output(0), context),
    ],
    ...(note === undefined ? {} : { note }),
  };
}
