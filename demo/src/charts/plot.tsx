import type { ComponentChildren, JSX } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { imageOf, inLight, svgContent } from '../figure/light.ts';
import type { LegendItem } from '../figure/legend.ts';
import { offerFigure, type Drawing, type Room } from '../figure/source.ts';
import { hoverNote, hoverNothing, type Note } from '../state/hover.ts';
import { lightColour, tokenColour, type ColourOf } from '../state/theme.ts';
import { linear, sparseTicks, symlog, ticks, tickText, type Scale } from './scale.ts';
import { useSize } from './use-size.ts';

interface Props {
  /** What the figure shows, in one sentence with its numbers: screen readers read it instead of the figure. */
  readonly summary: string;
  readonly title: string;
  readonly x: { readonly label: string; readonly domain: readonly [number, number] };
  readonly y: {
    readonly label: string;
    readonly domain: readonly [number, number];
    /** Linear near 0 and logarithmic further out. */
    readonly isBent?: boolean;
  };
  readonly height: number;
  readonly children: (x: Scale, y: Scale, area: Area) => ComponentChildren;
  /** A canvas under the marks, for more points than SVG holds. */
  readonly paint?: (context: CanvasRenderingContext2D, x: Scale, y: Scale, area: PaintedArea) => void;
  /** What the marks mean; colours are design tokens. */
  readonly legend?: readonly LegendItem[];
  /** One of several similar plots: only exported figures show its legend. */
  readonly isSmall?: boolean;
  /** Title of the exported figure, which has no page around it; `title` by default. */
  readonly figureTitle?: string;
  readonly onPick?: (x: number, y: number, scales: { x: Scale; y: Scale }) => void;
  /** The item nearest to a position in the inner rectangle: the crosshair snaps to it, the tooltip describes it. */
  readonly probe?: (x: number, y: number, scales: { x: Scale; y: Scale }) => Probed | null;
  /** Called with the position of the pointer in the inner rectangle; with undefined once it leaves. */
  readonly onHover?: (at: HoverPlace | undefined) => void;
}

/** Values at a point of a plot. */
export interface Probed extends Note {
  readonly x: number;
  readonly y: number;
}

/** Position of the pointer: in the inner rectangle, and in the window. */
export interface HoverPlace {
  readonly x: number;
  readonly y: number;
  readonly scales: { readonly x: Scale; readonly y: Scale };
  readonly window: { readonly x: number; readonly y: number };
}

/** The inner rectangle of a plot. */
export interface Area {
  readonly width: number;
  readonly height: number;
}

/** Where to paint, and in which colours: those of the page or of an exported figure. */
export interface PaintedArea extends Area {
  readonly colourOf: ColourOf;
}

const margin = { left: 60, right: 12, top: 8, bottom: 34 };

const areaOf = (width: number, height: number): Area => ({
  width: Math.max(width - margin.left - margin.right, 1),
  height: height - margin.top - margin.bottom,
});

const scalesOf = ({ x, y }: Pick<Props, 'x' | 'y'>, area: Area): { x: Scale; y: Scale } => ({
  x: linear(x.domain, [0, area.width]),
  y: (y.isBent ? symlog : linear)(y.domain, [area.height, 0]),
});

/** A figure with two axes; its marks are SVG children, or painted on a canvas below them. */
export function Plot(props: Props) {
  const { summary, title, x, y, height, children, paint, onPick, onHover, probe } = props;
  const [probed, setProbed] = useState<Probed | null>(null);
  const figure = useRef<HTMLElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const { width } = useSize(frame);
  const area = areaOf(width, height);
  const { x: scaleX, y: scaleY } = scalesOf(props, area);
  useLayoutEffect(() => {
    offerFigure(figure.current!, {
      title: props.figureTitle ?? title,
      hasFreeHeight: true,
      draw: (room) => drawingOf(props, { ...room, width: room.width ?? width }),
    });
  });
  const draw = (canvas: HTMLCanvasElement | null) => {
    if (!canvas || !paint) return;
    const ratio = devicePixelRatio;
    canvas.width = Math.round(area.width * ratio);
    canvas.height = Math.round(area.height * ratio);
    const context = canvas.getContext('2d')!;
    context.scale(ratio, ratio);
    paint(context, scaleX, scaleY, { ...area, colourOf: tokenColour });
  };
  const leaveProbe = () => {
    setProbed(null);
    hoverNothing();
  };
  return (
    <figure class="plot" data-title={title} ref={figure}>
      <figcaption>{title}</figcaption>
      <div class="plot-frame" ref={frame} style={{ height: `${height}px` }}>
        {width > 0 && (
          <>
            {paint && (
              <canvas
                ref={draw}
                style={{
                  left: `${margin.left}px`,
                  top: `${margin.top}px`,
                  width: `${area.width}px`,
                  height: `${area.height}px`,
                }}
              />
            )}
            <svg
              width={width}
              height={height}
              role="img"
              aria-label={summary}
              onPointerLeave={() => {
                if (probe) leaveProbe();
                onHover?.(undefined);
              }}
              onPointerMove={({ currentTarget, clientX, clientY }) => {
                const box = currentTarget.getBoundingClientRect();
                const [px, py] = [clientX - box.left - margin.left, clientY - box.top - margin.top];
                const scales = { x: scaleX, y: scaleY };
                const window = { x: clientX, y: clientY };
                onHover?.({ x: px, y: py, scales, window });
                if (!probe) return;
                const isInside = px >= 0 && py >= 0 && px <= area.width && py <= area.height;
                const found = isInside ? probe(px, py, scales) : null;
                if (found) hoverNote(found, window);
                else hoverNothing();
                setProbed(found);
              }}
              onClick={
                onPick &&
                ((event) => {
                  const box = event.currentTarget.getBoundingClientRect();
                  const at = [
                    event.clientX - box.left - margin.left,
                    event.clientY - box.top - margin.top,
                  ] as const;
                  onPick(...at, { x: scaleX, y: scaleY });
                })
              }
            >
              <g transform={`translate(${margin.left},${margin.top})`}>
                <Axes x={scaleX} y={scaleY} area={area} labels={[x.label, y.label]} isBent={y.isBent} />
                {children(scaleX, scaleY, area)}
                {probed && (
                  <g class="crosshair">
                    <line x1={scaleX(probed.x)} x2={scaleX(probed.x)} y2={area.height} />
                    <line y1={scaleY(probed.y)} y2={scaleY(probed.y)} x2={area.width} />
                    <circle cx={scaleX(probed.x)} cy={scaleY(probed.y)} r={3.5} />
                  </g>
                )}
              </g>
            </svg>
          </>
        )}
      </div>
      {props.legend && !props.isSmall && <Legend items={props.legend} />}
    </figure>
  );
}

const Legend = ({ items }: { readonly items: readonly LegendItem[] }) => (
  <p class="caption">
    {items.map(({ label, form, colour }) => (
      <span key={label} class="legend-item">
        <span class={form === 'disc' ? 'swatch' : `stroke ${form}`} style={{ '--mark': `var(${colour})` }} />{' '}
        {label}
      </span>
    ))}
  </p>
);

/** Default ratio of height to width. */
const usualShape = 0.62;

/** The plot as an exported figure: text and lines as vectors, points as an image. */
function drawingOf(
  props: Props,
  { width, height, ratio, showsSelection }: Room & { width: number },
): Drawing {
  const { paint, x, y, children, legend = [] } = props;
  const tall = height ?? Math.round(usualShape * width);
  const area = areaOf(width, tall);
  const scales = scalesOf(props, area);
  const marks = inLight(
    <svg width={width} height={tall}>
      <Axes {...scales} area={area} labels={[x.label, y.label]} isBent={y.isBent} />
      {children(scales.x, scales.y, area)}
    </svg>,
    (host) => {
      if (!showsSelection) for (const mark of host.querySelectorAll('.selected-mark')) mark.remove();
      return svgContent(host.querySelector('svg')!);
    },
  );
  const points = paint && painted(paint, scales, area, ratio);
  return {
    width,
    height: tall,
    content: `<g transform="translate(${margin.left},${margin.top})">${points ?? ''}${marks}</g>`,
    legend: legend.map((item) => ({ ...item, colour: lightColour(item.colour) })),
  };
}

function painted(
  paint: NonNullable<Props['paint']>,
  { x, y }: { x: Scale; y: Scale },
  area: Area,
  ratio: number,
): string {
  const canvas = document.createElement('canvas');
  canvas.width = Math.round(area.width * ratio);
  canvas.height = Math.round(area.height * ratio);
  const context = canvas.getContext('2d')!;
  context.scale(ratio, ratio);
  paint(context, x, y, { ...area, colourOf: lightColour });
  return imageOf(canvas, area.width, area.height);
}

interface AxesProps {
  readonly x: Scale;
  readonly y: Scale;
  readonly area: Area;
  readonly labels: readonly [string, string];
  readonly isBent: boolean | undefined;
}

function Axes({ x, y, area, labels, isBent }: AxesProps): JSX.Element {
  const xs = ticks(x.domain, Math.max(2, Math.floor(area.width / 70)));
  const ys = isBent ? sparseTicks(y, 26) : ticks(y.domain, Math.max(2, Math.floor(area.height / 40)));
  const step = (values: number[]) => (values[1] ?? 1) - (values[0] ?? 0);
  return (
    <g class="axes">
      {ys.map((value) => (
        <g key={value} transform={`translate(0,${y(value)})`}>
          <line x2={area.width} class="grid-line" />
          <text x={-6} dy="0.32em" text-anchor="end">
            {tickText(value, isBent ? 1 : step(ys))}
          </text>
        </g>
      ))}
      {xs.map((value) => (
        <g key={value} transform={`translate(${x(value)},${area.height})`}>
          <line y2={4} class="axis-line" />
          <text y={15} text-anchor="middle">
            {tickText(value, step(xs))}
          </text>
        </g>
      ))}
      <line y1={area.height} y2={area.height} x2={area.width} class="axis-line" />
      <text class="axis-label" x={area.width / 2} y={area.height + 30} text-anchor="middle">
        {labels[0]}
      </text>
      <text
        class="axis-label"
        transform={`translate(-48,${area.height / 2}) rotate(-90)`}
        text-anchor="middle"
      >
        {labels[1]}
      </text>
    </g>
  );
}

/** A step path through x, y, x, y ...: each y holds from the previous x (at first `from`) to its own. */
export function stepsOf(points: ArrayLike<number>, from: number, x: Scale, y: Scale): string {
  let path = '';
  for (let i = 0; i + 1 < points.length; i += 2) {
    const level = y(points[i + 1]!).toFixed(1);
    path += i === 0 ? `M${x(from).toFixed(1)},${level}` : `V${level}`;
    path += `H${x(points[i]!).toFixed(1)}`;
  }
  return path;
}

/** An SVG path through points given as x, y, x, y ... */
export function pathOf(points: ArrayLike<number>, x: Scale, y: Scale): string {
  let path = '';
  for (let i = 0; i + 1 < points.length; i += 2)
    path += `${i === 0 ? 'M' : 'L'}${x(points[i]!).toFixed(1)},${y(points[i + 1]!).toFixed(1)}`;
  return path;
}
