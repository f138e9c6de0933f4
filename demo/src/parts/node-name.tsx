import { halvesOf, labelsOf } from '../names/labels.ts';

interface Props {
  readonly names: readonly string[];
  readonly node: number;
}

/** A node by its label, shortened in the middle if space is short; the tooltip has the full name. */
export function NodeName({ names, node }: Props) {
  const [start, end] = halvesOf(labelsOf(names)[node] ?? '');
  return (
    <span class="node-name">
      <span class="start">{start}</span>
      {end && <span class="end">{end}</span>}
    </span>
  );
}
