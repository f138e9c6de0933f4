import type { ColourOf } from '../state/theme.ts';
import type { Palette, Rgb } from './painter.ts';

/** Red, green, blue of `rgb(...)`, 0 to 255. */
export function channelsOf(colour: string): [red: number, green: number, blue: number] {
  const [red = 0, green = 0, blue = 0] = (colour.match(/[\d.]+/g) ?? []).map(Number);
  return [red, green, blue];
}

export function readPalette(colourOf: ColourOf): Palette {
  const rgb = (token: string): Rgb => {
    const [red, green, blue] = channelsOf(colourOf(token));
    return [red / 255, green / 255, blue / 255];
  };
  return {
    negative: rgb('--negative-full'),
    middle: rgb('--score-zero'),
    positive: rgb('--positive-full'),
    none: rgb('--surface'),
    mark: rgb('--ink'),
  };
}
