import { refuse } from '../state/alerts.ts';
import { fromFile, inputs, type InputRole, type NamedFile } from '../state/inputs.ts';

interface Props {
  readonly role: InputRole;
  readonly label: string;
  readonly accept: string;
  readonly hint: string;
  readonly onFile: (file: NamedFile) => unknown;
}

/** A file input that says what was read from its file, or why it was refused. */
export function FilePicker({ role, label, accept, hint, onFile }: Props) {
  const state = inputs.value[role];
  const note = `note-${role}`;
  const pick = async (input: HTMLInputElement) => {
    const file = input.files?.[0];
    if (!file) return;
    try {
      await onFile(await fromFile(file));
    } catch (error) {
      refuse(error);
    }
    // The same file, mended, may be picked again.
    input.value = '';
  };
  return (
    <div class={state?.refused ? 'picker refused' : 'picker'}>
      <span aria-hidden="true">{label}</span>
      <input
        type="file"
        aria-label={label}
        aria-describedby={note}
        accept={accept}
        onChange={(event) => void pick(event.currentTarget)}
      />
      <span class="file clip" aria-hidden="true">
        {state?.name ?? 'Choose or drop'}
      </span>
      <span class="note clip" id={note} title={state?.note ?? hint}>
        {state?.refused ? 'refused: see above' : (state?.note ?? hint)}
      </span>
    </div>
  );
}
