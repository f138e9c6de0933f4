import { short, textElement, widthInFigure } from './text.ts';

/** What a mark means. */
export interface LegendItem {
  readonly label: string;
  readonly form: 'disc' | 'square' | 'line' | 'dashed';
  readonly colour: string;
}

const lineHeight = 16;
const gap = 14;

const markWidth = ({ form }: LegendItem): number => (form === 'line' || form === 'dashed' ? 22 : 9);

/** The items from left to right, on as many lines as the width requires. */
export function legendContent(
  items: readonly LegendItem[],
  x: number,
  y: number,
  width: number,
  ink: string,
): { content: string; height: number } {
  let [left, line] = [0, 0];
  const parts = items.map((item) => {
    const mark = markWidth(item);
    const own = mark + 5 + widthInFigure(item.label);
    if (left > 0 && left + own > width) [left, line] = [0, line + 1];
    const [at, middle] = [x + left, y + lineHeight * line + 8];
    left += own + gap;
    return (
      markContent(item, at, middle) + textElement(item.label, at + mark + 5, middle + 4, { colour: ink })
    );
  });
  return { content: parts.join('\n'), height: items.length === 0 ? 0 : lineHeight * (line + 1) };
}

function markContent({ form, colour }: LegendItem, x: number, y: number): string {
  switch (form) {
    case 'disc':
      return `<circle cx="${short(x + 4.5)}" cy="${short(y)}" r="4" fill="${colour}"/>`;
    case 'square':
      return `<rect x="${short(x + 0.5)}" y="${short(y - 4)}" width="8" height="8" fill="${colour}"/>`;
    default:
      return `<path d="M${short(x)},${short(y)}h22" stroke="${colour}" stroke-width="2"${form === 'dashed' ? ' stroke-dasharray="5 3"' : ''}/>`;
  }
}
