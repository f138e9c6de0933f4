import { MagnitudeEdgeError, type ErrorCode } from '../errors.ts';
import { DataType, dataTypeName, isFloatingPoint } from '../onnx/data-type.ts';
import type { OnnxModel, TensorType } from '../onnx/graph.ts';
import { checkGraph, edgeTypes, nodeTypes, type EdgeIndex, type GsnnGraph } from './graph.ts';
import { readEdgeMask, readJoint, type EdgeMaskProfile, type JointProfile } from './profile-extensions.ts';
import { asRecord, asStringList, asIndexList, asString, readJson } from './profile-json.ts';

/** The structure of a model that the method needs, whatever runs the model. */
export interface GsnnStructure {
  /** L, residual blocks */
  readonly layers: number;
  readonly norm: string;
  /** The function node of each channel; C entries */
  readonly channelGroups: readonly number[];
  readonly graph: GsnnGraph;
}

/**
 * Contents of the metadata key `gsnn` (docs/onnx-profile.md and docs/onnx-profile-extensions.md), checked against the
 * model that carries it.
 */
export interface GsnnProfile extends GsnnStructure {
  /** Name of the model's input, `[batch, inputs]` */
  readonly input: string;
  /** Name of the model's output, `[batch, outputs]` */
  readonly output: string;
  /** L value names, `[batch, channels]` or `[batch, channels, 1]`: after `lin_in`, before the norm of the block */
  readonly preNorm: readonly string[];
  /** L value names of the same shape: the block's last activation, before `lin_out` */
  readonly activation: readonly string[];
  /** Values through which no gradient flows */
  readonly stopGradient: readonly string[];
  /** Undefined if edges cannot be masked */
  readonly edgeMask: EdgeMaskProfile | undefined;
  /** Undefined if the file contains only a forward pass */
  readonly joint: JointProfile | undefined;
}

/** Norms after which the size of activations is still meaningful (docs/method.md, "What must be refused"). */
const normsWithMagnitudes: readonly string[] = ['batch', 'groupbatch', 'none'];

/**
 * Reads and checks the profile of a model.
 * @param name of the model in messages
 * @throws MagnitudeEdgeError `invalid-model` (no or another profile, missing values, wrong types), `unsupported-model`
 * (checkpointing, fewer than two blocks), `graph-mismatch` (channel map, names and edges that disagree)
 */
export function readProfile(model: OnnxModel, name: string): GsnnProfile {
  const refuse = refusalOf(name);
  const text = model.metadata.get('gsnn');
  if (text === undefined) return refuse(`there is no metadata key 'gsnn', so this is not an exported GSNN`);
  const json = readJson(text, refuse);
  const structure = readStructure(json, name);
  const { layers, graph } = structure;
  const profile: GsnnProfile = {
    ...structure,
    input: asString(json, 'input', refuse),
    output: asString(json, 'output', refuse),
    preNorm: asStringList(json.preNorm, 'preNorm', refuse),
    activation: asStringList(json.activation, 'activation', refuse),
    stopGradient: asStringList(json.stopGradient ?? [], 'stopGradient', refuse),
    edgeMask: readEdgeMask(json, graph, name, refuse),
    joint: readJoint(json, layers, refuse),
  };
  for (const list of ['preNorm', 'activation'] as const) {
    if (profile[list].length !== layers) {
      refuse(`'${list}' names ${profile[list].length} values, but there are ${layers} blocks`);
    }
  }
  checkValues(profile, model, refuse);
  return profile;
}

/**
 * Reads and checks the graph, the blocks and the channels of a profile.
 * @throws MagnitudeEdgeError as {@link readProfile}
 */
export function readStructure(json: Readonly<Record<string, unknown>>, name: string): GsnnStructure {
  const refuse = refusalOf(name);
  if (json.version !== 1) {
    refuse(`profile version ${JSON.stringify(json.version)} is unknown, version 1 was expected`);
  }
  if (json.checkpoint !== undefined && json.checkpoint !== false) {
    refuse(
      'it was exported with gradient checkpointing on; export it with checkpointing off',
      'unsupported-model',
    );
  }
  const layers = json.layers;
  if (typeof layers !== 'number' || !Number.isInteger(layers)) {
    return refuse(`'layers' is ${JSON.stringify(layers)}, a whole number was expected`);
  }
  if (layers < 2) {
    refuse(`it has ${layers} block${layers === 1 ? '' : 's'}, at least 2 are needed`, 'unsupported-model');
  }
  const graph = readGraph(json, refuse);
  checkGraph(graph, `The graph of ${name}`);
  const structure = {
    layers,
    norm: asString(json, 'norm', refuse),
    channelGroups: asIndexList(json.channelGroups, 'channelGroups', refuse),
    graph,
  };
  checkChannels(structure, name);
  return structure;
}

function refusalOf(name: string): (why: string, code?: ErrorCode) => never {
  return (why, code = 'invalid-model') => {
    throw new MagnitudeEdgeError(code, `${name}: ${why}.`, { details: { source: name } });
  };
}

function readGraph(json: Readonly<Record<string, unknown>>, refuse: (why: string) => never): GsnnGraph {
  const names = asRecord(json.nodeNames, 'nodeNames', refuse);
  const edges = asRecord(json.edgeIndex, 'edgeIndex', refuse);
  const readEdges = (edgeType: string): EdgeIndex => {
    const pair = edges[edgeType];
    const label = `edgeIndex['${edgeType}']`;
    if (!Array.isArray(pair) || pair.length !== 2)
      return refuse(`'${label}' is not a pair [sources, targets]`);
    return [asIndexList(pair[0], label, refuse), asIndexList(pair[1], label, refuse)];
  };
  return {
    nodeNames: Object.fromEntries(
      nodeTypes.map((type) => [type, asStringList(names[type], `nodeNames.${type}`, refuse)]),
    ) as unknown as GsnnGraph['nodeNames'],
    edgeIndex: Object.fromEntries(
      edgeTypes.map((edgeType) => [edgeType, readEdges(edgeType)]),
    ) as unknown as GsnnGraph['edgeIndex'],
  };
}

/** Checks that each channel belongs to a function node, and that each function node has a channel. */
function checkChannels({ channelGroups, graph }: GsnnStructure, name: string): void {
  const functions = graph.nodeNames.function;
  const mismatch = (why: string): never => {
    throw new MagnitudeEdgeError('graph-mismatch', `${name}: ${why}.`, { details: { source: name } });
  };
  const counts = new Uint32Array(functions.length);
  channelGroups.forEach((group, channel) => {
    if (group >= functions.length) {
      mismatch(
        `'channelGroups' gives channel ${channel} to function node ${group}, but there are ${functions.length} function nodes`,
      );
    }
    counts[group]!++;
  });
  const empty = counts.indexOf(0);
  if (empty !== -1) mismatch(`function node '${functions[empty]!}' (index ${empty}) has no channels`);
  if (functions.length === 0) mismatch('there are no function nodes');
}

function checkValues(
  profile: GsnnProfile,
  model: OnnxModel,
  refuse: (why: string, code?: ErrorCode) => never,
): void {
  const types = declaredTypes(model);
  const { input: inputs, output: outputs } = profile.graph.nodeNames;
  const channels = profile.channelGroups.length;
  const check = (value: string, role: string, columns?: number, nodes?: string): void => {
    const type = types.get(value);
    if (!type) return refuse(`the profile names the value '${value}' (${role}), which is not in the graph`);
    if (type.elementType !== undefined && type.elementType !== DataType.float32) {
      refuse(`'${value}' (${role}) is ${dataTypeName(type.elementType)}, float32 was expected`);
    }
    const found = type.shape?.[1];
    if (columns !== undefined && typeof found === 'number' && found !== columns) {
      refuse(
        `'${value}' (${role}) has ${found} columns, but the profile gives ${columns} ${nodes}`,
        'graph-mismatch',
      );
    }
  };
  const requireInput = (input: string): void => {
    if (model.graph.inputs.some((given) => given.name === input)) return;
    refuse(`the profile names the input '${input}', which is not an input of the graph`);
  };
  requireInput(profile.input);
  check(profile.input, 'input', inputs.length, 'input nodes');
  check(profile.output, 'output', outputs.length, 'output nodes');
  profile.preNorm.forEach((value, block) => {
    check(value, `preNorm[${block}]`, channels, "channels in 'channelGroups'");
  });
  profile.activation.forEach((value, block) => {
    check(value, `activation[${block}]`, channels, "channels in 'channelGroups'");
  });
  const { edgeMask, joint } = profile;
  if (edgeMask) {
    requireInput(edgeMask.input);
    check(edgeMask.input, 'edgeMask');
    const shape = types.get(edgeMask.input)!.shape;
    const edges = edgeMask.edges.length;
    if (shape && (shape.length !== 1 || (typeof shape[0] === 'number' && shape[0] !== edges))) {
      refuse(
        `'${edgeMask.input}' (edgeMask) is [${shape.join(', ')}], but 'edgeMaskEdges' lists ${edges} edges`,
        'graph-mismatch',
      );
    }
  }
  if (joint) {
    requireInput(joint.target);
    check(joint.target, 'target', outputs.length, 'output nodes');
    check(joint.loss, 'loss');
    for (const list of ['gradPreNorm', 'gradActivation'] as const) {
      joint[list].forEach((value, block) => {
        check(value, `${list}[${block}]`, channels, "channels in 'channelGroups'");
      });
    }
  }
  for (const value of profile.stopGradient) {
    if (!types.has(value)) refuse(`'stopGradient' names the value '${value}', which is not in the graph`);
  }
  for (const [name, tensor] of model.graph.initializers) {
    // A scalar of another width is a constant that is cast on use; a weight of another width is not profile v1.
    const isWeight = tensor.dims.reduce((product, size) => product * size, 1) > 1;
    if (isWeight && isFloatingPoint(tensor.elementType) && tensor.elementType !== DataType.float32) {
      refuse(`the weights '${name}' are ${dataTypeName(tensor.elementType)}, float32 was expected`);
    }
  }
}

/** Every value of the graph, with the type that the file declares. */
function declaredTypes({ graph }: OnnxModel): Map<string, TensorType> {
  const types = new Map<string, TensorType>();
  for (const node of graph.nodes) {
    for (const output of node.outputs) types.set(output, { elementType: undefined, shape: undefined });
  }
  for (const [name, tensor] of graph.initializers) {
    types.set(name, { elementType: tensor.elementType, shape: tensor.dims });
  }
  for (const [name, type] of graph.valueTypes) if (types.has(name)) types.set(name, type);
  for (const { name, type } of graph.inputs) types.set(name, type);
  for (const { name, type } of graph.outputs) if (types.has(name)) types.set(name, type);
  return types;
}

/**
 * Refuses post-norm values after a norm that erases the magnitudes.
 * @throws MagnitudeEdgeError `unsupported-model`
 */
export function checkPostNorm(norm: string): void {
  if (normsWithMagnitudes.includes(norm)) return;
  throw new MagnitudeEdgeError(
    'unsupported-model',
    `usePreNorm: false needs a model whose norm is one of ${normsWithMagnitudes.join(', ')}, but this one has norm '${norm}', which erases the magnitudes.`,
    { details: { norm } },
  );
}
