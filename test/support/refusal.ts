import { MagnitudeEdgeError } from '../../src/index.ts';

/** The MagnitudeEdgeError that a promise rejects with; anything else fails the test. */
export async function refusal(promise: Promise<unknown>): Promise<MagnitudeEdgeError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof MagnitudeEdgeError) return error;
    throw error;
  }
  throw new Error('Nothing was refused.');
}
