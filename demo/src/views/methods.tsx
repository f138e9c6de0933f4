import { useRef } from 'preact/hooks';
import { version } from 'magnitude-edge';
import { citation, methodsParagraph } from '../export/methods.ts';
import { copied, copy } from '../state/clipboard.ts';
import { edges } from '../state/edges.ts';
import { params } from '../state/params.ts';
import { modelFacts, outcome, placement, unscored } from '../state/run.ts';

/** A button that opens the methods paragraph and the citation, with the parameters of this run. */
export function Methods() {
  const dialog = useRef<HTMLDialogElement>(null);
  const [model, done, place, table] = [modelFacts.value, outcome.value, placement.value, edges.value];
  const text =
    model && done && place && table && !unscored.value
      ? methodsParagraph(version, params.value, model, done, place, table)
      : null;
  return (
    <>
      <button disabled={!text} onClick={() => dialog.current?.showModal()}>
        Methods text
      </button>
      <dialog ref={dialog} aria-labelledby="methods-title">
        <h2 id="methods-title">Methods and citation</h2>
        <p>{text}</p>
        <p>{citation(version)}</p>
        <div class="buttons">
          <button
            class="primary"
            onClick={() => void copy('methods', `${text ?? ''}\n\n${citation(version)}`)}
          >
            {copied.value === 'methods' ? 'Copied' : 'Copy'}
          </button>
          <button onClick={() => dialog.current?.close()}>Close</button>
        </div>
      </dialog>
    </>
  );
}
