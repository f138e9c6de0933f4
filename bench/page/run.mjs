/** Writes bench/results/index.html, a page without scripts, from the JSON files next to it. `npm run bench -- page` */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { resultsFolder } from '../shared/report.mjs';
import { sections } from './figures.mjs';
import { escape } from './charts.mjs';

const style = readFileSync(new URL('./style.css', import.meta.url), 'utf8');
const results = readdirSync(resultsFolder)
  .filter((file) => file.endsWith('.json'))
  .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
  .map((file) => ({
    name: file.replace(/\.json$/, ''),
    content: JSON.parse(readFileSync(resultsFolder + file, 'utf8')),
  }));

/** @param {import('./figures.mjs').Figure} figure */
function figureHtml({ title, chart, head, rows }) {
  const cells = (/** @type {readonly (string | number)[]} */ list, /** @type {'td' | 'th'} */ tag) =>
    `<tr>${list.map((cell) => `<${tag}>${escape(String(cell))}</${tag}>`).join('')}</tr>`;
  const table = `<table>${cells(head, 'th')}${rows.map((row) => cells(row, 'td')).join('')}</table>`;
  return `<figure><figcaption>${escape(title)}</figcaption>${chart}<details><summary>Numbers</summary><div class="scroll">${table}</div></details></figure>`;
}

const body = sections(results).map(({ heading, note, figures, source }) => {
  const { date, machine } = source.content;
  const { cpu, cores, memoryGiB, node, load } = machine;
  const where = [
    [cpu, cores && `${cores} cores`, memoryGiB && `${memoryGiB} GiB`, `Node ${node}`]
      .filter(Boolean)
      .join(', '),
    load !== undefined && `load ${load}`,
    date.slice(0, 10),
    `${source.name}.json`,
  ]
    .filter(Boolean)
    .join('; ');
  return `<section><h2>${escape(heading)}</h2><p>${escape(note)}</p><p class="machine">${escape(where)}</p><div class="figures">${figures.map(figureHtml).join('\n')}</div></section>`;
});

writeFileSync(
  `${resultsFolder}index.html`,
  `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>magnitude-edge: what was measured</title>
<style>
${style}</style>
<h1>What was measured</h1>
<p>Written by <code>npm run bench -- page</code> from the JSON files beside it. What the figures mean, and where they fall short: RESULTS.md. No real GPU could be had: where an adapter is a software one, it says so, and nothing is claimed for hardware.</p>
${body.join('\n')}
</html>
`,
);
console.log(`wrote bench/results/index.html: ${body.length} sections`);
