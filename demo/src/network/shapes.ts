import { escapeXml } from '../export/xml.ts';

/** The few kinds of marks that network pictures are made of, in CSS pixels; drawn on a canvas or written as SVG. */
export type Shape =
  | {
      readonly kind: 'arrow';
      readonly from: readonly [number, number];
      readonly to: readonly [number, number];
      /** Control point of the curve between the two. */
      readonly by: readonly [number, number];
      readonly colour: string;
      readonly width: number;
      readonly dashed: boolean;
      readonly opacity: number;
    }
  | {
      readonly kind: 'disc';
      readonly at: readonly [number, number];
      readonly radius: number;
      readonly fill: string;
      readonly ring: string;
      readonly opacity: number;
    }
  | {
      readonly kind: 'text';
      readonly at: readonly [number, number];
      /** What of the text stands at this place. */
      readonly align: 'center' | 'start';
      readonly text: string;
      readonly colour: string;
      readonly halo: string;
      readonly bold: boolean;
    };

const dash = [5, 4];
const textSize = 11;

export function drawShapes(context: CanvasRenderingContext2D, shapes: Iterable<Shape>, font: string): void {
  for (const shape of shapes) {
    if (shape.kind === 'arrow') {
      const [tip, left, right] = arrowHead(shape);
      context.globalAlpha = shape.opacity;
      context.strokeStyle = shape.colour;
      context.fillStyle = shape.colour;
      context.lineWidth = shape.width;
      context.setLineDash(shape.dashed ? dash : []);
      context.beginPath();
      context.moveTo(...shape.from);
      context.quadraticCurveTo(...shape.by, ...shape.to);
      context.stroke();
      context.beginPath();
      context.moveTo(...tip);
      context.lineTo(...left);
      context.lineTo(...right);
      context.fill();
    } else if (shape.kind === 'disc') {
      context.globalAlpha = shape.opacity;
      context.setLineDash([]);
      context.beginPath();
      context.arc(...shape.at, shape.radius, 0, 2 * Math.PI);
      context.fillStyle = shape.fill;
      context.fill();
      context.strokeStyle = shape.ring;
      context.lineWidth = 1.5;
      context.stroke();
    } else {
      context.globalAlpha = 1;
      context.setLineDash([]);
      context.font = `${shape.bold ? 600 : 400} ${textSize}px ${font}`;
      context.textBaseline = 'middle';
      context.textAlign = shape.align;
      context.lineWidth = 3;
      context.lineJoin = 'round';
      context.strokeStyle = shape.halo;
      context.strokeText(shape.text, ...shape.at);
      context.fillStyle = shape.colour;
      context.fillText(shape.text, ...shape.at);
    }
  }
  context.globalAlpha = 1;
}

export function svgOfShapes(shapes: Iterable<Shape>, font: string): string {
  const parts: string[] = [];
  const n = (value: number) => value.toFixed(1);
  for (const shape of shapes) {
    if (shape.kind === 'arrow') {
      const { from, to, by, colour, width, dashed, opacity } = shape;
      const head = arrowHead(shape).map(([x, y]) => `${n(x)},${n(y)}`);
      parts.push(
        `<g opacity="${opacity}"><path d="M${n(from[0])},${n(from[1])}Q${n(by[0])},${n(by[1])} ${n(to[0])},${n(to[1])}" fill="none" stroke="${colour}" stroke-width="${width}"${dashed ? ` stroke-dasharray="${dash.join(' ')}"` : ''}/><polygon points="${head.join(' ')}" fill="${colour}"/></g>`,
      );
    } else if (shape.kind === 'disc') {
      const { at, radius, fill, ring, opacity } = shape;
      parts.push(
        `<circle cx="${n(at[0])}" cy="${n(at[1])}" r="${radius}" fill="${fill}" stroke="${ring}" stroke-width="1.5" opacity="${opacity}"/>`,
      );
    } else {
      const { at, align, text, colour, halo, bold } = shape;
      const anchor = align === 'center' ? 'middle' : 'start';
      parts.push(
        `<text x="${n(at[0])}" y="${n(at[1])}" dy="0.32em" text-anchor="${anchor}" font-family="${escapeXml(font)}" font-size="${textSize}" font-weight="${bold ? 600 : 400}" fill="${colour}" stroke="${halo}" stroke-width="3" paint-order="stroke">${escapeXml(text)}</text>`,
      );
    }
  }
  return parts.join('\n');
}

type Point = [number, number];

/** Tip and two barbs of an arrow's head. */
function arrowHead({ by, to, width }: Extract<Shape, { kind: 'arrow' }>): [Point, Point, Point] {
  const length = Math.hypot(to[0] - by[0], to[1] - by[1]) || 1;
  const [dx, dy] = [(to[0] - by[0]) / length, (to[1] - by[1]) / length];
  const size = 5 + 1.5 * width;
  const barb = (side: number): Point => [
    to[0] - size * dx - side * 0.45 * size * dy,
    to[1] - size * dy + side * 0.45 * size * dx,
  ];
  return [[to[0], to[1]], barb(1), barb(-1)];
}
