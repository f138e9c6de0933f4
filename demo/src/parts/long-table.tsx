import type { ComponentChildren } from 'preact';

interface Props {
  readonly label: string;
  readonly children: ComponentChildren;
}

/** A table that scrolls on its own if it is too wide, and on a phone if it is too long; also by keyboard. */
export const LongTable = ({ label, children }: Props) => (
  <div class="wide-table long" tabIndex={0} role="group" aria-label={label}>
    <table class="plain-table">{children}</table>
  </div>
);
