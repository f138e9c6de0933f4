interface Props {
  readonly label: string;
  readonly value: number;
  readonly least: number;
  readonly most?: number;
  readonly title?: string;
  readonly onChange: (value: number) => void;
}

/** A whole number within bounds. What is none is put back. */
export function WholeField({ label, value, least, most = Number.MAX_SAFE_INTEGER, title, onChange }: Props) {
  return (
    <label class="field" title={title}>
      <span>{label}</span>
      <input
        type="text"
        aria-label={label}
        inputMode="numeric"
        value={value}
        onChange={(event) => {
          const text = event.currentTarget.value.trim();
          const number = Number(text);
          if (text !== '' && Number.isSafeInteger(number) && number >= least && number <= most)
            onChange(number);
          else event.currentTarget.value = String(value);
        }}
      />
    </label>
  );
}
