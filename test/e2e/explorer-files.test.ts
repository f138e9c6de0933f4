import { readdir, readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { serveSlowly } from '../../bench/page-start/slow-server.mjs';
import { TestBrowser } from '../support/browser.ts';
import { demoFolder } from './build-demo.ts';
import { exampleScored } from './demo-page.ts';

test('modules that workers share are in one file, which a first visit fetches once', async () => {
  const assets = `${demoFolder}/assets`;
  const scripts = (await readdir(assets)).filter((name) => name.endsWith('.js'));
  const texts = await Promise.all(scripts.map((name) => readFile(`${assets}/${name}`, 'utf8')));
  // A message of apache-arrow's visitor of types.
  const withArrow = scripts.filter((_, at) => texts[at]!.includes('Unrecognized type'));
  expect(withArrow).toHaveLength(1);
  const importers = scripts.filter((_, at) => texts[at]!.includes(`from"./${withArrow[0]!}"`));
  expect(importers.map((name) => name.split('-')[0])).toEqual(['fit.worker', 'table.worker']);

  // Its answers say, as those of hosts do, that files with a digest in their name never change.
  const server = await serveSlowly({ folder: demoFolder, megabits: 0, latency: 0, encoding: 'identity' });
  const browser = new TestBrowser();
  try {
    const page = await browser.newPage({ serviceWorkers: 'block' });
    await page.goto(server.address);
    await exampleScored(page);
    const fetched = server.answered.map(({ path }) => path).filter((path) => path.endsWith('.js'));
    expect(fetched).toContain(`/assets/${withArrow[0]!}`);
    expect([...new Set(fetched)]).toEqual(fetched);
  } finally {
    await browser.close();
    server.close();
  }
});
