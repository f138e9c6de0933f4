import { DraftInput } from './draft-input.tsx';

interface Props {
  readonly label: string;
  readonly value: number | null;
  readonly onChange: (value: number | null) => void;
}

/**
 * An optional number, reported on every keystroke that yields one. Anything else is reverted when the field is left.
 */
export function NumberField({ label, value, onChange }: Props) {
  return (
    <label>
      <span>{label}</span>
      <DraftInput
        aria-label={label}
        inputMode="decimal"
        class="short"
        value={value === null ? '' : String(value)}
        onType={(typed) => {
          const text = typed.replace(',', '.');
          if (text === '') onChange(null);
          else if (Number.isFinite(Number(text))) onChange(Number(text));
        }}
      />
    </label>
  );
}
