import { expect, test } from 'vitest';

test('the page has a WebGPU adapter', async () => {
  const adapter = await navigator.gpu.requestAdapter();
  expect(adapter).not.toBeNull();
  const { vendor, architecture, description } = adapter!.info;
  expect(`${vendor} ${architecture} ${description}`.trim()).not.toBe('');
});
