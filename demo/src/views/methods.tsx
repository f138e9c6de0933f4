import { useRef } from 'preact/hooks';
import { version } from 'magnitude-edge';
import { citation, methodsParagraph } from '../export/methods.ts';
import { CopyButton } from '../parts/copy-button.tsx';
import { result } from '../state/edges.ts';

/** A button that opens the methods paragraph and the citation for the table shown. */
export function Methods() {
  const dialog = useRef<HTMLDialogElement>(null);
  const shown = result.value;
  const text =
    shown?.provenance.kind === 'fit' ? methodsParagraph(version, shown.provenance, shown.columns) : null;
  return (
    <>
      <button
        disabled={!text}
        title={text ? undefined : 'Available after a run on this page'}
        onClick={() => dialog.current?.showModal()}
      >
        Methods text
      </button>
      <dialog ref={dialog} aria-labelledby="methods-title">
        <h2 id="methods-title">Methods and citation</h2>
        <p>{text}</p>
        <p>{citation(version)}</p>
        <div class="buttons">
          <CopyButton
            what="methods"
            label="Copy"
            class="primary"
            text={() => `${text ?? ''}\n\n${citation(version)}`}
          />
          <button onClick={() => dialog.current?.close()}>Close</button>
        </div>
      </dialog>
    </>
  );
}
