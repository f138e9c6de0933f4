/** What the page knows of a model. */
export interface ModelFacts {
  readonly inputs: readonly string[];
  readonly functions: readonly string[];
  readonly outputs: readonly string[];
  /** Function -> function edges as (source, target), self edges included. */
  readonly edges: readonly (readonly [number, number])[];
  /** Input -> function and function -> output edges, each number within its own kind. */
  readonly inputEdges: readonly (readonly [number, number])[];
  readonly outputEdges: readonly (readonly [number, number])[];
  readonly layers: number;
  readonly norm: string;
  /** Whether edges can be switched off in the model itself. */
  readonly canMask: boolean;
}

export interface DataFacts {
  readonly samples: number;
}

/** What runs where. */
export interface Placement {
  readonly backend: string;
  /** Where the model runs. */
  readonly provider: string;
  /** Adapter, threads, fallbacks: one sentence each. */
  readonly notes: readonly string[];
}
