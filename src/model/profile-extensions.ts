import { MagnitudeEdgeError } from '../errors.ts';
import { lossNames, type LossName, type LossReduction } from '../training-graph/losses.ts';
import type { MaskableEdge } from './edge-mask.ts';
import { edgeTypes, type GsnnGraph, type NodeType } from './graph.ts';
import { asIndexList, asString, asStringList, type Refuse } from './profile-json.ts';

/** The optional input that switches edges off (docs/onnx-profile-extensions.md, "Edge mask"). */
export interface EdgeMaskProfile {
  /** Name of the input, float32 `[edges]` */
  readonly input: string;
  /** The edges in the order of the input, including the self edges that the model adds */
  readonly edges: readonly MaskableEdge[];
}

/** A file that contains its loss and gradients (docs/onnx-profile-extensions.md, "Joint export"). */
export interface JointProfile {
  /** Name of the input that takes the targets, `[batch, outputs]` */
  readonly target: string;
  /** Name of the loss value */
  readonly loss: string;
  readonly lossKind: LossName;
  readonly lossReduction: LossReduction;
  /** L value names: gradients with respect to `preNorm`, in its shape */
  readonly gradPreNorm: readonly string[];
  /** L value names: gradients with respect to `activation`, in its shape */
  readonly gradActivation: readonly string[];
}

/** Node types in the order in which `edgeMaskEdges` numbers them. */
const numbering = ['function', 'input', 'output'] as const satisfies readonly NodeType[];

/**
 * The keys `edgeMask` and `edgeMaskEdges`, checked against the graph; undefined if the profile has neither.
 * @throws MagnitudeEdgeError `graph-mismatch` for edges that the graph does not have; otherwise what `refuse` throws
 */
export function readEdgeMask(
  json: Record<string, unknown>,
  graph: GsnnGraph,
  name: string,
  refuse: Refuse,
): EdgeMaskProfile | undefined {
  if (json.edgeMask === undefined && json.edgeMaskEdges === undefined) return undefined;
  const input = asString(json, 'edgeMask', refuse);
  const pair = json.edgeMaskEdges;
  if (!Array.isArray(pair) || pair.length !== 2)
    return refuse(`'edgeMaskEdges' is not a pair [sources, targets]`);
  const sources = asIndexList(pair[0], 'edgeMaskEdges[0]', refuse);
  const targets = asIndexList(pair[1], 'edgeMaskEdges[1]', refuse);
  if (sources.length !== targets.length) {
    refuse(`'edgeMaskEdges' has ${sources.length} sources and ${targets.length} targets`);
  }
  const known = new Set(
    edgeTypes.flatMap((type) => {
      const [from, to] = graph.edgeIndex[type];
      return Array.from(from, (source, edge) => `${type} ${source} ${to[edge]!}`);
    }),
  );
  const edges = sources.map((source, edge): MaskableEdge => {
    const from = nodeAt(source, graph);
    const to = nodeAt(targets[edge]!, graph);
    const type = from && to && edgeTypes.find((candidate) => candidate === `${from.type},${to.type}`);
    const found = type && { type, source: from.index, target: to.index };
    // The model itself adds self edges of function nodes.
    const isSelf = type === 'function,function' && from?.index === to?.index;
    if (found && (isSelf || known.has(`${type} ${found.source} ${found.target}`))) return found;
    throw new MagnitudeEdgeError(
      'graph-mismatch',
      `${name}: edge ${edge} of 'edgeMaskEdges' (${source} -> ${targets[edge]!}) is not an edge of the profile's graph, with function nodes numbered first, then inputs, then outputs.`,
      { details: { source: name, edge } },
    );
  });
  return { input, edges };
}

function nodeAt(number: number, { nodeNames }: GsnnGraph): { type: NodeType; index: number } | undefined {
  let index = number;
  for (const type of numbering) {
    if (index < nodeNames[type].length) return { type, index };
    index -= nodeNames[type].length;
  }
  return undefined;
}

/** The keys of a joint export; undefined if `joint` is absent or false. Does not check that the names exist. */
export function readJoint(
  json: Record<string, unknown>,
  layers: number,
  refuse: Refuse,
): JointProfile | undefined {
  if (json.joint === undefined || json.joint === false) return undefined;
  if (json.joint !== true) refuse(`'joint' is ${JSON.stringify(json.joint)}, true or false was expected`);
  const joint: JointProfile = {
    target: asString(json, 'target', refuse),
    loss: asString(json, 'loss', refuse),
    lossKind: asOneOf(json, 'lossKind', lossNames, refuse),
    lossReduction: asOneOf(json, 'lossReduction', ['mean', 'sum'], refuse),
    gradPreNorm: asStringList(json.gradPreNorm, 'gradPreNorm', refuse),
    gradActivation: asStringList(json.gradActivation, 'gradActivation', refuse),
  };
  for (const list of ['gradPreNorm', 'gradActivation'] as const) {
    if (joint[list].length !== layers) {
      refuse(`'${list}' names ${joint[list].length} values, but there are ${layers} blocks`);
    }
  }
  return joint;
}

function asOneOf<T extends string>(
  json: Record<string, unknown>,
  label: string,
  allowed: readonly T[],
  refuse: Refuse,
): T {
  const found = asString(json, label, refuse);
  return (
    allowed.find((value) => value === found) ??
    refuse(`'${label}' is '${found}', one of ${allowed.join(', ')} was expected`)
  );
}
