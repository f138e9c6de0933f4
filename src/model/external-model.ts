import { MagnitudeEdgeError } from '../errors.ts';
import { functionParents, type ModelGraph } from './graph.ts';
import type { GsnnModel, ModelDiagnostics } from './gsnn-model.ts';
import { defaultLoss } from './loss-settings.ts';
import { readStructure, type GsnnStructure } from './profile.ts';

/** What an inferer needs of a model. */
export type InfererModel = Pick<GsnnModel, keyof GsnnModel>;

/**
 * A GSNN that runs elsewhere, such as in PyTorch: its graph and its channels are known here; its values are passed to
 * `MagnitudeEdgeInferer.fitValues`.
 */
export class ExternalModel implements InfererModel {
  readonly graph: ModelGraph;
  readonly layers: number;
  readonly norm: string;
  readonly channelGroups: readonly number[];
  readonly name: string;
  readonly loss = defaultLoss.loss;
  readonly lossReduction = defaultLoss.lossReduction;
  readonly outputWeights = defaultLoss.outputWeights;
  readonly maskMissingTargets = defaultLoss.maskMissingTargets;
  readonly canRegroup = false;
  readonly maskableEdges = [];
  readonly device = undefined;
  readonly diagnostics: ModelDiagnostics = { executionProvider: 'external', threads: 0, fallbacks: [] };

  private constructor(name: string, { graph, layers, norm, channelGroups }: GsnnStructure) {
    this.name = name;
    this.graph = { ...graph, parents: functionParents(graph) };
    this.layers = layers;
    this.norm = norm;
    this.channelGroups = channelGroups;
  }

  /**
   * @param profile of the contents of profile v1's key 'gsnn': `version`, `checkpoint`, `layers`, `norm`, `nodeNames`,
   * `edgeIndex`, `channelGroups`
   * @param name of the model in messages
   * @throws MagnitudeEdgeError `invalid-model`, `unsupported-model`, `graph-mismatch`, as for a file
   */
  static read(profile: Readonly<Record<string, unknown>>, name: string): ExternalModel {
    return new ExternalModel(name, readStructure(profile, name));
  }

  fingerprint(): string {
    return this.name;
  }

  trainingSession(): Promise<never> {
    return Promise.reject(this.#runsElsewhere('fit', 'use fitValues with the values that it computes'));
  }

  edgeMask(): never {
    throw this.#runsElsewhere('maskedEdges', 'mask edges where the model runs');
  }

  graphUnderMask(): never {
    return this.edgeMask();
  }

  retain(): () => void {
    return () => undefined;
  }

  recover(): Promise<void> {
    return Promise.resolve();
  }

  release(): Promise<void> {
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  #runsElsewhere(what: string, instead: string): MagnitudeEdgeError {
    return new MagnitudeEdgeError(
      'invalid-argument',
      `${what} needs a model that runs here, but ${this.name} does not: ${instead}.`,
    );
  }
}
