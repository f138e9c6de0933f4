/** An einsum equation without ellipsis: axis labels of each input and of the output. */
export interface EinsumEquation {
  readonly inputs: readonly (readonly string[])[];
  readonly output: readonly string[];
}

/**
 * Parses an equation such as `ij,jk->ik`; without an arrow, labels that occur more than once are summed and the others
 * sorted. Undefined for equations with an ellipsis or other characters.
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
