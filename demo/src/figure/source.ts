import type { ColourBar } from './colour-bar.ts';
import type { LegendItem } from './legend.ts';

/** What a figure gives its drawing, CSS pixels. */
export interface Room {
  /** Null: as wide as on the screen. */
  readonly width: number | null;
  /** Null: what follows from the width and from what is drawn. */
  readonly height: number | null;
  /** Pixels of images for each CSS pixel. */
  readonly ratio: number;
  /** What is selected stands out. */
  readonly showsSelection: boolean;
}

/** A drawing in colours of the light theme, as SVG content; CSS pixels. */
export interface Drawing {
  readonly width: number;
  readonly height: number;
  readonly content: string;
  readonly bar?: ColourBar | undefined;
  readonly legend?: readonly LegendItem[];
}

/** A picture on the page that can leave as a figure. */
export interface FigureSource {
  readonly title: string;
  /** Its height can be chosen; else it follows from what is drawn. */
  readonly hasFreeHeight: boolean;
  draw(room: Room): Drawing | Promise<Drawing>;
}

const sources = new WeakMap<Element, FigureSource>();

/** Says how an element of a view is drawn for a figure; it holds as long as the element is there, or until the next one. */
export function offerFigure(element: HTMLElement, source: FigureSource): void {
  element.dataset.figure = '';
  sources.set(element, source);
}

/** The figures inside an element, in the order of the page. */
export const figuresIn = (panel: Element): readonly FigureSource[] =>
  [...panel.querySelectorAll('[data-figure]')].flatMap((element) => sources.get(element) ?? []);
