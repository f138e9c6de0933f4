import { MagnitudeEdgeError } from '../errors.ts';
import { DataType, dataTypeName, isFloatingPoint } from '../onnx/data-type.ts';
import { standardOpset, type OnnxModel } from '../onnx/graph.ts';
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
  readonly #values: ReadonlySet<string>;
  readonly #parameters: readonly string[];

  constructor(original: OnnxModel) {
    const inlined = upgradeOpset(inlineFunctions(original));
    this.model = { ...inlined, graph: liftConstants(inlined.graph) };
    const { inputs, initializers, nodes, valueTypes, outputs } = this.model.graph;
    this.graph = new GraphBuilder(standardOpset(this.model));
    for (const { name, type } of inputs) this.graph.addInput(name, type);
    for (const [name, tensor] of initializers) this.graph.addInitializer(name, tensor);
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
    this.#parameters = [...original.graph.initializers]
      .filter(([, tensor]) => tensor.elementType === DataType.float32)
      .map(([name]) => name);
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

  /** Names of the parameters asked for. Throws `invalid-argument` for names that are no float32 initializers. */
  parameters(asked: 'all' | readonly string[]): readonly string[] {
    if (asked === 'all') return this.#parameters;
    for (const name of asked) {
      if (this.#parameters.includes(name)) continue;
      throw new MagnitudeEdgeError('invalid-argument', `The model has no float32 parameter '${name}'.`, {
        details: { option: 'parameters', value: name },
      });
    }
    return asked;
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
