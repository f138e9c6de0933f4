import { MagnitudeEdgeError } from '../errors.ts';
import { DataType, dataTypeName, isFloatingPoint } from '../onnx/data-type.ts';
import { standardOpset, type OnnxModel, type Tensor } from '../onnx/graph.ts';
import { inlineFunctions } from '../onnx/inline-functions.ts';
import { liftConstants } from '../onnx/lift-constants.ts';
import { subgraphNames } from '../onnx/topology.ts';
import { upgradeOpset } from '../onnx/upgrade-opset.ts';
import { GraphBuilder } from './graph-builder.ts';

/** A model made ready for differentiation: functions inlined, constants as initializers, operator set 18 or newer. */
export class ForwardGraph {
  readonly model: OnnxModel;
  /** Holds the model's nodes; loss and gradients are added to it. */
  readonly graph: GraphBuilder;
  /** Parameters asked for, with their values in the file. */
  readonly parameters: ReadonlyMap<string, Tensor>;
  readonly #values: ReadonlySet<string>;

  /**
   * `parameters` become inputs, so that they can change from run to run.
   * Throws `invalid-argument` for names that are no float32 initializers.
   */
  constructor(original: OnnxModel, parameters: 'all' | readonly string[]) {
    const inlined = upgradeOpset(inlineFunctions(original));
    this.model = { ...inlined, graph: liftConstants(inlined.graph) };
    const { inputs, initializers, nodes, valueTypes, outputs } = this.model.graph;
    this.graph = new GraphBuilder(standardOpset(this.model));
    for (const { name, type } of inputs) this.graph.addInput(name, type);
    this.parameters = parametersOf(original, parameters);
    for (const [name, tensor] of initializers) {
      if (!this.parameters.has(name)) this.graph.addInitializer(name, tensor);
      else this.graph.addInput(name, { elementType: tensor.elementType, shape: tensor.dims });
    }
    const declared = new Map([...outputs.map(({ name, type }) => [name, type] as const), ...valueTypes]);
    for (const node of nodes) {
      this.graph.addForeignNode(node, declared);
      for (const name of subgraphNames(node)) this.graph.reserveName(name);
    }
    this.#values = new Set([
      ...inputs.map(({ name }) => name),
      ...initializers.keys(),
      ...nodes.flatMap((node) => node.outputs),
    ]);
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

  /** Throws `invalid-argument` for values of `wrt` that hold whole numbers or booleans. */
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
      root = node.inputs[0]!;
    }
  }
}

/** float32 initializers by name. */
function parametersOf({ graph }: OnnxModel, asked: 'all' | readonly string[]): ReadonlyMap<string, Tensor> {
  const all = new Map(
    [...graph.initializers].filter(([, tensor]) => tensor.elementType === DataType.float32),
  );
  if (asked === 'all') return all;
  return new Map(
    asked.map((name) => {
      const tensor = all.get(name);
      if (tensor !== undefined) return [name, tensor];
      throw new MagnitudeEdgeError('invalid-argument', `The model has no float32 parameter '${name}'.`, {
        details: { option: 'parameters', value: name },
      });
    }),
  );
}
