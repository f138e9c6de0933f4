import type { ComponentChildren } from 'preact';

interface Props {
  readonly pressed: boolean;
  readonly title?: string;
  readonly disabled?: boolean;
  readonly onChange: (pressed: boolean) => void;
  readonly children: ComponentChildren;
}

/** A filter that is on or off. */
export function Chip({ pressed, title, disabled, onChange, children }: Props) {
  return (
    <button
      class="toggle"
      aria-pressed={pressed}
      title={title}
      disabled={disabled}
      onClick={() => {
        onChange(!pressed);
      }}
    >
      {children}
    </button>
  );
}
