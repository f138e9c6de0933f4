import { signal } from '@preact/signals';
import { defaultParams, type Params } from '../results/params.ts';

/** The parameters as they are set. */
export const params = signal<Params>(defaultParams);
