/** Throws the signal's reason when it is aborted; a call between two awaits is where long work stops. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  signal?.throwIfAborted();
}
