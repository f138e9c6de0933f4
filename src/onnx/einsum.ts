/** An einsum equation without ellipsis: axis labels of each input and of the output. */
export interface EinsumEquation {
  readonly inputs: readonly (readonly string[])[];
  readonly output: readonly string[];
}

/**
 * Reads `ij,jk->ik`; an equation without an arrow sums the labels that occur more than once and orders the others.
 * Undefined for equations with an ellipsis or other signs.
 */
export function parseEinsum(equation: string): EinsumEquation | undefined {
  const compact = equation.replaceAll(/\s/g, '');
  if (!/^[A-Za-z]*(,[A-Za-z]*)*(->[A-Za-z]*)?$/.test(compact)) return undefined;
  const [left = '', right] = compact.split('->');
  const inputs = left.split(',').map((labels) => Array.from(labels));
  if (right !== undefined) return { inputs, output: Array.from(right) };
  const all = inputs.flat();
  const once = all.filter((label) => all.indexOf(label) === all.lastIndexOf(label));
  return { inputs, output: once.sort() };
}
