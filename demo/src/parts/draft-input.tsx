import { useState } from 'preact/hooks';

interface Props {
  readonly 'aria-label': string;
  readonly inputMode: 'decimal' | 'numeric';
  readonly class?: string;
  readonly disabled?: boolean | undefined;
  readonly value: string;
  /**
   * Called with the text once the field is left or Enter is pressed. If `value` does not change, the text is reverted.
   */
  readonly onEnter?: (text: string) => void;
  /** Called with the text on every keystroke. */
  readonly onType?: (text: string) => void;
}

/** A text field that keeps its draft when the page is rendered again: a table may arrive between two keystrokes. */
export function DraftInput({ value, onEnter, onType, ...attributes }: Props) {
  const [draft, setDraft] = useState<string | null>(null);
  return (
    <input
      {...attributes}
      type="text"
      value={draft ?? value}
      onInput={(event) => {
        setDraft(event.currentTarget.value);
        onType?.(event.currentTarget.value.trim());
      }}
      onChange={(event) => {
        if (!onEnter) return;
        onEnter(event.currentTarget.value.trim());
        setDraft(null);
      }}
      onBlur={() => {
        setDraft(null);
      }}
    />
  );
}
