import type { ComponentChildren } from 'preact';

interface Props {
  readonly label: string;
  readonly children: ComponentChildren;
}

/** A table that scrolls in itself where it is too wide, and on a phone where it is too long; by keyboard, too. */
export const LongTable = ({ label, children }: Props) => (
  <div class="wide-table long" tabIndex={0} role="group" aria-label={label}>
    <table class="plain-table">{children}</table>
  </div>
);
