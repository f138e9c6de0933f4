import { useState } from 'preact/hooks';

interface Props {
  readonly 'aria-label': string;
  readonly inputMode: 'decimal' | 'numeric';
  readonly class?: string;
  readonly disabled?: boolean | undefined;
  readonly value: string;
  /** Takes what was typed, once the field is left or Enter is pressed. What it does not take over is put back. */
  readonly onEnter?: (text: string) => void;
  /** Takes what is being typed, letter by letter. */
  readonly onType?: (text: string) => void;
}

/** A text field that keeps what is being typed when the page is drawn anew: a table may arrive between two keys. */
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
