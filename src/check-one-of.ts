import { MagnitudeEdgeError } from './errors.ts';

/** @throws `invalid-argument` if the option's value is not one of those allowed */
export function checkOneOf(option: string, found: string, allowed: readonly string[]): void {
  if (allowed.includes(found)) return;
  const names = allowed.map((name) => `'${name}'`).join(', ');
  throw new MagnitudeEdgeError('invalid-argument', `${option} is '${found}', one of ${names} was expected.`, {
    details: { option, found },
  });
}
