import { nodeProcess } from '../node-process.ts';

/** Compressed bytes per call of the script decoder; they may expand a thousandfold. */
const PIECE_BYTES = 1 << 15;
/** Bytes per chunk of Node's output */
const UNPACKED_BYTES = 1 << 18;

/**
 * Inflates a DEFLATE stream (RFC 1951) piece by piece. Node's zlib runs on another thread and takes a tenth of the time
 * of a script that has not been compiled yet.
 *
 * @throws the platform's error for damaged or truncated bytes
 */
export function inflated(packed: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const node = nodeProcess();
  return node === undefined ? inflatedByScript(packed) : inflatedInNode(packed, node);
}

async function* inflatedInNode(
  packed: AsyncIterable<Uint8Array>,
  node: NodeJS.Process,
): AsyncGenerator<Uint8Array, void, undefined> {
  const inflate = node.getBuiltinModule('node:zlib').createInflateRaw({ chunkSize: UNPACKED_BYTES });
  const source = node.getBuiltinModule('node:stream').Readable.from(packed);
  source.on('error', (cause) => inflate.destroy(cause));
  try {
    for await (const piece of source.pipe(inflate)) yield piece as Uint8Array;
  } finally {
    source.destroy();
  }
}

async function* inflatedByScript(
  packed: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { Inflate } = await import('fflate');
  let pieces: Uint8Array[] = [];
  const inflate = new Inflate((piece) => {
    if (piece.length > 0) pieces.push(piece);
  });
  const push = (bytes: Uint8Array, last: boolean): Uint8Array[] => {
    pieces = [];
    inflate.push(bytes, last);
    return pieces;
  };
  for await (const bytes of packed) {
    for (let at = 0; at < bytes.length; at += PIECE_BYTES)
      yield* push(bytes.subarray(at, at + PIECE_BYTES), false);
  }
  yield* push(new Uint8Array(), true);
}
