/** Examples that run where they stand: each is a module of its own, and what it prints is shown below it. */

/** @param {Iterable<HTMLElement>} examples */
export function startExamples(examples) {
  for (const example of examples) {
    const button = example.querySelector('.run');
    button.addEventListener('click', async () => {
      const output = example.querySelector('.output');
      output.hidden = false;
      output.textContent = 'Running …';
      button.disabled = true;
      try {
        const lines = await run(example.querySelector('code').textContent);
        output.textContent = lines.join('\n') || 'Done.';
      } catch (error) {
        output.textContent = String(error.message ?? error);
      }
      button.disabled = false;
    });
  }
}

/** Runs a module. @returns what it printed */
async function run(code) {
  const { configureRuntime } = await import('magnitude-edge');
  const { wasm } = await (await fetch('runtime.json')).json();
  configureRuntime({
    wasmPaths: (file) => (file in wasm ? new URL(wasm[file], document.baseURI).href : undefined),
  });
  const lines = [];
  // The example's own console, beside the page's.
  globalThis.exampleConsole = {
    log: (...values) => lines.push(values.map(text).join(' ')),
    table: (rows) => lines.push(...table(rows)),
  };
  const module = `const console = globalThis.exampleConsole;\n${code}`;
  const url = URL.createObjectURL(new Blob([module], { type: 'text/javascript' }));
  try {
    await import(url);
  } finally {
    URL.revokeObjectURL(url);
  }
  return lines;
}

const text = (value) => {
  if (typeof value === 'number' && !Number.isInteger(value)) return Number(value.toPrecision(4)).toString();
  if (typeof value === 'string') return value;
  return (
    JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? Number(inner) : inner)) ?? String(value)
  );
};

function table(rows) {
  const records = [...rows].map((row) => row.toJSON?.() ?? row);
  const names = Object.keys(records[0] ?? {});
  const cells = [names, ...records.map((record) => names.map((name) => text(record[name])))];
  const widths = names.map((_, column) => Math.max(...cells.map((line) => line[column].length)));
  return cells.map((line) => line.map((cell, column) => cell.padEnd(widths[column])).join('  '));
}
