export { MagnitudeEdgeError, type ErrorCode, type ErrorDetails } from './errors.ts';
export { buildTrainingGraph } from './training-graph/build.ts';
export type { ParameterValue, TrainingGraph, TrainingGraphOptions } from './training-graph/build.ts';
export type { CustomLoss, Loss, LossName, LossReduction } from './training-graph/losses.ts';
export type { GraphBuilder } from './training-graph/graph-builder.ts';
export type { AttributeInit } from './training-graph/node-key.ts';
export { decodeModel, type DecodeOptions, type ModelSource } from './onnx/decode.ts';
export { encodeModel } from './onnx/encode.ts';
export { DataType, type ElementType } from './onnx/data-type.ts';
export type {
  Attribute,
  Dimension,
  OnnxGraph,
  OnnxModel,
  OnnxNode,
  Tensor,
  TensorType,
  ValueInfo,
} from './onnx/graph.ts';
