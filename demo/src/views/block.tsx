import type { ChannelBlock } from 'magnitude-edge';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { EdgeColumns } from '../edges/edge-columns.ts';
import { inLight, svgContent } from '../figure/light.ts';
import { offerFigure, type Drawing } from '../figure/source.ts';
import { labelsOf } from '../names/labels.ts';
import { score } from '../parts/format.ts';
import { rowOfPair } from '../state/edges.ts';
import { evidence } from '../state/evidence.ts';
import { lightColour } from '../state/theme.ts';
import { LayerChoice } from './layer-choice.tsx';
import { strongestPair } from './scatter.tsx';

interface Props {
  readonly table: EdgeColumns;
  readonly source: number;
  readonly target: number;
}

/** The coefficients behind a channel score, from each channel of the source to each of the target. */
export function Block({ table, source, target }: Props) {
  const [answer, setAnswer] = useState<{ of: string; block: ChannelBlock | string } | null>(null);
  const [chosen, setChosen] = useState<string | null>(null);
  const from = evidence.value;
  const row = rowOfPair.value(source, target);
  const layer = Math.max(0, Math.min(Number(chosen ?? strongestPair(table, row)), table.pairs.length - 1));
  const canAsk = from?.canAsk === true;
  const of = from ? JSON.stringify([from.ofScores, source, target, layer]) : '';
  useEffect(() => {
    if (!from || !canAsk) return;
    let wanted = true;
    from.channelBlock(source, target, layer).then(
      (block) => {
        if (wanted) setAnswer({ of, block });
      },
      (error: unknown) => {
        if (wanted) setAnswer({ of, block: error instanceof Error ? error.message : String(error) });
      },
    );
    return () => {
      wanted = false;
    };
  }, [of, canAsk]);
  if (!from)
    return (
      <p class="caption">The block of coefficients needs the model and the data that the scores are of.</p>
    );
  // Coefficients of another pair, or of another run, must not appear under the name of this one.
  const block = answer?.of === of ? answer.block : null;
  const labels = labelsOf(table.names);
  const names: Names = [labels[source]!, labels[target]!];
  return (
    <figure class="plot block" data-title="Coefficients">
      <figcaption>
        {names[0]} → {names[1]}
      </figcaption>
      {typeof block === 'string' ? (
        <p class="caption">{block}</p>
      ) : block ? (
        <Cells block={block} names={names} />
      ) : (
        <p class="caption">Working out the coefficients …</p>
      )}
      <p class="caption">
        Coefficients of the target's gradient channels (in root mean squares) on the source's activation
        channels (in standard deviations). The score is their root sum of squares, divided by the root of the
        target's channels.
      </p>
      <LayerChoice table={table} row={row} layer={layer} onChange={setChosen} />
    </figure>
  );
}

type Names = readonly [source: string, target: string];

/** Pixels of a square on screen, and at most in a figure. */
const side = 30;
const largestSide = 44;
const room = { left: 74, top: 34, right: 8, bottom: 8 };

/** One square per pair of channels: the source's down, the target's across, coloured by sign and size. */
function Cells({ block, names }: { readonly block: ChannelBlock; readonly names: Names }) {
  const { sourceChannels, targetChannels, values } = block;
  const frame = useRef<HTMLDivElement>(null);
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
  useLayoutEffect(() => {
    if (frame.current)
      offerFigure(frame.current, {
        title: `${names.join(' → ')}, coefficients channel by channel`,
        hasFreeHeight: false,
        draw: ({ width }) => blockDrawing(block, names, largest, width),
      });
  });
  if (values.length === 0)
    return <p class="caption">None: every channel of one of the two is constant in these layers.</p>;
  const norm = Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0) / targetChannels.length);
  return (
    <div
      class="block-scroll"
      tabIndex={0}
      role="group"
      aria-label="Coefficients, channel by channel"
      ref={frame}
    >
      <Squares
        block={block}
        largest={largest}
        side={side}
        summary={`${sourceChannels.length} by ${targetChannels.length} coefficients from ${names[0]} to ${names[1]}, the largest ${score(largest)} in size; score ${score(norm)}`}
      />
      <span class="legend" aria-hidden="true">
        <span>{score(-largest)}</span>
        <span class="ramp" />
        <span>{score(largest)}</span>
      </span>
    </div>
  );
}

function blockDrawing(block: ChannelBlock, names: Names, largest: number, width: number | null): Drawing {
  const columns = block.targetChannels.length;
  const fitting = width === null ? side : Math.min((width - room.left - room.right) / columns, largestSide);
  return {
    width: room.left + room.right + columns * fitting,
    height: room.top + room.bottom + block.sourceChannels.length * fitting,
    content: inLight(
      <Squares block={block} largest={largest} side={fitting} summary={names.join(' → ')} />,
      (host) => svgContent(host.querySelector('svg')!),
    ),
    bar: {
      label: 'coefficient',
      domain: [-largest, largest],
      colours: ['--negative-full', '--score-zero', '--positive-full'].map(lightColour),
      place: (value) => (value / largest + 1) / 2,
    },
  };
}

interface SquaresProps {
  readonly block: ChannelBlock;
  readonly largest: number;
  readonly side: number;
  readonly summary: string;
}

function Squares({ block, largest, side, summary }: SquaresProps) {
  const { sourceChannels, targetChannels, values } = block;
  const [width, height] = [targetChannels.length * side, sourceChannels.length * side];
  return (
    <svg
      width={width + room.left + room.right}
      height={height + room.top + room.bottom}
      role="img"
      aria-label={summary}
    >
      <g class="axes" transform={`translate(${room.left},${room.top})`}>
        <text x={width / 2} y={-22} text-anchor="middle" class="axis-label">
          channel of the target
        </text>
        <text transform={`translate(-26,${height / 2}) rotate(-90)`} text-anchor="middle" class="axis-label">
          of the source
        </text>
        {targetChannels.map((channel, column) => (
          <text key={channel} x={(column + 0.5) * side} y={-6} text-anchor="middle">
            {channel}
          </text>
        ))}
        {sourceChannels.map((channel, row) => (
          <g key={channel} transform={`translate(0,${row * side})`}>
            <text x={-6} y={side / 2} dy="0.32em" text-anchor="end">
              {channel}
            </text>
            {targetChannels.map((other, column) => (
              <Cell
                key={other}
                x={column * side}
                side={side}
                value={values[row * targetChannels.length + column]!}
                largest={largest}
                name={`channel ${channel} → channel ${other}`}
              />
            ))}
          </g>
        ))}
      </g>
    </svg>
  );
}

interface CellProps {
  readonly x: number;
  readonly side: number;
  readonly value: number;
  readonly largest: number;
  readonly name: string;
}

function Cell({ x, side, value, largest, name }: CellProps) {
  const share = Math.round((100 * Math.abs(value)) / largest);
  const full = value < 0 ? 'var(--negative-full)' : 'var(--positive-full)';
  return (
    <rect
      x={x}
      width={side - 1}
      height={side - 1}
      style={{ fill: `color-mix(in srgb, ${full} ${share}%, var(--score-zero))` }}
    >
      <title>{`${name}: ${value.toPrecision(3).replace('-', '−')}`}</title>
    </rect>
  );
}
