/** File formats in which the edge table can be exported. */
export type ExportFormat =
  | 'arrow'
  | 'parquet'
  | 'csv'
  | 'tsv'
  | 'arboreto'
  | 'graphml'
  | 'cytoscape';

export interface FormatFacts {
  readonly format: ExportFormat;
  readonly label: string;
  readonly extension: string;
  /** Distinguishes formats that share an extension. */
  readonly suffix?: string;
  readonly type: string;
  readonly about: string;
  /** For programs that draw networks: none of them can draw all pairs. */
  readonly isNetwork?: boolean;
}

export const formats: readonly FormatFacts[] = [
  { format: 'csv', label: 'CSV', extension: 'csv', type: 'text/csv', about: 'All columns, comma-separated' },
  {
    format: 'arrow',
    label: 'Arrow',
    extension: 'arrow',
    type: 'application/vnd.apache.arrow.file',
    about: 'All columns with the parameters of the run in the schema metadata',
  },
  {
    format: 'parquet',
    label: 'Parquet',
    extension: 'parquet',
    type: 'application/vnd.apache.parquet',
    about: 'All columns, compressed',
  },
  {
    format: 'tsv',
    label: 'TSV',
    extension: 'tsv',
    type: 'text/tab-separated-values',
    about: 'All columns, tab-separated',
  },
  {
    format: 'arboreto',
    label: 'arboreto',
    suffix: '_arboreto',
    extension: 'tsv',
    type: 'text/tab-separated-values',
    about: 'TF, target, importance: what GRNBoost2 and its readers use; unscored pairs left out',
  },
  {
    format: 'graphml',
    label: 'GraphML',
    extension: 'graphml',
    type: 'application/graphml+xml',
    about: 'A network for yEd, Gephi, igraph, NetworkX',
    isNetwork: true,
  },
  {
    format: 'cytoscape',
    label: 'Cytoscape',
    extension: 'cyjs',
    type: 'application/json',
    about: 'The same network as Cytoscape JSON',
    isNetwork: true,
  },
];

export const factsOf = (format: ExportFormat): FormatFacts =>
  formats.find((facts) => facts.format === format)!;
