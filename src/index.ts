export { MagnitudeEdgeError, type ErrorCode, type ErrorDetails } from './errors.ts';
export { version } from './version.ts';
