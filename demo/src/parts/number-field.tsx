import { useState } from 'preact/hooks';

interface Props {
  readonly label: string;
  readonly value: number | null;
  readonly onChange: (value: number | null) => void;
}

/** A number or nothing, told with every letter that makes one. What is none when the field is left is put back. */
export function NumberField({ label, value, onChange }: Props) {
  /** What is being typed: `0.` and `0.0` are on their way to another number. */
  const [typed, setTyped] = useState<string | null>(null);
  return (
    <label>
      <span>{label}</span>
      <input
        type="text"
        aria-label={label}
        inputMode="decimal"
        class="short"
        value={typed ?? value ?? ''}
        onInput={({ currentTarget }) => {
          setTyped(currentTarget.value);
          const text = currentTarget.value.trim().replace(',', '.');
          if (text === '') onChange(null);
          else if (Number.isFinite(Number(text))) onChange(Number(text));
        }}
        onBlur={() => {
          setTyped(null);
        }}
      />
    </label>
  );
}
