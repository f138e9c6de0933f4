import { MagnitudeEdgeError } from '../../errors.ts';
import { SerialQueue } from '../../serial-queue.ts';
import { version } from '../../version.ts';
import { Arguments } from '../arguments.ts';
import type { Command } from '../command.ts';
import { encodeFrame, type Frame, type OutgoingFrame } from './frames.ts';
import { takeFrames, writePieces } from './pipes.ts';
import { ServedInferer } from './served-inferer.ts';

const help = `magnitude-edge serve

For host programs, such as the Python package: serves one inferer over standard input and output, until the input ends.
Calls and replies are frames: a 4-byte length (little endian), that many bytes of JSON, then binary parts whose lengths the
JSON lists under 'parts'. A call has 'id', 'call' and 'args'; its reply 'id' and 'result' or 'error'.`;

export const serve: Command = {
  help,
  async run(args) {
    new Arguments(args, {}, { allowed: false });
    const served = new ServedInferer();
    const queue = new SerialQueue();
    await send({ header: { ready: version }, parts: [] });
    await takeFrames(({ header, parts }) => {
      const { id, call, args: given } = header as { id: number; call: string; args: Record<string, unknown> };
      // Not queued: it applies to the calls queued before it.
      if (call === 'cancel') served.cancel();
      else void queue.run(() => answer(served, { id, call, args: given, parts }));
    });
    served.cancel();
    await queue.idle();
    await served.release();
  },
};

interface Request {
  readonly id: number;
  readonly call: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly parts: Frame['parts'];
}

async function answer(served: ServedInferer, { id, call, args, parts }: Request): Promise<void> {
  try {
    const reply = await served.call(call, args, parts);
    await send({ header: { id, result: reply.result }, parts: reply.parts });
  } catch (error) {
    await send({ header: { id, error: described(error) }, parts: [] });
  }
}

function described(error: unknown): Readonly<Record<string, unknown>> {
  if (error instanceof MagnitudeEdgeError) {
    return { code: error.code, message: error.message, details: error.details };
  }
  return {
    code: 'internal',
    message: error instanceof Error ? (error.stack ?? error.message) : String(error),
  };
}

const send = (frame: OutgoingFrame): Promise<void> => writePieces(encodeFrame(frame));
