import { signal } from '@preact/signals';
import { version } from 'magnitude-edge';
import { download } from '../export/download.ts';
import type { About, Figure, FigureSettings } from '../figure/compose.ts';
import { pngOf } from '../figure/png.ts';
import { figureLine, fileStem, provenanceText } from '../results/wording.ts';
import { result } from './edges.ts';
import { modelFacts } from './run.ts';

/** Export settings of figures, without their titles. */
export const figureSettings = signal<Omit<FigureSettings, 'title'>>({
  widthMm: 85,
  heightMm: null,
  dpi: 300,
  points: 7,
  showsLegend: true,
  showsProvenance: true,
  showsSelection: true,
});

/** Provenance of the figures on the page. */
export function aboutFigures(): About {
  const shown = result.value?.provenance;
  if (shown) return { line: figureLine(shown, version), text: provenanceText(shown) };
  // A network can be shown before any run.
  const nodes = modelFacts.value?.functions.length;
  const line = `${nodes === undefined ? '' : `A model of ${nodes} function nodes; `}magnitude-edge ${version}`;
  return { line, text: line };
}

/** Saves a figure through the browser's downloads. @param what the end of its file name */
export async function saveFigure(figure: Figure, format: 'svg' | 'png', what: string): Promise<void> {
  const shown = result.value?.provenance;
  const blob =
    format === 'svg'
      ? new Blob([figure.svg], { type: 'image/svg+xml' })
      : await pngOf(figure, figureSettings.value.dpi, aboutFigures().text);
  download(blob, `${shown ? `${fileStem(shown)}_` : ''}${what}.${format}`);
}
