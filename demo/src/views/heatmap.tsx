import { useEffect, useRef } from 'preact/hooks';
import { signal } from '@preact/signals';
import { largestClustering } from '../edges/node-order.ts';
import { offerFigure } from '../figure/source.ts';
import { layOut } from '../heatmap/lay-out.ts';
import { HeatmapScreen } from '../heatmap/screen.ts';
import { Choice } from '../parts/choice.tsx';
import { ZoomButtons } from '../parts/zoom-buttons.tsx';
import { refuse } from '../state/alerts.ts';
import { edges, edgesVersion, passing, rows, scoresOnGpu } from '../state/edges.ts';
import { fitWorkerNumber } from '../state/workers.ts';
import { hovered } from '../state/hover.ts';
import { selection } from '../state/selection.ts';
import { paletteVersion } from '../state/theme.ts';
import { heatmapOrder } from '../state/view.ts';

const marksEdges = signal(true);
const readout = signal('');
const extent = signal(1);

/** The table as a square, source down, target across, drawn on the GPU if there is one. */
export function Heatmap() {
  const frame = useRef<HTMLDivElement>(null);
  const screen = useRef<HeatmapScreen | null>(null);
  const laidOut = useRef<Promise<void>>(Promise.resolve());
  const table = edges.value;
  const hasTable = table !== null;

  useEffect(() => {
    if (!frame.current) return;
    const made = new HeatmapScreen(
      frame.current,
      (text) => {
        readout.value = text;
      },
      () => {
        scoresOnGpu.value = null;
      },
    );
    screen.current = made;
    offerFigure(frame.current, {
      title: 'Scores of all pairs',
      hasFreeHeight: false,
      draw: async (room) => {
        // The table shown may have just arrived: let its effects run first.
        await new Promise(requestAnimationFrame);
        await laidOut.current;
        return made.drawing(room);
      },
    });
    return () => {
      screen.current = null;
      made.release();
    };
    // A canvas that was transferred to a worker ends with it.
  }, [hasTable, fitWorkerNumber.value]);

  useEffect(() => {
    const shown = edges.peek();
    if (!shown) return;
    let wanted = true;
    laidOut.current = layOut(heatmapOrder.value, shown)
      .then(async (layout) => {
        if (!wanted) return;
        extent.value = layout.extent;
        await screen.current?.show(shown, layout);
        screen.current?.select(selection.peek());
      })
      .catch(refuse);
    return () => {
      wanted = false;
    };
  }, [edgesVersion.value, heatmapOrder.value, hasTable, scoresOnGpu.value, fitWorkerNumber.value]);

  useEffect(() => {
    screen.current?.mark(marksEdges.value);
  }, [marksEdges.value, hasTable, fitWorkerNumber.value]);

  useEffect(() => {
    screen.current?.pass(passing.value && rows.value);
  }, [passing.value, hasTable, fitWorkerNumber.value]);

  useEffect(() => {
    screen.current?.repaint();
  }, [paletteVersion.value]);

  useEffect(() => {
    screen.current?.select(selection.value);
  }, [selection.value]);

  useEffect(() => {
    screen.current?.light(hovered.value);
  }, [hovered.value]);

  if (!table)
    return <p class="empty">The scores of all pairs appear here as a heatmap once there are any.</p>;
  return (
    <>
      <div class="toolbar">
        <Choice
          inline
          label="Order of nodes"
          value={heatmapOrder.value}
          options={[
            ['index', 'as in the model'],
            ['name', 'by name'],
            ['degree', 'by degree'],
            ...(table.names.length <= largestClustering ? [['cluster', 'by cluster'] as const] : []),
          ]}
          onChange={(order) => {
            heatmapOrder.value = order;
          }}
        />
        <label class="check">
          <input
            type="checkbox"
            checked={marksEdges.value}
            onChange={(event) => {
              marksEdges.value = event.currentTarget.checked;
            }}
          />
          Known edges
        </label>
        <ZoomButtons picture={screen} />
      </div>
      <div class="canvas-frame" ref={frame} />
      <div class="readout">
        <p class="clip">{readout.value || 'Drag to move, scroll to zoom, arrow keys to step'}</p>
        <Legend from={table.isSigned ? -extent.value : 0} to={extent.value} />
      </div>
    </>
  );
}

/** The colours of scores: symmetric about 0, or from 0 upwards by square roots. */
function Legend({ from, to }: { readonly from: number; readonly to: number }) {
  const digits = to < 0.1 ? 3 : 2;
  const text = (value: number) => (value === 0 ? '0' : value.toFixed(digits).replace('-', '−'));
  const isSigned = from < 0;
  return (
    <span
      class="legend"
      aria-label={`Colours from ${from} to ${to}`}
      title={isSigned ? undefined : `By square roots: the middle colour is ${text(to / 4)}`}
      role="img"
    >
      <span>{text(from)}</span>
      {isSigned ? (
        <span class="ramp" />
      ) : (
        <>
          <span class="ramp from-zero lower" />
          <span>{text(to / 4)}</span>
          <span class="ramp from-zero upper" />
        </>
      )}
      <span>{text(to)}</span>
    </span>
  );
}
