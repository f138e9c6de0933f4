import type { ModelFacts, Placement } from './facts.ts';
import type { NamedFile } from '../state/inputs.ts';
import type { Params } from '../state/params.ts';

/** A file as results name it. */
export interface FileFacts {
  readonly name: string;
  /** Tells files apart that share a name: SHA-256 of the content, in hexadecimal. */
  readonly digest: string;
  readonly origin: 'address' | 'disk' | 'example';
  /** Where it was fetched from; null for a file of the user's disk. */
  readonly address: string | null;
}

export const factsOfFile = ({ name, digest, origin, address }: NamedFile): FileFacts => ({
  name,
  digest,
  origin,
  address: address ?? null,
});

/** What the statistics of a fit are of. */
export interface FitSource {
  /** The number that the page gave the fit. */
  readonly run: number;
  readonly model: FileFacts & { readonly facts: ModelFacts };
  readonly data: FileFacts & { readonly samples: number };
  /** The parameters of the fit; what they say of scoring is not part of it. */
  readonly params: Params;
}

/** What scores were computed from. Told by the thread that computed them, never read off the page's controls. */
export interface FitProvenance extends FitSource {
  readonly kind: 'fit';
  /** The parameters of the fit, and those of the scoring. */
  readonly params: Params;
  /** Samples in the statistics at the moment of the scoring. */
  readonly samples: number;
  readonly placement: Placement;
  /** Seconds of the scoring. */
  readonly seconds: number;
  /** The table has what resampling says of its scores. */
  readonly resampled: boolean;
}

/** A table that was computed elsewhere; its schema metadata is all that is known of how. */
export interface FileProvenance {
  readonly kind: 'file';
  readonly file: FileFacts;
  readonly metadata: Readonly<Record<string, string>>;
}

export type Provenance = FitProvenance | FileProvenance;

/** Results with the same identity are about the same nodes: a name in one is that name in the other. */
export const identityOf = (provenance: Provenance): string =>
  provenance.kind === 'fit' ? `model ${provenance.model.digest}` : `table ${provenance.file.digest}`;
