import { halvesOf, labelsOf } from '../names/labels.ts';

interface Props {
  readonly names: readonly string[];
  readonly node: number;
}

/** A node by its label, of which the middle is left out where there is no room; the tooltip has its name. */
export function NodeName({ names, node }: Props) {
  const [start, end] = halvesOf(labelsOf(names)[node] ?? '');
  return (
    <span class="node-name">
      <span class="start">{start}</span>
      {end && <span class="end">{end}</span>}
    </span>
  );
}
