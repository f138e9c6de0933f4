import { signal } from '@preact/signals';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { symbols } from '../names/symbols.ts';
import { offerFigure } from '../figure/source.ts';
import { graphOfModel, graphOfTable, roleOf, type NetworkGraph } from '../network/graph.ts';
import { mostInferred, type InferredEdges } from '../network/inferred.ts';
import type { LayoutKind, NetworkLayout } from '../network/layout.ts';
import type { Look } from '../network/picture.ts';
import { neighbourhood, sceneOf, type Scene } from '../network/scene.ts';
import { NetworkScreen, type GroundPainter } from '../network/screen.ts';
import { Choice } from '../parts/choice.tsx';
import { counted, whole } from '../parts/format.ts';
import { ZoomButtons } from '../parts/zoom-buttons.tsx';
import { refuse } from '../state/alerts.ts';
import { edges, edgesVersion, filter, passing, result, rowOfPair } from '../state/edges.ts';
import { hover, hovered, hoverNothing, hoverNote } from '../state/hover.ts';
import { requestedFilter } from '../state/requested-filter.ts';
import { positiveRows } from '../state/positives.ts';
import { modelFacts } from '../state/run.ts';
import { files } from '../state/session.ts';
import { isSame, select, selectNode, selectedTarget, selection, type Selection } from '../state/selection.ts';
import { lightColour, paletteVersion, tokenColour, type ColourOf } from '../state/theme.ts';
import { networkThreshold } from '../state/view.ts';
import { tableKeeper, tableWorker, unheard } from '../state/workers.ts';
import { FindNode, Threshold } from './network-controls.tsx';

const layoutKind = signal<LayoutKind>('layers');
const showsOuter = signal(true);
const hops = signal<'all' | '1' | '2' | '3'>('all');

/** The graph, shown as soon as a model is read, with the edges it may lack once there are scores. */
export function NetworkView() {
  const shown = result.value?.provenance;
  const facts = shown?.kind === 'fit' ? shown.model.facts : shown ? null : modelFacts.value;
  const model = shown?.kind === 'fit' ? shown.model : files.value.model;
  const table = edges.value;
  const isOfFile = facts === null;
  const graph = useMemo(
    () => (facts ? graphOfModel(facts, showsOuter.value) : table && graphOfTable(table)),
    // Tables of one model share one graph, though each brings a copy: new scores do not trigger a new layout.
    [isOfFile ? table : model?.digest, showsOuter.value, symbols.value],
  );
  const layout = useLayout(graph);
  const inferred = useInferred();
  const scene = useMemo(
    () =>
      graph &&
      layout &&
      sceneOf(
        graph,
        layout.positions,
        table &&
          inferred && {
            table,
            inferred,
            rowOf: rowOfPair.value,
            passing: passing.value,
            positive: positiveRows.value,
          },
      ),
    [graph, layout, table, inferred, passing.value, positiveRows.value],
  );
  if (!graph) return <p class="empty">The network appears here once a model or an edge table is open.</p>;
  return (
    <Network
      graph={graph}
      layout={layout}
      inferred={table && inferred}
      scene={scene}
      hasTable={table !== null}
      hasOuter={!isOfFile}
    />
  );
}

function useLayout(graph: NetworkGraph | null): NetworkLayout | null {
  const [answer, setAnswer] = useState<{ of: NetworkGraph; layout: NetworkLayout } | null>(null);
  const kind = layoutKind.value;
  useEffect(() => {
    if (!graph) return;
    let wanted = true;
    tableKeeper.layOutGraph(graph, kind).then((layout) => {
      if (wanted) setAnswer({ of: graph, layout });
    }, refuse);
    return () => {
      wanted = false;
    };
  }, [graph, kind]);
  // A picture of other nodes must not be shown while the new one is laid out.
  return answer?.of === graph ? answer.layout : null;
}

function useInferred(): InferredEdges | null {
  const [answer, setAnswer] = useState<{ of: number; inferred: InferredEdges } | null>(null);
  const [version, least, at] = [edgesVersion.value, networkThreshold.value, requestedFilter()];
  useEffect(() => {
    if (version === 0) return;
    let wanted = true;
    tableWorker.inferred(least, at).then((inferred) => {
      if (wanted) setAnswer({ of: version, inferred });
    }, refuse);
    return () => {
      wanted = false;
    };
  }, [version, least, filter.value, symbols.value]);
  // Rows of another table would be other pairs.
  return answer?.of === version ? answer.inferred : null;
}

interface NetworkProps {
  readonly graph: NetworkGraph;
  readonly layout: NetworkLayout | null;
  readonly inferred: InferredEdges | null;
  readonly scene: Scene | null;
  readonly hasTable: boolean;
  readonly hasOuter: boolean;
}

function Network({ graph, layout, inferred, scene, hasTable, hasOuter }: NetworkProps) {
  const screen = useRef<NetworkScreen | null>(null);
  return (
    <>
      <div class="toolbar">
        <FindNode graph={graph} onFind={(node) => screen.current?.centre(node)} />
        {hasTable && <Threshold inferred={inferred} />}
        <Choice
          inline
          label="Layout"
          value={layoutKind.value}
          options={[
            ['layers', 'in layers'],
            ['force', 'by force'],
          ]}
          onChange={(kind) => {
            layoutKind.value = kind;
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
        {hasOuter && (
          <label class="check">
            <input
              type="checkbox"
              checked={showsOuter.value}
              onChange={(event) => {
                showsOuter.value = event.currentTarget.checked;
              }}
            />
            Inputs, outputs
          </label>
        )}
        <ZoomButtons picture={screen} />
      </div>
      {scene ? <Picture scene={scene} screen={screen} /> : <p class="empty">Laying out the network …</p>}
      <div class="readout">
        <p class="clip">{layout && describe(graph, layout, inferred)}</p>
        <p class="strokes">
          <span class="stroke known" /> known
          {hasTable && (
            <>
              <span class="stroke inferred" /> inferred
            </>
          )}
          {positiveRows.value && (
            <>
              <span class="stroke held-out" /> positive
            </>
          )}
          {graph.outer.length > 0 && (
            <>
              <span class="square" /> input, output
            </>
          )}
        </p>
      </div>
    </>
  );
}

function describe({ known }: NetworkGraph, layout: NetworkLayout, inferred: InferredEdges | null): string {
  const count = inferred?.rows.length ?? 0;
  return [
    `${whole(known.length)} known`,
    ...(inferred ? [`${whole(count)} inferred${count === mostInferred ? ' (the strongest)' : ''}`] : []),
    ...(layout.backward > 0
      ? [`${counted(layout.backward, 'edge')} against the layers: the graph has cycles`]
      : []),
  ].join(', ');
}

/** The worker of tables also draws networks; meanwhile the page moves the finished picture. */
const painter: GroundPainter = {
  show(scene) {
    unheard(tableKeeper.showNetwork(scene));
  },
  paint: (view) =>
    tableKeeper.paintNetwork(view).catch((error: unknown) => {
      refuse(error);
      return null;
    }),
};

interface PictureProps {
  readonly scene: Scene;
  readonly screen: { current: NetworkScreen | null };
}

function Picture({ scene, screen }: PictureProps) {
  const frame = useRef<HTMLDivElement>(null);
  const now = useRef(scene);
  now.current = scene;
  useEffect(() => {
    const made = new NetworkScreen(frame.current!, () => lookIn(tokenColour), painter, {
      pick: (at) => {
        const { graph } = now.current;
        if (at.kind !== 'node' || at.node < graph.functions) select(graph, at);
      },
      hover: (at, place) => {
        pointAt(now.current.graph, at, place);
      },
      leave: () => {
        pointAt(now.current.graph, { kind: 'none' }, { x: 0, y: 0 });
      },
      step: (by) => {
        const { graph } = now.current;
        const node = selectedTarget(selection.peek()) ?? -1;
        selectNode(graph, (node + by + graph.functions) % graph.functions);
      },
    });
    screen.current = made;
    offerFigure(frame.current!, {
      title: 'Known and inferred edges',
      hasFreeHeight: false,
      draw: (room) => made.drawing(room, lookIn(lightColour)),
    });
    return () => {
      screen.current = null;
      made.release();
    };
  }, []);
  useEffect(() => {
    screen.current?.show(scene);
  }, [scene]);
  const [at, lit] = [selection.value, outerLit.value ?? hovered.value];
  const near = useMemo(() => nearOf(scene, at), [scene, at, hops.value]);
  useEffect(() => {
    screen.current?.mark({ selection: at, lit, near });
  }, [scene, at, lit, near]);
  useEffect(() => {
    screen.current?.repaint();
  }, [paletteVersion.value]);
  return (
    <div
      class="canvas-frame network"
      ref={frame}
      tabIndex={0}
      role="application"
      aria-label={`Network of ${scene.graph.functions} function nodes. Arrow keys go from node to node, plus and minus zoom.`}
    />
  );
}

/** An input or output under the pointer: no table has it, so no other view can highlight it. */
const outerLit = signal<Selection | null>(null);

function pointAt(
  graph: NetworkGraph,
  at: Selection,
  place: { readonly x: number; readonly y: number },
): void {
  const isOuter = at.kind === 'node' && at.node >= graph.functions;
  const lit = isOuter ? at : null;
  if (!isSame(lit ?? { kind: 'none' }, outerLit.peek() ?? { kind: 'none' })) outerLit.value = lit;
  if (isOuter) {
    const about = roleOf(graph, at.node) === 'input' ? 'Input of the model' : 'Output of the model';
    hoverNote({ title: graph.names[at.node]!, lines: [about] }, place);
  } else if (at.kind === 'none') hoverNothing();
  else hover(at, place);
}

/** Nodes in focus, null for all. */
function nearOf(scene: Scene, at: Selection): Uint8Array | null {
  if (hops.value === 'all' || at.kind === 'none') return null;
  const ends = at.kind === 'node' ? [at.node] : [at.source, at.target];
  return neighbourhood(scene, ends, Number(hops.value));
}

const lookIn = (colourOf: ColourOf): Look => ({
  ground: colourOf('--surface'),
  ink: colourOf('--ink'),
  soft: colourOf('--ink-soft'),
  line: colourOf('--line'),
  known: colourOf('--known'),
  inferred: colourOf('--inferred'),
  positive: colourOf('--held-out'),
  accent: colourOf('--focus'),
});
