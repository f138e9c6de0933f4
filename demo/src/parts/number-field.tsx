import { DraftInput } from './draft-input.tsx';

interface Props {
  readonly label: string;
  readonly value: number | null;
  readonly onChange: (value: number | null) => void;
}

/** A number or nothing, told with every letter that makes one. What is none when the field is left is put back. */
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
