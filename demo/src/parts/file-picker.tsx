import { refuse } from '../state/alerts.ts';
import { fromFile, inputs, modelFromFiles, type InputRole, type NamedFile } from '../state/inputs.ts';

interface Props {
  readonly role: InputRole;
  readonly label: string;
  readonly accept: string;
  readonly hint: string;
  /** A model may come with external data files. */
  readonly several?: boolean;
  readonly onFile: (file: NamedFile) => unknown;
}

/** A file input that says what was read from its file, or why it was refused. */
export function FilePicker({ role, label, accept, hint, several, onFile }: Props) {
  const state = inputs.value[role];
  const note = `note-${role}`;
  const pick = async (input: HTMLInputElement) => {
    const files = [...(input.files ?? [])];
    if (files.length === 0) return;
    try {
      await onFile(await (several ? modelFromFiles(files) : fromFile(files[0]!)));
    } catch (error) {
      refuse(error);
    }
    // Allows the same file, once corrected, to be picked again.
    input.value = '';
  };
  return (
    <div class={state?.refusal ? 'picker refused' : 'picker'}>
      <span aria-hidden="true">{label}</span>
      <input
        type="file"
        aria-label={label}
        aria-describedby={note}
        accept={accept}
        multiple={several}
        onChange={(event) => void pick(event.currentTarget)}
      />
      <span class="file clip" aria-hidden="true">
        {state?.name ?? 'Choose or drop'}
      </span>
      <span class="note clip" id={note} title={state?.refusal?.note ?? state?.note ?? hint}>
        {state?.refusal
          ? `${state.refusal.name} was refused${state.name === null ? '' : '; this one stays'}`
          : (state?.note ?? hint)}
      </span>
    </div>
  );
}
