import { MagnitudeEdgeError } from '../errors.ts';
import { DataType, dataTypeName, isFloatingPoint } from '../onnx/data-type.ts';
import {
  identityNode,
  standardOpset,
  type Dimension,
  type OnnxModel,
  type OnnxNode,
  type Tensor,
  type TensorType,
} from '../onnx/graph.ts';
import { foldConstants } from '../onnx/fold-constants.ts';
import { inlineControlFlow } from '../onnx/inline-control-flow.ts';
import { inlineFunctions } from '../onnx/inline-functions.ts';
import { liftConstants } from '../onnx/lift-constants.ts';
import { allDefinedNames } from '../onnx/subgraphs.ts';
import { elementCount } from '../onnx/tensor.ts';
import { upgradeOpset } from '../onnx/upgrade-opset.ts';
import { GraphBuilder } from './graph-builder.ts';
import { GraphRecorder } from './graph-recorder.ts';
import { LINEAR_MAP } from './gradients/linear-map.ts';
import { findLinearMaps } from './sparse/collapse.ts';
import { sparseMap } from './sparse/product.ts';
import type { StaticView } from './sparse/static-view.ts';

/** A model prepared for differentiation: functions inlined, constants as initializers, operator set 18 or newer. */
export class ForwardGraph {
  readonly model: OnnxModel;
  /** Holds the model's nodes; loss and gradients are added to it. */
  readonly graph: GraphBuilder;
  /** Requested parameters, with their values in the file. */
  readonly parameters: ReadonlyMap<string, Tensor>;
  readonly #values: ReadonlySet<string>;

  /**
   * `parameters` become inputs, so that they can change from run to run. Values in `kept` exist under their names and
   * are differentiated individually; what lies between other values may be computed differently. Throws
   * `invalid-argument` for names that are not float32 initializers.
   */
  constructor(original: OnnxModel, parameters: 'all' | readonly string[], kept: ReadonlySet<string>) {
    const inlined = upgradeOpset(inlineFunctions(original));
    this.parameters = parametersOf(original, parameters);
    const fixed = new Set([...kept, ...this.parameters.keys()]);
    const folded = foldConstants(liftConstants(inlined.graph), fixed);
    const flattened = inlineControlFlow(folded, new Set(this.parameters.keys()));
    this.model = { ...inlined, graph: flattened === folded ? folded : foldConstants(flattened, fixed) };
    const { inputs, initializers, nodes, valueTypes, outputs } = this.model.graph;
    this.graph = new GraphBuilder(standardOpset(this.model));
    for (const name of allDefinedNames(this.model.graph)) this.graph.reserveName(name);
    for (const { name, type } of inputs) this.graph.addInput(name, type);
    for (const [name, tensor] of initializers) {
      if (!this.parameters.has(name)) this.graph.addInitializer(name, tensor);
      else this.graph.addInput(name, { elementType: tensor.elementType, shape: tensor.dims });
    }
    const declared = new Map([...outputs.map(({ name, type }) => [name, type] as const), ...valueTypes]);
    const maps = linearMapsOf(this.model, this.parameters, declared, kept);
    for (const node of nodes) this.#addNode(node, declared, maps);
    this.#values = new Set([
      ...inputs.map(({ name }) => name),
      ...initializers.keys(),
      ...nodes.flatMap((node) => node.outputs),
    ]);
  }

  /** Adds a node, or, for an output that is a constant linear map of an earlier value, the product with the matrix. */
  #addNode(
    node: OnnxNode,
    declared: ReadonlyMap<string, TensorType>,
    maps: ReadonlyMap<string, MappedValue>,
  ): void {
    const mapped = node.outputs.filter((output) => maps.has(output));
    if (mapped.length === 0) {
      this.graph.addModelNode(node, declared);
      return;
    }
    // Outputs without a map keep their node, which gives up the names of the mapped ones.
    const rest = node.outputs.map((output) => (maps.has(output) ? '' : output));
    if (rest.some((output) => output !== '')) this.graph.addForeignNode({ ...node, outputs: rest }, declared);
    for (const output of mapped) {
      const { view, shape } = maps.get(output)!;
      const { base, matrix, batchAxis } = view;
      this.graph.scope = `${output}/`;
      const recorded = this.graph.recordAs(LINEAR_MAP.opType, LINEAR_MAP.domain, base, () =>
        sparseMap(this.graph, base, matrix, shape, batchAxis),
      );
      if (recorded.node !== undefined) this.graph.linearMaps.set(recorded.node, { matrix, batchAxis });
      this.graph.addForeignNode(identityNode(node.name, recorded.value, output));
    }
  }

  /** Whether the model itself has a value of this name. */
  has(value: string): boolean {
    return value !== '' && this.#values.has(value);
  }

  /** Throws `invalid-argument` unless every name is a value of the model. */
  requireValues(option: string, values: readonly string[]): void {
    for (const value of values) {
      if (this.has(value)) continue;
      throw new MagnitudeEdgeError(
        'invalid-argument',
        `The model has no value '${value}', which ${option} names.`,
        {
          details: { option, value },
        },
      );
    }
  }

  /** Throws `invalid-argument` for values of `wrt` that hold integers or booleans. */
  requireDifferentiable(values: readonly string[]): void {
    for (const value of values) {
      const { elementType } = this.graph.type(value);
      if (elementType === undefined || isFloatingPoint(elementType)) continue;
      throw new MagnitudeEdgeError(
        'invalid-argument',
        `Gradients were asked for '${value}', which is ${dataTypeName(elementType)}; only float32 has gradients.`,
        { details: { option: 'wrt', value } },
      );
    }
  }

  /** The value at the head of the chain of Identity nodes that leads to `value`; a stop ends the chain. */
  aliasRoot(value: string, stops: ReadonlySet<string>): string {
    let root = value;
    for (;;) {
      const node = this.graph.producer(root);
      if (node?.opType !== 'Identity' || node.domain !== '' || stops.has(root)) return root;
      if (this.graph.isOffTape(node.inputs[0]!)) return root;
      root = node.inputs[0]!;
    }
  }
}

/** The requested float32 initializers, by name. */
function parametersOf({ graph }: OnnxModel, names: 'all' | readonly string[]): ReadonlyMap<string, Tensor> {
  const all = new Map(
    [...graph.initializers].filter(([, tensor]) => tensor.elementType === DataType.float32),
  );
  if (names === 'all') return all;
  return new Map(
    names.map((name) => {
      const tensor = all.get(name);
      if (tensor !== undefined) return [name, tensor];
      throw new MagnitudeEdgeError('invalid-argument', `The model has no float32 parameter '${name}'.`, {
        details: { option: 'parameters', value: name },
      });
    }),
  );
}

/** A value that is a constant linear map of an earlier one. */
interface MappedValue {
  readonly view: StaticView & { readonly base: string };
  readonly shape: readonly Dimension[];
}

/** Infers the shapes of the graph in a first pass, and finds the constant linear maps in it. */
function linearMapsOf(
  model: OnnxModel,
  parameters: ReadonlyMap<string, Tensor>,
  declared: ReadonlyMap<string, TensorType>,
  kept: ReadonlySet<string>,
): ReadonlyMap<string, MappedValue> {
  const { inputs, initializers, nodes } = model.graph;
  const graph = new GraphRecorder(standardOpset(model));
  for (const { name, type } of inputs) graph.addInput(name, type);
  for (const [name, tensor] of initializers) {
    if (!parameters.has(name)) graph.addInitializer(name, tensor);
    else graph.addInput(name, { elementType: tensor.elementType, shape: tensor.dims });
  }
  for (const node of nodes) graph.addForeignNode(node, declared);
  const size = [...initializers.values()].reduce((sum, { dims }) => sum + elementCount(dims), 0);
  const maps = new Map<string, MappedValue>();
  for (const [value, view] of findLinearMaps(graph, nodes, withAliases(graph, kept), size)) {
    const shape = graph.shape(value);
    if (view.base !== undefined && shape !== undefined)
      maps.set(value, { view: { ...view, base: view.base }, shape });
  }
  return maps;
}

/** The values and their aliases through Identity, which share one gradient. */
function withAliases(graph: GraphRecorder, values: ReadonlySet<string>): ReadonlySet<string> {
  const all = new Set<string>();
  for (let value of values) {
    all.add(value);
    for (let node = graph.producer(value); node?.opType === 'Identity' && node.domain === '';) {
      value = node.inputs[0]!;
      all.add(value);
      node = graph.producer(value);
    }
  }
  return all;
}
