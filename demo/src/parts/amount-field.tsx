import { DraftInput } from './draft-input.tsx';

interface Props {
  readonly label: string;
  readonly title?: string;
  readonly value: number;
  readonly disabled?: boolean;
  readonly isAllowed: (value: number) => boolean;
  readonly onChange: (value: number) => void;
}

/** A required number. Input that is not a number, or not allowed, is reverted. */
export function AmountField({ label, title, value, disabled, isAllowed, onChange }: Props) {
  return (
    <label class="field" title={title}>
      <span>{label}</span>
      <DraftInput
        aria-label={label}
        inputMode="decimal"
        disabled={disabled}
        value={String(value)}
        onEnter={(text) => {
          const number = Number(text.replace(',', '.'));
          if (text !== '' && Number.isFinite(number) && isAllowed(number)) onChange(number);
        }}
      />
    </label>
  );
}
