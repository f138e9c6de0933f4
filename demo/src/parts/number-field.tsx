import { DraftInput } from './draft-input.tsx';

interface Props {
  readonly label: string;
  readonly value: number | null;
  readonly onChange: (value: number | null) => void;
}

/** A number or nothing. What is not a number is put back. */
export function NumberField({ label, value, onChange }: Props) {
  return (
    <label>
      <span>{label}</span>
      <DraftInput
        aria-label={label}
        inputMode="decimal"
        class="short"
        value={String(value ?? '')}
        onEnter={(text) => {
          const number = Number(text.replace(',', '.'));
          if (text === '') onChange(null);
          else if (Number.isFinite(number)) onChange(number);
        }}
      />
    </label>
  );
}
