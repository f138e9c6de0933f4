import type { ColourBar } from './colour-bar.ts';
import type { LegendItem } from './legend.ts';

/** The space and settings that a figure gives a drawing; CSS pixels. */
export interface Room {
  /** Null: as wide as on screen. */
  readonly width: number | null;
  /** Null: follows from the width and the content. */
  readonly height: number | null;
  /** Image pixels per CSS pixel. */
  readonly ratio: number;
  /** Whether the selection is highlighted. */
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

/** A picture on the page that can be exported as a figure. */
export interface FigureSource {
  readonly title: string;
  /** Whether its height can be chosen; if not, it follows from the content. */
  readonly hasFreeHeight: boolean;
  draw(room: Room): Drawing | Promise<Drawing>;
}

const sources = new WeakMap<Element, FigureSource>();

/** Registers how an element is drawn as a figure, until the element is removed or registers again. */
export function offerFigure(element: HTMLElement, source: FigureSource): void {
  element.dataset.figure = '';
  sources.set(element, source);
}

/** The figures inside an element, in page order. */
export const figuresIn = (panel: Element): readonly FigureSource[] =>
  [...panel.querySelectorAll('[data-figure]')].flatMap((element) => sources.get(element) ?? []);
