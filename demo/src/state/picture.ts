import { pictureOfPlots, pngFile, svgFile, type Picture } from '../export/picture.ts';
import { download } from '../export/download.ts';
import { fileStem, provenanceText } from '../results/wording.ts';
import { refuse } from './alerts.ts';
import { result } from './edges.ts';
import { tokenColour } from './theme.ts';
import { view, type ViewName } from './view.ts';

/** How views draw themselves as pictures, where their plots alone would not do; set and taken back by the view. */
const ownPictures = new Map<ViewName, () => Picture | Promise<Picture>>();

export function offerPicture(of: ViewName, make: () => Picture | Promise<Picture>): () => void {
  ownPictures.set(of, make);
  return () => {
    if (ownPictures.get(of) === make) ownPictures.delete(of);
  };
}

/** Saves the view on show. */
export async function savePicture(format: 'svg' | 'png'): Promise<void> {
  const shown = result.value?.provenance;
  try {
    const picture =
      (await ownPictures.get(view.value)?.()) ?? pictureOfPlots(document.getElementById('view-panel')!);
    if (!picture) throw new Error('There is no picture in this view yet.');
    const svg = svgFile(picture, tokenColour('--surface'), shown ? provenanceText(shown) : '');
    const blob = format === 'svg' ? new Blob([svg], { type: 'image/svg+xml' }) : await pngFile(svg, picture);
    download(blob, `${shown ? `${fileStem(shown)}_` : ''}${view.value}.${format}`);
  } catch (error) {
    refuse(error);
  }
}
