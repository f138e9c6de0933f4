import { floatAttribute, intAttribute, intsAttribute, tensorAttribute } from './attributes.ts';
import { DataType } from './data-type.ts';
import type { OnnxGraph, OnnxNode, Tensor } from './graph.ts';
import { mapSubgraphs } from './subgraphs.ts';
import { float32Tensor, int64Tensor } from './tensor.ts';

/**
 * Turns Constant nodes into initializers and drops inputs that only restate an initializer (as in files of old IR
 * versions), in subgraphs too, so that constants have one form whatever the producer wrote.
 */
export function liftConstants(graph: OnnxGraph): OnnxGraph {
  const lifted = withLifted(graph);
  return { ...lifted, inputs: graph.inputs.filter(({ name }) => !lifted.initializers.has(name)) };
}

function withLifted(graph: OnnxGraph): OnnxGraph {
  const initializers = new Map(graph.initializers);
  const nodes: OnnxNode[] = [];
  for (const node of graph.nodes) {
    const output = node.outputs[0] ?? '';
    const isConstant = node.opType === 'Constant' && node.domain === '' && output !== '';
    const tensor = isConstant ? constantValue(node) : undefined;
    if (tensor === undefined) nodes.push(mapSubgraphs(node, withLifted));
    else initializers.set(output, tensor);
  }
  return { ...graph, initializers, nodes };
}

/** Undefined for forms without numbers (strings, sparse tensors): such a node is kept. */
function constantValue(node: OnnxNode): Tensor | undefined {
  switch ([...node.attributes.keys()][0]) {
    case 'value':
      return tensorAttribute(node, 'value');
    case 'value_float':
      return float32Tensor([], [floatAttribute(node, 'value_float', 0)]);
    case 'value_int':
      return int64Tensor([], [intAttribute(node, 'value_int', 0)]);
    case 'value_ints': {
      const values = intsAttribute(node, 'value_ints')!;
      return int64Tensor([values.length], values);
    }
    case 'value_floats': {
      const attribute = node.attributes.get('value_floats')!;
      if (attribute.kind !== 'floats') return undefined;
      return { ...float32Tensor([attribute.value.length], attribute.value), elementType: DataType.float32 };
    }
    default:
      return undefined;
  }
}
