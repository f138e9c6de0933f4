import { pictureOfPlots, pngFile, svgFile, type Picture } from '../export/picture.ts';
import { download } from '../export/download.ts';
import { fileStem, provenanceText } from '../results/wording.ts';
import { refuse } from './alerts.ts';
import { result } from './edges.ts';
import { tokenColour } from './theme.ts';
import { view } from './view.ts';

/** How the view on show draws itself as a picture, where its plots alone would not do; set and taken back by the view. */
let ownPicture: (() => Picture | Promise<Picture>) | null = null;

export function offerPicture(make: () => Picture | Promise<Picture>): () => void {
  ownPicture = make;
  return () => {
    if (ownPicture === make) ownPicture = null;
  };
}

/** Saves the view on show. */
export async function savePicture(format: 'svg' | 'png'): Promise<void> {
  const shown = result.value?.provenance;
  try {
    const picture = (await ownPicture?.()) ?? pictureOfPlots(document.getElementById('view-panel')!);
    if (!picture) throw new Error('There is no picture in this view yet.');
    const svg = svgFile(picture, tokenColour('--surface'), shown ? provenanceText(shown) : '');
    const blob = format === 'svg' ? new Blob([svg], { type: 'image/svg+xml' }) : await pngFile(svg, picture);
    download(blob, `${shown ? `${fileStem(shown)}_` : ''}${view.value}.${format}`);
  } catch (error) {
    refuse(error);
  }
}
