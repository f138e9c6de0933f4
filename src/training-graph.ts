export { MagnitudeEdgeError } from './errors.ts';
