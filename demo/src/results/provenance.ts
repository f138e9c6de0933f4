import type { ModelFacts, Placement } from './facts.ts';
import type { NamedFile } from '../state/inputs.ts';
import type { Params } from './params.ts';

/** A file as results refer to it. */
export interface FileFacts {
  readonly name: string;
  /** Distinguishes files of the same name: SHA-256 of the content, in hexadecimal. */
  readonly digest: string;
  readonly origin: 'address' | 'disk' | 'example';
  /** Where it was fetched from; null for a file from the user's disk. */
  readonly address: string | null;
}

export const factsOfFile = ({ name, digest, origin, address }: NamedFile): FileFacts => ({
  name,
  digest,
  origin,
  address: address ?? null,
});

/** What the statistics of a fit were computed from. */
export interface FitSource {
  /** The number that the page assigned to the fit. */
  readonly run: number;
  readonly model: FileFacts & { readonly facts: ModelFacts };
  readonly data: FileFacts & { readonly samples: number };
  /** The parameters of the fit; its scoring parameters do not count. */
  readonly params: Params;
}

/** What scores were computed from. Reported by the thread that computed them, never read from the page's controls. */
export interface FitProvenance extends FitSource {
  readonly kind: 'fit';
  /** The parameters of the fit and of the scoring. */
  readonly params: Params;
  /** Samples in the statistics when they were scored. */
  readonly samples: number;
  readonly placement: Placement;
  /** Duration of the scoring in seconds. */
  readonly seconds: number;
  /** Whether the table includes uncertainty from resampling. */
  readonly resampled: boolean;
}

/** A table computed elsewhere; only its schema metadata says how. */
export interface FileProvenance {
  readonly kind: 'file';
  readonly file: FileFacts;
  readonly metadata: Readonly<Record<string, string>>;
}

export type Provenance = FitProvenance | FileProvenance;

/** Results with the same identity are about the same nodes: a name refers to the same node in both. */
export const identityOf = (provenance: Provenance): string =>
  provenance.kind === 'fit' ? `model ${provenance.model.digest}` : `table ${provenance.file.digest}`;
