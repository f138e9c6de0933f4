import { DraftInput } from './draft-input.tsx';

interface Props {
  readonly label: string;
  readonly value: number;
  readonly least: number;
  readonly most?: number;
  readonly title?: string;
  readonly onChange: (value: number) => void;
}

/** A whole number within bounds. Anything else is reverted. */
export function WholeField({ label, value, least, most = Number.MAX_SAFE_INTEGER, title, onChange }: Props) {
  return (
    <label class="field" title={title}>
      <span>{label}</span>
      <DraftInput
        aria-label={label}
        inputMode="numeric"
        value={String(value)}
        onEnter={(text) => {
          const number = Number(text);
          if (text !== '' && Number.isSafeInteger(number) && number >= least && number <= most)
            onChange(number);
        }}
      />
    </label>
  );
}
