import { useEffect, useState } from 'preact/hooks';
import type { PairMagnitudes } from '../worker/protocol.ts';
import { WorkerRefusal } from '../worker/rpc.ts';
import { evidence } from './evidence.ts';

/** The magnitudes behind a pair, or why there are none; null until they arrive, and if they are not available. */
export function usePairMagnitudes(
  source: number,
  target: number,
  others: readonly number[],
): PairMagnitudes | string | null {
  const [answer, setAnswer] = useState<{ of: string; magnitudes: PairMagnitudes | string } | null>(null);
  const from = evidence.value;
  const canAsk = from?.canAsk === true;
  const of = from ? `${from.ofSamples} ${source} ${target}` : '';
  useEffect(() => {
    if (!from || !canAsk) return;
    let wanted = true;
    from.magnitudes(source, target, others).then(
      (magnitudes) => {
        if (wanted) setAnswer({ of, magnitudes });
      },
      (error: unknown) => {
        // Work that was aborted by other work has nothing to report.
        const said = error instanceof WorkerRefusal && error.code !== 'AbortError' ? error.message : null;
        if (wanted) setAnswer(said === null ? null : { of, magnitudes: said });
      },
    );
    return () => {
      wanted = false;
    };
  }, [of, canAsk]);
  // Points of another pair, or of another run, must not appear under the name of this one.
  return answer?.of === of ? answer.magnitudes : null;
}
