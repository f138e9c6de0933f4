import type { NodeOrderName } from '../src/edges/node-order.ts';
import type { RowFilter, Sort } from '../src/edges/row-query.ts';
import type { ViewName } from '../src/state/view.ts';

/** The facts sent with the bytes of an edge table. */
export interface TableFacts {
  /** Counts the tables that one widget has shown. */
  readonly version: number;
  /** Title of the table. */
  readonly title: string;
  /** Names of all function nodes by their index, if known. */
  readonly names: readonly string[] | null;
  /** Edges known to be right, as (source, target). */
  readonly positives: readonly (readonly [string, string])[];
  /** Whether the kernel holds the model and the samples behind the scores, so that evidence can be requested. */
  readonly evidence: boolean;
}

/** A request for the evidence of one pair. */
export interface EvidenceRequest {
  readonly what: 'magnitudes' | 'block';
  /** Nodes by their number among the function nodes */
  readonly source: number;
  readonly target: number;
  /** Of a block */
  readonly layerPair: number | null;
}

/** The answer's numbers are float32 for magnitudes, float64 for a block; arrays are concatenated. */
export interface EvidenceFacts {
  readonly refusal?: { readonly code: string; readonly message: string };
  /** Of magnitudes: layer pairs */
  readonly pairs?: number;
  /** Of a block */
  readonly sourceChannels?: readonly number[];
  readonly targetChannels?: readonly number[];
}

/** How a table is viewed; the host keeps it while the frame is off the page. */
export interface Settings {
  readonly view: ViewName;
  readonly order: NodeOrderName;
  readonly threshold: number | null;
  readonly sort: Sort;
  readonly filter: RowFilter;
}

/** From the host's page to the explorer in its frame. */
export type ToExplorer =
  | { readonly kind: 'table'; readonly facts: TableFacts; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'theme'; readonly theme: 'light' | 'dark' }
  /** Names: none, a node, or source and target. */
  | { readonly kind: 'select'; readonly names: readonly string[] }
  | { readonly kind: 'settings'; readonly settings: Settings }
  | {
      readonly kind: 'evidence';
      readonly id: number;
      readonly facts: EvidenceFacts;
      readonly bytes: Uint8Array<ArrayBuffer>;
    }
  | { readonly kind: 'notice'; readonly text: string };

/** From the explorer to its host's page. */
export type FromExplorer =
  | { readonly kind: 'selected'; readonly names: readonly string[] }
  /** Row numbers shown, in order; null for all rows in table order. */
  | {
      readonly kind: 'rows';
      readonly version: number;
      readonly rows: Uint32Array<ArrayBuffer> | null;
    }
  | { readonly kind: 'evidence'; readonly id: number; readonly request: EvidenceRequest }
  | { readonly kind: 'settings'; readonly settings: Settings };
