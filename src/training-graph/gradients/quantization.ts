import { intAttribute } from '../../onnx/attributes.ts';
import { DataType } from '../../onnx/data-type.ts';
import type { GraphBuilder } from '../graph-builder.ts';
import type { RuleContext, RuleTable } from './rule.ts';

/** y = (x - zero point) scale, with one scale for all, or one for each position along `axis`. */
function scaleGradient(context: RuleContext): string {
  const { graph, node, gradient, input, unsupported } = context;
  const rank = graph.rank(input(0));
  const scale = graph.shape(input(1));
  if (rank === undefined || scale === undefined) return unsupported('operands of unknown rank');
  if (scale.length > 1) return unsupported('a scale for each block');
  const wished = intAttribute(node, 'axis', 1);
  const axis = wished < 0 ? wished + rank : wished;
  const perAxis = scale.length === 1 && scale[0] !== 1;
  const others = Array.from({ length: rank }, (_, a) => a).filter((a) => !perAxis || a !== axis);
  const steps = stepsFromZero(graph, context, perAxis ? rank - 1 - axis : 0);
  const summed = graph.reduceSum(graph.mul(gradient, steps), others);
  return graph.reshapeLike(summed, input(1));
}

/** x minus its zero point, as float32; `trailing` axes follow the axis of the zero points. */
function stepsFromZero(graph: GraphBuilder, { input }: RuleContext, trailing: number): string {
  const steps = graph.cast(input(0), DataType.float32);
  if (input(2) === '') return steps;
  const zero = graph.cast(input(2), DataType.float32);
  const axes = Array.from({ length: trailing }, (_, a) => a + 1);
  return graph.sub(steps, graph.unsqueeze(zero, axes));
}

/** Integers that represent floats. */
export const quantizationRules: RuleTable = {
  DequantizeLinear: {
    // A gradient that reaches the integers is refused at the operator that rounded to them.
    inputs: [0, 1],
    apply: (context) => [undefined, context.needs(1) ? scaleGradient(context) : undefined],
    note: 'the gradient of the scale only, which may not be by block; QuantizeLinear on a path that needs gradients is refused',
  },
};
