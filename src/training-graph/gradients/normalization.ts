import { floatAttribute, intAttribute } from '../../onnx/attributes.ts';
import type { GradientRule, RuleContext, RuleTable } from './rule.ts';

const softmax: GradientRule = {
  apply: ({ graph, gradient, node, output }) => {
    const axis = intAttribute(node, 'axis', -1);
    const y = output(0);
    const weighted = graph.mul(gradient, y);
    return [graph.sub(weighted, graph.mul(y, graph.reduceSum(weighted, [axis], true)))];
  },
};

const logSoftmax: GradientRule = {
  apply: ({ graph, gradient, node, output }) => {
    const total = graph.reduceSum(gradient, [intAttribute(node, 'axis', -1)], true);
    return [graph.sub(gradient, graph.mul(graph.op('Exp', [output(0)]), total))];
  },
};

function rankOf({ graph, input, unsupported }: RuleContext): number {
  return graph.rank(input(0)) ?? unsupported('an operand of unknown rank');
}

/** With xh = (x - mean) / deviation and gs = g scale: dx = (gs - mean(gs) - xh mean(gs xh)) / deviation. */
const layerNormalization: GradientRule = {
  allOutputs: true,
  note: 'mean and deviation, the second and third output, carry no gradient',
  apply: (context) => {
    const { graph, gradients, node, input, needs, unsupported } = context;
    const gradient = gradients[0];
    if (gradient === undefined || gradients[1] !== undefined || gradients[2] !== undefined) {
      return unsupported('its statistics');
    }
    const rank = rankOf(context);
    const given = intAttribute(node, 'axis', -1);
    const first = given < 0 ? given + rank : given;
    const axes = Array.from({ length: rank - first }, (_, i) => first + i);
    const [x, scale, bias] = [input(0), input(1), input(2)];
    const centred = graph.sub(x, graph.reduceMean(x, axes, true));
    const variance = graph.reduceMean(graph.mul(centred, centred), axes, true);
    const deviation = graph.op('Sqrt', [
      graph.add(variance, graph.scalar(floatAttribute(node, 'epsilon', 1e-5))),
    ]);
    const normalised = graph.div(centred, deviation);
    const scaled = graph.mul(gradient, scale);
    const drift = graph.reduceMean(scaled, axes, true);
    const stretch = graph.reduceMean(graph.mul(scaled, normalised), axes, true);
    const inner = graph.sub(graph.sub(scaled, drift), graph.mul(normalised, stretch));
    return [
      needs(0) ? graph.div(inner, deviation) : undefined,
      needs(1) ? graph.sumLike(graph.mul(gradient, normalised), scale) : undefined,
      bias && needs(2) ? graph.sumLike(gradient, bias) : undefined,
    ];
  },
};

/** With xh = x / root mean square: dx = (gs - xh mean(gs xh)) / root mean square. */
const rmsNormalization: GradientRule = {
  apply: (context) => {
    const { graph, gradient, node, input, needs } = context;
    const rank = rankOf(context);
    const given = intAttribute(node, 'axis', -1);
    const first = given < 0 ? given + rank : given;
    const axes = Array.from({ length: rank - first }, (_, i) => first + i);
    const [x, scale] = [input(0), input(1)];
    const meanSquare = graph.reduceMean(graph.mul(x, x), axes, true);
    const root = graph.op('Sqrt', [
      graph.add(meanSquare, graph.scalar(floatAttribute(node, 'epsilon', 1e-5))),
    ]);
    const normalised = graph.div(x, root);
    const scaled = graph.mul(gradient, scale);
    const stretch = graph.reduceMean(graph.mul(scaled, normalised), axes, true);
    return [
      graph.div(graph.sub(scaled, graph.mul(normalised, stretch)), root),
      needs(1) ? graph.sumLike(graph.mul(gradient, normalised), scale) : undefined,
    ];
  },
};

/** Evaluation mode: y = (x - mean) scale / deviation + bias, channel by channel along axis 1. */
const batchNormalization: GradientRule = {
  note: 'evaluation mode, running statistics as constants or parameters',
  apply: (context) => {
    const { graph, gradient, node, input, needs, unsupported } = context;
    if (intAttribute(node, 'training_mode', 0) === 1) return unsupported('training mode');
    const rank = rankOf(context);
    const trailing = Array.from({ length: rank - 2 }, (_, i) => i + 1);
    const perChannel = (value: string): string => graph.unsqueeze(value, trailing);
    const others = [0, ...trailing.map((axis) => axis + 1)];
    const [x, scale, mean, variance] = [input(0), input(1), input(3), input(4)];
    const deviation = graph.op('Sqrt', [
      graph.add(variance, graph.scalar(floatAttribute(node, 'epsilon', 1e-5))),
    ]);
    const slope = graph.div(scale, deviation);
    const total = (value: string): string => graph.reduceSum(value, others);
    const centred = (): string => graph.mul(gradient, graph.sub(x, perChannel(mean)));
    const ofVariance = (): string => {
      const factor = graph.div(graph.scale(slope, -0.5), graph.mul(deviation, deviation));
      return graph.mul(total(centred()), factor);
    };
    return [
      graph.mul(gradient, perChannel(slope)),
      needs(1) ? graph.div(total(centred()), deviation) : undefined,
      needs(2) ? total(gradient) : undefined,
      needs(3) ? graph.neg(graph.mul(total(gradient), slope)) : undefined,
      needs(4) ? ofVariance() : undefined,
    ];
  },
};

/** Operators that normalise along axes. */
export const normalizationRules: RuleTable = {
  Softmax: softmax,
  LogSoftmax: logSoftmax,
  LayerNormalization: layerNormalization,
  RMSNormalization: rmsNormalization,
  BatchNormalization: batchNormalization,
};
