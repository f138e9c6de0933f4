interface Props<T extends string> {
  readonly label: string;
  readonly value: T;
  readonly options: readonly (readonly [value: T, text: string])[];
  readonly onChange: (value: T) => void;
  /** In a toolbar only screen readers get the label; elsewhere labels line up in a column. */
  readonly inline?: boolean;
}

/** A choice of one option. */
export function Choice<T extends string>({ label, value, options, onChange, inline }: Props<T>) {
  return (
    <label class={inline ? undefined : 'field'}>
      <span class={inline ? 'visually-hidden' : undefined}>{label}</span>
      <select
        aria-label={label}
        value={value}
        onChange={(event) => {
          onChange(event.currentTarget.value as T);
        }}
      >
        {options.map(([option, text]) => (
          <option key={option} value={option}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}
