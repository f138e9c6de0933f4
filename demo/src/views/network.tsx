import { signal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import { useSize } from '../charts/use-size.ts';
import { attachGestures } from '../heatmap/gestures.ts';
import { bestShown, mostInferred } from '../network/data.ts';
import { hit, networkShapes, type Look } from '../network/picture.ts';
import { cameraFor, neighbourhood, type Camera, type NetworkData } from '../network/scene.ts';
import { drawShapes, svgOfShapes } from '../network/shapes.ts';
import { Choice } from '../parts/choice.tsx';
import { score, whole } from '../parts/format.ts';
import { refuse } from '../state/alerts.ts';
import { identityOf } from '../results/provenance.ts';
import { edges, edgesVersion, result } from '../state/edges.ts';
import { offerPicture } from '../state/picture.ts';
import { ranking } from '../state/positives.ts';
import { hover, hovered, hoverNothing } from '../state/hover.ts';
import { select, selectedTarget, selection, type Selection } from '../state/selection.ts';
import { paletteVersion, tokenColour } from '../state/theme.ts';
import { networkThreshold } from '../state/view.ts';
import { tableWorker } from '../state/workers.ts';

const layout = signal<'layers' | 'force'>('layers');
const hops = signal<'all' | '1' | '2' | '3'>('all');

/** The graph with what may be missing from it: known edges solid, inferred ones dashed. */
export function NetworkView() {
  const [answer, setAnswer] = useState<{ data: NetworkData; of: string } | null>(null);
  const table = edges.value;
  const of = result.value && identityOf(result.value.provenance);
  // A picture of other nodes is not shown while the new one is laid out.
  const data = answer?.of === of ? answer.data : null;
  useEffect(() => {
    if (edgesVersion.value === 0) return;
    let wanted = true;
    const request = { minScore: networkThreshold.value, layout: layout.value };
    tableWorker.network(request, ranking.value !== null).then((made) => {
      if (wanted && of !== null) setAnswer({ data: made, of });
    }, refuse);
    return () => {
      wanted = false;
    };
  }, [edgesVersion.value, networkThreshold.value, layout.value, ranking.value]);
  if (!table) return <p class="empty">The network, once there are scores.</p>;
  const inferred = data ? data.kinds.reduce((count, kind) => count + (kind > 0 ? 1 : 0), 0) : 0;
  return (
    <>
      <div class="toolbar">
        {data && <Threshold data={data} />}
        <Choice
          inline
          label="Layout"
          value={layout.value}
          options={[
            ['layers', 'in layers'],
            ['force', 'by force'],
          ]}
          onChange={(kind) => {
            layout.value = kind;
          }}
        />
        <Choice
          inline
          label="Focus on the selection"
          value={hops.value}
          options={[
            ['all', 'all nodes'],
            ['1', '1 hop'],
            ['2', '2 hops'],
            ['3', '3 hops'],
          ]}
          onChange={(kind) => {
            hops.value = kind;
          }}
        />
      </div>
      {data && <Picture data={data} />}
      <div class="readout">
        <p class="clip">
          {data && `${whole(data.kinds.length - inferred)} known, ${whole(inferred)} inferred`}
          {inferred === mostInferred && ' (the strongest)'}
          {layout.value === 'layers' && data?.layout === 'force' && ', by force (it has cycles)'}
        </p>
        <p class="strokes">
          <span class="stroke known" /> known <span class="stroke inferred" /> inferred{' '}
          {ranking.value && (
            <>
              <span class="stroke held-out" /> positive
            </>
          )}
        </p>
      </div>
    </>
  );
}

/** From which score on pairs are drawn, over a histogram of what that cuts off. */
function Threshold({ data: { threshold, extent, counts } }: { readonly data: NetworkData }) {
  const tallest = Math.log1p(Math.max(1, ...counts));
  const at = networkThreshold.value ?? threshold;
  const cut = (at / (extent || 1)) * counts.length;
  return (
    <div class="threshold">
      <label>
        Score ≥
        <span class="slider">
          <svg viewBox={`0 0 ${counts.length} 1`} preserveAspectRatio="none" aria-hidden="true">
            {[...counts].map((count, bin) => {
              const height = Math.log1p(count) / tallest;
              const side = bin + 0.5 < cut ? 'cut' : undefined;
              return <rect key={bin} class={side} x={bin} width={1} y={1 - height} height={height} />;
            })}
          </svg>
          <input
            type="range"
            aria-label="Least score of inferred edges"
            min={0}
            max={extent || 1}
            step="any"
            value={at}
            onInput={(event) => {
              networkThreshold.value = Number(event.currentTarget.value);
            }}
          />
        </span>
        <span class="value">{score(at)}</span>
      </label>
      <button
        class="plain tight"
        title={`Draw the ${bestShown} best pairs that are not in the graph`}
        disabled={networkThreshold.value === null}
        onClick={() => {
          networkThreshold.value = null;
        }}
      >
        {bestShown} best
      </button>
    </div>
  );
}

function Picture({ data }: { readonly data: NetworkData }) {
  const frame = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const { width, height } = useSize(frame);
  const [moved, setMoved] = useState<{ of: Float32Array; camera: Camera } | null>(null);
  // A new layout is looked at anew; the same one stays where it was moved to.
  const camera =
    moved?.of === data.positions || sameLayout(moved?.of, data.positions)
      ? moved!.camera
      : cameraFor(data.positions, width, height);
  const now = useRef({ data, camera });
  now.current = { data, camera };

  useEffect(() => {
    const look = (change: (camera: Camera) => Camera) => {
      setMoved({ of: now.current.data.positions, camera: change(now.current.camera) });
    };
    attachGestures(canvas.current!, {
      pan: (x, y) => {
        look((at) => ({ ...at, x: at.x + x / at.scale, y: at.y + y / at.scale }));
      },
      zoom: (factor, x, y) => {
        look((at) => {
          const scale = Math.min(Math.max(at.scale * factor, 0.01), 400);
          return { scale, x: at.x + x / at.scale - x / scale, y: at.y + y / at.scale - y / scale };
        });
      },
      pick: (x, y) => {
        select(now.current.data, hit(now.current.data, now.current.camera, x, y));
      },
      step: (rows, columns) => {
        const node = selectedTarget(selection.value) ?? -1;
        const count = now.current.data.names.length;
        select(now.current.data, { kind: 'node', node: (node + rows + columns + count) % count });
      },
      hover: (x, y) => {
        const box = canvas.current!.getBoundingClientRect();
        hover(hit(now.current.data, now.current.camera, x, y), { x: box.left + x, y: box.top + y });
      },
      leave: hoverNothing,
    });
  }, []);

  const at = selection.value;
  const lit = hovered.value;
  useEffect(() => {
    const element = canvas.current;
    if (!element || width === 0) return;
    element.width = Math.round(width * devicePixelRatio);
    element.height = Math.round(height * devicePixelRatio);
    const context = element.getContext('2d')!;
    context.scale(devicePixelRatio, devicePixelRatio);
    drawShapes(
      context,
      networkShapes(data, camera, { width, height }, currentLook(), {
        selection: at,
        lit,
        near: nearOf(data, at),
      }),
      getComputedStyle(element).fontFamily,
    );
  }, [data, camera.scale, camera.x, camera.y, width, height, at, lit, hops.value, paletteVersion.value]);

  useEffect(
    () =>
      offerPicture(() => ({
        width,
        height,
        content: svgOfShapes(
          networkShapes(data, camera, { width, height }, currentLook(), {
            selection: selection.peek(),
            lit: { kind: 'none' },
            near: nearOf(data, selection.peek()),
          }),
          getComputedStyle(canvas.current!).fontFamily,
        ),
      })),
    [data, camera.scale, camera.x, camera.y, width, height, at, hops.value],
  );

  return (
    <div class="canvas-frame" ref={frame}>
      <canvas
        ref={canvas}
        tabIndex={0}
        role="application"
        aria-label={`Network of ${data.names.length} function nodes. Arrow keys go from node to node, plus and minus zoom.`}
      />
    </div>
  );
}

/** Nodes in focus, null for all. */
function nearOf(data: NetworkData, at: Selection): Uint8Array | null {
  if (hops.value === 'all' || at.kind === 'none') return null;
  const ends = at.kind === 'node' ? [at.node] : [at.source, at.target];
  return neighbourhood(data, ends, Number(hops.value));
}

const sameLayout = (a: Float32Array | undefined, b: Float32Array): boolean =>
  a?.length === b.length && a.every((value, k) => value === b[k]);

function currentLook(): Look {
  return {
    ground: tokenColour('--surface'),
    ink: tokenColour('--ink'),
    known: tokenColour('--known'),
    inferred: tokenColour('--inferred'),
    positive: tokenColour('--held-out'),
    accent: tokenColour('--focus'),
  };
}
