import { copy, lastCopy } from '../state/clipboard.ts';

interface Props {
  /** What is copied; other buttons have other names. */
  readonly what: string;
  readonly label: string;
  readonly class?: string;
  readonly title?: string;
  /** Called when the button is pressed. */
  readonly text: () => string;
}

/**
 * A button that copies text, and says for a moment whether it did: an error message alone would lie behind an open
 * dialog.
 */
export function CopyButton({ what, label, text, ...looks }: Props) {
  const last = lastCopy.value;
  return (
    <button {...looks} onClick={() => void copy(what, text())}>
      {last?.what !== what ? label : last.worked ? 'Copied' : 'Not copied'}
    </button>
  );
}
