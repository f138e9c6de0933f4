import { crc32 } from 'node:zlib';
import { expect, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { exampleScored, figureOf, seriousViolations, svgRoot, useDemo } from './demo-page.ts';

const demo = useDemo();

/** The chunks of a PNG in front of its pixels; each must have the checksum that zlib finds. */
function chunksOf(png: Buffer): Map<string, Buffer> {
  const chunks = new Map<string, Buffer>();
  for (let at = 8; at < png.length;) {
    const length = png.readUInt32BE(at);
    const type = png.toString('latin1', at + 4, at + 8);
    const data = png.subarray(at + 8, at + 8 + length);
    expect(png.readUInt32BE(at + 8 + length), type).toBe(crc32(png.subarray(at + 4, at + 8 + length)));
    chunks.set(type, data);
    at += length + 12;
  }
  return chunks;
}

const lengthOf = (text: string | null): number => Number(/^([\d.]+)mm$/.exec(text ?? '')?.[1]);

test('a heatmap: millimetres, colour bar, names as text, provenance; the same in light and dark', async () => {
  const { page } = await demo.open({ colorScheme: 'dark' });
  await exampleScored(page);
  const choices = { Title: 'Scores & "pairs"', Width: '120', 'Font size, pt': '8' };
  const { bytes } = await figureOf(page, 'SVG', choices);
  const root = await svgRoot(page, bytes.toString('utf8'));
  expect(root.width).toBe('120mm');
  expect(root.viewBox).toBe(`0 0 120 ${lengthOf(root.height)}`);
  expect(root.grounds).toEqual(['#fff']);
  expect(root.texts[0]).toBe('Scores & "pairs"');
  for (let node = 0; node < 24; node++)
    expect(root.texts.filter((text) => text === `f${node}`)).toHaveLength(2);
  // Correlations: to both sides of 0, and round.
  expect(root.barTexts[0]).toBe('score');
  expect(root.barTexts).toContain('0');
  const values = root.barTexts.slice(1).map((text) => Number(text.replace('−', '-')));
  expect(values).toEqual(values.toSorted((a, b) => a - b));
  expect(values[0]).toBe(-values.at(-1)!);
  const foot = root.texts.slice(-3).join(' ');
  expect(foot).toContain('model.onnx, data.npz, n = 2,000; score corr, layer_agg mean');
  expect(foot).toContain(`magnitude-edge ${packageJson.version}`);

  const png = (await figureOf(page, 'PNG', { ...choices, 'PNG, dpi': '600' })).bytes;
  expect(png.readUInt32BE(16)).toBe(Math.round((120 / 25.4) * 600));
  expect(png.readUInt32BE(20)).toBe(Math.round((lengthOf(root.height) / 25.4) * 600));
  const chunks = chunksOf(png);
  const physical = chunks.get('pHYs')!;
  // 600 dots for each 0.0254 m, along both axes; the unit is the metre.
  expect([physical.readUInt32BE(0), physical.readUInt32BE(4), physical[8]]).toEqual([23622, 23622, 1]);
  expect(chunks.get('iTXt')!.toString('utf8')).toMatch(/^Description\0{5}Model model\.onnx \(SHA-256 /);

  await demo.open({ colorScheme: 'light' });
  await exampleScored(demo.page);
  const inLight = await figureOf(demo.page, 'SVG', { ...choices, 'PNG, dpi': '600' });
  const marks = (svg: string) => svg.replaceAll(/href="[^"]*"/g, '').replaceAll(/SHA-256 \w+/g, '');
  expect(marks(inLight.bytes.toString('utf8'))).toBe(marks(bytes.toString('utf8')));
});

test('charts are as high as is chosen; parts of them can be left out', async () => {
  const { page } = demo;
  await exampleScored(page);
  await page.getByRole('tab', { name: 'Significance' }).click();
  await page.getByRole('button', { name: 'Figure' }).click();
  const dialog = page.getByRole('dialog', { name: 'Figure' });
  await dialog.getByLabel('Plot').selectOption({ label: 'Score against significance' });
  await dialog.getByLabel('Height', { exact: true }).selectOption('other');
  await dialog.getByLabel('Height, mm').fill('55');
  await dialog.getByLabel('Height, mm').press('Tab');
  await dialog.getByText('Provenance').click();
  await dialog.getByText(/^85 × 55 mm; PNG 1,004 × 650 pixels$/).waitFor();
  expect(await seriousViolations(page)).toEqual([]);
  const preview = dialog.getByRole('img', { name: 'Preview: Score against significance' });
  await expect
    .poll(() => preview.evaluate((image: HTMLImageElement) => image.naturalWidth))
    .toBeGreaterThan(300);
  await dialog.getByRole('button', { name: 'Close' }).click();
  const { name, bytes } = await figureOf(page, 'SVG');
  expect(name).toMatch(/_significance\.svg$/);
  const { texts, height } = await svgRoot(page, bytes.toString('utf8'));
  expect(height).toBe('55mm');
  expect(texts).toContain('p-values of all scored pairs');
  expect(texts.join(' ')).not.toContain('magnitude-edge');
});

test('a network is trimmed to what is drawn, and its names never run into each other', async () => {
  const { page } = demo;
  await exampleScored(page);
  await page.getByRole('tab', { name: 'Network' }).click();
  await page.getByText(/^17 known, 50 inferred/).waitFor();
  const { bytes } = await figureOf(page, 'SVG', { Width: '180' });
  const { boxes, frame } = await page.evaluate((file) => {
    const host = document.createElement('div');
    document.body.append(host);
    host.innerHTML = file.slice(file.indexOf('<svg'));
    const drawing = host.querySelector('svg svg')!;
    const boxOf = (element: Element) => {
      const { left, right, top, bottom } = element.getBoundingClientRect();
      return { left, right, top, bottom };
    };
    const boxes = [...drawing.querySelectorAll('text')].map(boxOf);
    const frame = boxOf(drawing);
    host.remove();
    return { boxes, frame };
  }, bytes.toString('utf8'));
  expect(boxes.length).toBeGreaterThan(24);
  for (const [k, a] of boxes.entries()) {
    expect(a.left).toBeGreaterThanOrEqual(frame.left - 0.5);
    expect(a.right).toBeLessThanOrEqual(frame.right + 0.5);
    expect(a.top).toBeGreaterThanOrEqual(frame.top - 0.5);
    expect(a.bottom).toBeLessThanOrEqual(frame.bottom + 0.5);
    for (const b of boxes.slice(k + 1)) {
      const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      // The box of a line is somewhat higher than its letters.
      expect(across > 0.5 && down > 4, JSON.stringify([a, b])).toBe(false);
    }
  }
});
