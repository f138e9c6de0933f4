interface Props {
  readonly label: string;
  readonly title?: string;
  readonly value: number;
  readonly disabled?: boolean;
  readonly isAllowed: (value: number) => boolean;
  readonly onChange: (value: number) => void;
}

/** A number that must be there. What is none, or not allowed, is put back. */
export function AmountField({ label, title, value, disabled, isAllowed, onChange }: Props) {
  return (
    <label class="field" title={title}>
      <span>{label}</span>
      <input
        type="text"
        aria-label={label}
        inputMode="decimal"
        disabled={disabled}
        value={String(value)}
        onChange={(event) => {
          const text = event.currentTarget.value.trim().replace(',', '.');
          const number = Number(text);
          if (text !== '' && Number.isFinite(number) && isAllowed(number)) onChange(number);
          else event.currentTarget.value = String(value);
        }}
      />
    </label>
  );
}
