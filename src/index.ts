export type { ColumnarPart, ColumnarTable, ColumnarVector } from './columns/table-in-memory.ts';
export {
  batches,
  type Batch,
  type Batches,
  type BatchedModel,
  type BatchesOptions,
  type DataFile,
  type PlainArrays,
  type SampleSource,
} from './data/batches.ts';
export type { RowMajorValues } from './data/row-major.ts';
export type { ChannelBlock } from './engine/channels/channel-blocks.ts';
export type { PairMagnitudes } from './engine/channels/pair-magnitudes.ts';
export type { ChannelOptions } from './engine/channels/channel-settings.ts';
export type { BackendName, Reduction } from './engine/engine.ts';
export type { UncertaintyOptions } from './resampling/uncertainty-settings.ts';
export { MagnitudeEdgeError, type ErrorCode, type ErrorDetails } from './errors.ts';
export type {
  ChannelBlockOptions,
  CheckpointOptions,
  CheckpointSink,
  EdgeScores,
  EvaluateBatchesOptions,
  EvaluateOptions,
  FitOptions,
  FitProgress,
  FitValuesOptions,
  InfererDiagnostics,
  InfererOptions,
  ScoreOptions,
  SelectOptions,
} from './inferer/inferer-options.ts';
export { MagnitudeEdgeInferer } from './inferer/inferer.ts';
export { originPrivateCheckpoint } from './inferer/origin-private-checkpoint.ts';
export type { BatchSizes, RequestedSizes, SizedModel } from './model/batch-sizes.ts';
export type { CpuOperator } from './model/cpu-operators.ts';
export type { NamedEdge } from './model/edge-mask.ts';
export { ExternalModel, type InfererModel } from './model/external-model.ts';
export type { EdgeIndex, GsnnGraph, ModelGraph, NodeType } from './model/graph.ts';
export { GsnnModel, type ModelDiagnostics } from './model/gsnn-model.ts';
export type { LoadOptions, TrainingRequest } from './model/load-options.ts';
export type { LossBatch } from './model/loss-batches.ts';
export type { LossSettings } from './model/loss-settings.ts';
export { configureRuntime, type ExecutionProvider, type RuntimeConfiguration } from './model/runtime.ts';
export type { BinarySource } from './bytes/source.ts';
export type { BlockValues, TrainingSession } from './model/training-session.ts';
export { coverageWarning, nothingScored, unscoredInWords } from './table/coverage-words.ts';
export type { Figures } from './ranking/recovery-figures.ts';
export { rocAuc } from './ranking/roc.ts';
export type { ChannelAggregation } from './scoring/channel/request.ts';
export type {
  Correlation,
  EdgeScore,
  LayerAggregation,
  MagnitudeScore,
  Score,
  ScoreAggregation,
} from './scoring/score-matrices.ts';
export type { ScoreBuffers, ScorePanel, ScoreReader, Scores } from './engine/scores/scores.ts';
export type { ScoreTests } from './scoring/score-matrices.ts';
export type { ScoreCoverage, UnscoredPairs } from './engine/scores/unscored.ts';
export { coverageFrom, tableCoverage } from './table/coverage-metadata.ts';
export {
  edgeTable,
  edgeTableBatches,
  type EdgeTableBatchesOptions,
  type EdgeTableOptions,
  type EdgeTableProvenance,
} from './table/edge-table.ts';
export type { CsvStyle } from './table/csv.ts';
export type { EdgeColumns } from './table/edge-table-columns.ts';
export { encodeBatches } from './table/encode-batches.ts';
export {
  decodeTable,
  encodeTable,
  tableFormat,
  type DecodeTableOptions,
  type TableFormat,
  type TextOptions,
} from './table/formats.ts';
export { readPositiveEdges, type NamedPair } from './table/positives.ts';
export { evaluateRecovery, type Recovery, type RecoveryOptions } from './table/recovery.ts';
export { evaluateTargetRanking, type RankingOptions, type TargetRanking } from './table/ranking.ts';
export type { CustomLoss, Loss, LossName, LossReduction } from './training-graph/losses.ts';
export { version } from './version.ts';
