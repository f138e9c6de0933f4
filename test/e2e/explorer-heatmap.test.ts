import { describe, expect, test } from 'vitest';
import { exampleScored, positivesMarked, figureOf, useDemo } from './demo-page.ts';

const demo = useDemo();

/** The heatmap's PNG as RGBA bytes. */
async function picture(): Promise<{ width: number; height: number; rgba: Uint8Array }> {
  const { page } = demo;
  const png = (await figureOf(page, 'PNG')).bytes.toString('base64');
  const { width, height, rgba } = await page.evaluate(async (data) => {
    // Not by fetching a data: address, which the page's policy forbids.
    const file = Uint8Array.from(atob(data), (byte) => byte.charCodeAt(0));
    const image = await createImageBitmap(new Blob([file], { type: 'image/png' }));
    const context = new OffscreenCanvas(image.width, image.height).getContext('2d')!;
    context.drawImage(image, 0, 0);
    const bytes = context.getImageData(0, 0, image.width, image.height).data;
    let text = '';
    for (let at = 0; at < bytes.length; at += 32768)
      text += String.fromCharCode(...bytes.subarray(at, at + 32768));
    return { width: image.width, height: image.height, rgba: btoa(text) };
  }, png);
  return { width, height, rgba: Buffer.from(rgba, 'base64') };
}

/** The heatmap's picture once it is drawn from what is expected, in an order, zoomed and with or without marks. */
async function pictures(drawnFrom: 'scores' | 'table') {
  const { page } = demo;
  await exampleScored(page);
  await positivesMarked(page);
  await page.locator(`canvas[data-drawn-from=${drawnFrom}]`).waitFor();
  const taken = [await picture()];
  await page.getByLabel('Order of nodes').selectOption('cluster');
  for (let step = 0; step < 3; step++) await page.getByRole('button', { name: 'Zoom in' }).click();
  await page.getByText('Known edges', { exact: true }).click();
  await page.locator(`canvas[data-drawn-from=${drawnFrom}][data-order=cluster]`).waitFor();
  taken.push(await picture());
  return taken;
}

describe('drawn by the fit’s own GPU device, from the scores where they lie', () => {
  test('the picture is that of the 2D painter, drawn from the table of the CPU backend', async () => {
    await demo.open({ query: '?backend=cpu' });
    const onHost = await pictures('table');
    await demo.open({ query: '?backend=webgpu&executionProvider=wasm' });
    const onGpu = await pictures('scores');
    for (const [k, { width, height, rgba }] of onHost.entries()) {
      expect([onGpu[k]!.width, onGpu[k]!.height]).toEqual([width, height]);
      // Colours are rounded to bytes on both sides, and scores are summed in float32 on one. Rims of dots and cells that
      // fall between two pixels are smoothed in 2D and not by the shader: what counts is off every rim of the one picture.
      const differs = (one: number, other: number) => Math.abs(one - other) > 3;
      const around = [-4, 4, -4 * width, 4 * width].flatMap((step) => [step, 2 * step]);
      let [inside, differing] = [0, 0];
      for (let at = 0; at < rgba.length; at++) {
        if (around.some((step) => differs(rgba[at]!, rgba[at + step] ?? rgba[at]!))) continue;
        inside++;
        if (differs(rgba[at]!, onGpu[k]!.rgba[at]!)) differing++;
      }
      expect(inside / rgba.length, `picture ${k}`).toBeGreaterThan(0.5);
      expect(differing / inside, `picture ${k}`).toBeLessThan(0.001);
    }
  });

  test('it follows the scores: another score, another run, and back to the CPU', async () => {
    await demo.open({ query: '?backend=webgpu&executionProvider=wasm' });
    const { page } = demo;
    await exampleScored(page);
    const drawn = page.locator('canvas[data-drawn-from=scores]');
    await drawn.waitFor();
    const marginal = await picture();
    await page.getByLabel('Score', { exact: true }).selectOption('partial');
    await page.getByRole('columnheader', { name: 'n cond' }).waitFor();
    await expect.poll(async () => Buffer.compare((await picture()).rgba, marginal.rgba)).not.toBe(0);
    const partial = await picture();
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await exampleScored(page);
    await expect.poll(async () => Buffer.compare((await picture()).rgba, partial.rgba)).toBe(0);
    // The tab closes its canvas and opens another.
    await page.getByRole('tab', { name: 'Evidence' }).click();
    await page.getByRole('tab', { name: 'Heatmap' }).click();
    await drawn.waitFor();
    await expect.poll(async () => Buffer.compare((await picture()).rgba, partial.rgba)).toBe(0);
    await page.getByText('Magnitudes, loss and backend').click();
    await page.getByLabel('Backend').selectOption('cpu');
    await page.locator('canvas[data-drawn-from=table]').waitFor();
  });
});
