import { expect, test } from 'vitest';
import { exampleFile } from '../support/example-data.ts';
import { exampleScored, useDemo } from './demo-page.ts';

const demo = useDemo();

const button = (name: string) => demo.page.getByRole('button', { name, exact: true });

/**
 * Serves the fit's worker so that its first one hangs in the given call once it has answered it `after` times, as a model
 * that loops without end does; the worker that takes its place is as it was built.
 */
async function hangIn(method: string, after: number): Promise<void> {
  // The page's own service worker would answer instead.
  await demo.open({ serviceWorkers: 'block' });
  const { page } = demo;
  let served = 0;
  await page.route('**/fit.worker-*.js', async (route) => {
    served += 1;
    if (served > 1) {
      await route.continue();
      return;
    }
    const response = await route.fetch();
    const hang = `let left = ${after};
      addEventListener('message', ({ data }) => {
        if (data.method === ${JSON.stringify(method)} && left-- === 0) for (;;);
      });`;
    await route.fulfill({ response, body: `${hang}\n${await response.text()}` });
  });
  // The page that is open may ask for its worker yet: it is left before the first one is counted.
  const address = page.url();
  await page.goto('about:blank');
  served = 0;
  await page.goto(address);
}

const ended = /^The cancelled work did not stop within \d+ s and was terminated/;

test('a fit that never comes back: Cancel frees the page, ends the worker, and Run works again', async () => {
  await hangIn('fit', 1);
  const { page } = demo;
  await exampleScored(page);
  const bar = page.getByRole('region', { name: 'Provenance of these results' });
  await button('Run').click();
  await page.getByText('Starting …').waitFor();
  await bar.getByText(/from an earlier run: the latest run has no scores yet$/).waitFor();
  await button('Cancel').click();
  await page.getByText(/^Stopped at 0 of 2,000 samples/).waitFor();
  await page.getByRole('alert').filter({ hasText: ended }).waitFor();
  // The table of the run before is still there, and says that it is.
  await page.getByRole('grid').waitFor();
  expect(await button('Resume').count()).toBe(0);
  await button('Run').click();
  await exampleScored(page);
  await bar
    .getByText('model.onnx with data.npz (corr, mean of layers, n = 2,000)', { exact: true })
    .waitFor();
  expect(await page.getByRole('alert').count()).toBe(0);
});

test('a file that never opens: Cancel leaves the one before, which runs again', async () => {
  await hangIn('openData', 1);
  const { page } = demo;
  await exampleScored(page);
  const file = { ...(await exampleFile('data.npz')), name: 'endless.npz' };
  await page.getByLabel('Data', { exact: true }).setInputFiles(file);
  await page.getByText('Reading …').waitFor();
  await button('Cancel').click();
  await page.getByRole('alert').filter({ hasText: ended }).waitFor();
  await page.getByText('data.npz', { exact: true }).waitFor();
  await button('Run').click();
  await exampleScored(page);
});
