import { escapeXml } from '../export/xml.ts';

type Point = readonly [x: number, y: number];

/** The few kinds of marks in network pictures, in CSS pixels; drawn on a canvas or written as SVG. */
export type Shape = Arrow | Node | Text;

export interface ArrowStyle {
  readonly colour: string;
  readonly width: number;
  readonly dashed: boolean;
  readonly opacity: number;
}

export interface Arrow {
  readonly kind: 'arrow';
  readonly from: Point;
  readonly to: Point;
  /** Control point of the curve between the two; null for a straight line. */
  readonly by: Point | null;
  readonly hasHead: boolean;
  readonly style: ArrowStyle;
}

export interface Node {
  readonly kind: 'node';
  readonly form: 'disc' | 'square';
  readonly at: Point;
  readonly radius: number;
  readonly fill: string;
  readonly ring: string;
  readonly opacity: number;
}

export interface Text {
  readonly kind: 'text';
  readonly at: Point;
  /** Which part of the text is at this point. */
  readonly align: 'center' | 'start' | 'end';
  readonly text: string;
  readonly colour: string;
  readonly halo: string;
  readonly bold: boolean;
}

/** Where shapes are drawn: a canvas of the page, or one of a worker. */
export type Canvas2D = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

const dash = [5, 4];
export const textSize = 11;
/** Most arrows in one path: longer paths are slower, because their edges are sorted together. */
const batch = 32;

export const fontOf = (family: string, bold: boolean): string =>
  `${bold ? 600 : 400} ${textSize}px ${family}`;

/** Draws shapes in order; consecutive arrows of one style share a path. */
export function drawShapes(context: Canvas2D, shapes: Iterable<Shape>, font: string): void {
  let waiting: Arrow[] = [];
  const drawWaiting = () => {
    if (waiting.length > 0) drawArrows(context, waiting);
    waiting = [];
  };
  for (const shape of shapes) {
    if (shape.kind === 'arrow') {
      if (waiting.length === batch || (waiting.length > 0 && waiting[0]!.style !== shape.style))
        drawWaiting();
      waiting.push(shape);
      continue;
    }
    drawWaiting();
    if (shape.kind === 'node') drawNode(context, shape);
    else drawText(context, shape, font);
  }
  drawWaiting();
  context.globalAlpha = 1;
}

function drawArrows(context: Canvas2D, arrows: readonly Arrow[]): void {
  const { colour, width, dashed, opacity } = arrows[0]!.style;
  context.globalAlpha = opacity;
  context.strokeStyle = colour;
  context.fillStyle = colour;
  context.lineWidth = width;
  context.setLineDash(dashed ? dash : []);
  context.beginPath();
  for (const { from, by, to } of arrows) {
    context.moveTo(...from);
    if (by) context.quadraticCurveTo(...by, ...to);
    else context.lineTo(...to);
  }
  context.stroke();
  context.beginPath();
  for (const arrow of arrows) {
    if (!arrow.hasHead) continue;
    const [tip, left, right] = arrowHead(arrow);
    context.moveTo(...tip);
    context.lineTo(...left);
    context.lineTo(...right);
  }
  context.fill();
}

function drawNode(context: Canvas2D, { form, at: [x, y], radius, fill, ring, opacity }: Node): void {
  context.globalAlpha = opacity;
  context.setLineDash([]);
  context.beginPath();
  if (form === 'disc') context.arc(x, y, radius, 0, 2 * Math.PI);
  else context.rect(x - radius, y - radius, 2 * radius, 2 * radius);
  context.fillStyle = fill;
  context.fill();
  context.strokeStyle = ring;
  context.lineWidth = 1.5;
  context.stroke();
}

function drawText(context: Canvas2D, { at, align, text, colour, halo, bold }: Text, font: string): void {
  context.globalAlpha = 1;
  context.setLineDash([]);
  context.font = fontOf(font, bold);
  context.textBaseline = 'middle';
  context.textAlign = align;
  context.lineWidth = 3;
  context.lineJoin = 'round';
  context.strokeStyle = halo;
  context.strokeText(text, ...at);
  context.fillStyle = colour;
  context.fillText(text, ...at);
}

const anchors = { center: 'middle', start: 'start', end: 'end' } as const;

/** The same as SVG; text inherits the surrounding font. */
export function svgOfShapes(shapes: Iterable<Shape>): string {
  const parts: string[] = [];
  const n = (value: number) => value.toFixed(1);
  for (const shape of shapes) {
    if (shape.kind === 'arrow') {
      const { from, to, by, style } = shape;
      const way = by ? `Q${n(by[0])},${n(by[1])} ${n(to[0])},${n(to[1])}` : `L${n(to[0])},${n(to[1])}`;
      const head = arrowHead(shape).map(([x, y]) => `${n(x)},${n(y)}`);
      parts.push(
        `<g opacity="${style.opacity}"><path d="M${n(from[0])},${n(from[1])}${way}" fill="none" stroke="${style.colour}" stroke-width="${style.width}"${style.dashed ? ` stroke-dasharray="${dash.join(' ')}"` : ''}/>${shape.hasHead ? `<polygon points="${head.join(' ')}" fill="${style.colour}"/>` : ''}</g>`,
      );
    } else if (shape.kind === 'node') {
      const { form, at, radius, fill, ring, opacity } = shape;
      const look = `fill="${fill}" stroke="${ring}" stroke-width="1.5" opacity="${opacity}"`;
      parts.push(
        form === 'disc'
          ? `<circle cx="${n(at[0])}" cy="${n(at[1])}" r="${n(radius)}" ${look}/>`
          : `<rect x="${n(at[0] - radius)}" y="${n(at[1] - radius)}" width="${n(2 * radius)}" height="${n(2 * radius)}" ${look}/>`,
      );
    } else {
      const { at, align, text, colour, halo, bold } = shape;
      parts.push(
        `<text x="${n(at[0])}" y="${n(at[1])}" dy="0.32em" text-anchor="${anchors[align]}" font-size="${textSize}" font-weight="${bold ? 600 : 400}" fill="${colour}" stroke="${halo}" stroke-width="3" paint-order="stroke">${escapeXml(text)}</text>`,
      );
    }
  }
  return parts.join('\n');
}

/** Tip and two barbs of an arrow's head. */
function arrowHead({ from, by, to, style }: Arrow): [Point, Point, Point] {
  const behind = by ?? from;
  const length = Math.hypot(to[0] - behind[0], to[1] - behind[1]) || 1;
  const [dx, dy] = [(to[0] - behind[0]) / length, (to[1] - behind[1]) / length];
  const size = 6 + 1.5 * style.width;
  const barb = (side: number): Point => [
    to[0] - size * dx - side * 0.42 * size * dy,
    to[1] - size * dy + side * 0.42 * size * dx,
  ];
  return [to, barb(1), barb(-1)];
}
