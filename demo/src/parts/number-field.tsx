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
      <input
        type="text"
        aria-label={label}
        inputMode="decimal"
        class="short"
        value={value ?? ''}
        onChange={(event) => {
          const text = event.currentTarget.value.trim().replace(',', '.');
          const number = Number(text);
          if (text === '') onChange(null);
          else if (Number.isFinite(number)) onChange(number);
          else event.currentTarget.value = value === null ? '' : String(value);
        }}
      />
    </label>
  );
}
