import { escapeXml } from './xml.ts';

/** A view as SVG content with its size in CSS pixels. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly content: string;
}

/** The SVG file of a picture, on the page's ground, so that light text on dark stays readable; `about` says what it is of. */
export function svgFile({ width, height, content }: Picture, ground: string, about: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">
<desc>${escapeXml(about)}</desc>
<rect width="100%" height="100%" fill="${ground}"/>
${content}
</svg>
`;
}

/** The same picture as PNG, two pixels for each CSS pixel. */
export async function pngFile(svg: string, { width, height }: Picture): Promise<Blob> {
  const address = URL.createObjectURL(new Blob([svg], { type: 'image/svg+xml' }));
  try {
    const image = new Image();
    image.src = address;
    await image.decode();
    const canvas = new OffscreenCanvas(2 * width, 2 * height);
    canvas.getContext('2d')!.drawImage(image, 0, 0, canvas.width, canvas.height);
    return await canvas.convertToBlob({ type: 'image/png' });
  } finally {
    URL.revokeObjectURL(address);
  }
}

/** A canvas as an image inside an SVG. */
export function imageOf(canvas: HTMLCanvasElement, x: number, y: number, width: number, height: number): string {
  return `<image x="${x}" y="${y}" width="${width}" height="${height}" href="${canvas.toDataURL()}"/>`;
}

/** The plots of a panel, one below the other as they stand: their SVG with its styles, their canvases as images. */
export function pictureOfPlots(panel: HTMLElement): Picture | null {
  const figures = [...panel.querySelectorAll<HTMLElement>('figure.plot')];
  if (figures.length === 0) return null;
  const boxes = figures.map((figure) => figure.getBoundingClientRect());
  const left = Math.min(...boxes.map((box) => box.left));
  const top = Math.min(...boxes.map((box) => box.top));
  const room = 12;
  const content = figures.map((figure) => {
    const at = (element: Element) => {
      const box = element.getBoundingClientRect();
      return { x: box.left - left + room, y: box.top - top + room, width: box.width, height: box.height };
    };
    const caption = figure.querySelector('figcaption')!;
    const style = getComputedStyle(caption);
    const place = at(caption);
    const title = `<text x="${place.x}" y="${place.y + 13}" font-family="${escapeXml(style.fontFamily)}" font-size="13" font-weight="600" fill="${style.color}">${escapeXml(caption.textContent)}</text>`;
    const canvases = [...figure.querySelectorAll('canvas')].map((canvas) => {
      const { x, y, width, height } = at(canvas);
      return imageOf(canvas, x, y, width, height);
    });
    const drawings = [...figure.querySelectorAll('svg')].map((svg) => {
      const { x, y } = at(svg);
      return `<g transform="translate(${x},${y})">${styledContent(svg)}</g>`;
    });
    return [title, ...canvases, ...drawings].join('\n');
  });
  return {
    width: Math.ceil(Math.max(...boxes.map((box) => box.right)) - left + 2 * room),
    height: Math.ceil(Math.max(...boxes.map((box) => box.bottom)) - top + 2 * room),
    content: content.join('\n'),
  };
}

const carried = [
  'fill',
  'stroke',
  'stroke-width',
  'stroke-dasharray',
  'font-family',
  'font-size',
  'font-weight',
  'opacity',
];

/** The children of an SVG element with what style sheets give them written into attributes. */
function styledContent(svg: SVGSVGElement): string {
  const copy = svg.cloneNode(true) as SVGSVGElement;
  const originals = svg.querySelectorAll('*');
  copy.querySelectorAll('*').forEach((element, k) => {
    const style = getComputedStyle(originals[k]!);
    for (const property of carried) element.setAttribute(property, style.getPropertyValue(property));
    element.removeAttribute('class');
  });
  const serializer = new XMLSerializer();
  return [...copy.childNodes].map((node) => serializer.serializeToString(node)).join('');
}
