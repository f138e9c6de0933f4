import { expect, test } from 'vitest';
import { exampleScored, useDemo } from './demo-page.ts';

const demo = useDemo();

const button = (name: string) => demo.page.getByRole('button', { name, exact: true });

/**
 * Serves the fit's worker so that the GPU device goes away under it, once: at the first message of a kind, or at the given
 * submit. It says `lost` on the console when the device has told so.
 */
async function loseDevice(when: { readonly message: string } | { readonly submit: number }): Promise<void> {
  // The page's own service worker would answer instead.
  await demo.open({ serviceWorkers: 'block', query: '?backend=webgpu&executionProvider=wasm' });
  const { page } = demo;
  await page.route('**/fit.worker-*.js', async (route) => {
    const response = await route.fetch();
    const lose = `{
      const when = ${JSON.stringify(when)};
      const devices = [];
      let [submits, lost] = [0, false];
      const lose = () => {
        if (lost) return;
        lost = true;
        for (const device of devices) device.destroy();
      };
      const request = GPUAdapter.prototype.requestDevice;
      GPUAdapter.prototype.requestDevice = async function (...wish) {
        const device = await request.apply(this, wish);
        devices.push(device);
        void device.lost.then(() => console.log('lost'));
        return device;
      };
      const submit = GPUQueue.prototype.submit;
      GPUQueue.prototype.submit = function (work) {
        if (++submits === when.submit) lose();
        return submit.call(this, work);
      };
      addEventListener('message', ({ data }) => {
        if (data.method === when.message) lose();
      });
    }`;
    await route.fulfill({ response, body: `${lose}\n${await response.text()}` });
  });
  await page.reload();
}

test('a device that goes away between two runs: Run starts again by itself', async () => {
  // The square is laid out when the scores of the first run are there.
  await loseDevice({ message: 'layHeatmap' });
  const { page } = demo;
  const lost = page.waitForEvent('console', (message) => message.text() === 'lost');
  await exampleScored(page);
  await lost;
  await button('Run').click();
  await button('Pause').waitFor();
  await exampleScored(page);
  expect(await page.getByRole('alert').count()).toBe(0);
});

test('a device that goes away within a run: the page says so, and Run works', async () => {
  await loseDevice({ submit: 6 });
  const { page } = demo;
  await page
    .getByRole('alert')
    .filter({ hasText: /device/i })
    .waitFor();
  await button('Run').click();
  await exampleScored(page);
  expect(await page.getByRole('alert').count()).toBe(0);
});
