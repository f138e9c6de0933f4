/** `[sources, targets]`: two lists of equal length, each entry an index within its own node type. */
export type EdgeIndex = readonly [sources: ArrayLike<number>, targets: ArrayLike<number>];

/** The graph that a GSNN was trained on: names of the nodes and the three kinds of edges (ONNX profile v1). */
export interface GsnnGraph {
  readonly nodeNames: {
    readonly input: readonly string[];
    readonly function: readonly string[];
    readonly output: readonly string[];
  };
  readonly edgeIndex: {
    readonly 'input,function': EdgeIndex;
    readonly 'function,function': EdgeIndex;
    readonly 'function,output': EdgeIndex;
  };
}
