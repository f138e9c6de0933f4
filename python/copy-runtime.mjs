/**
 * After `vite build --mode python`: puts what the wheel's command imports at run time beside it, as a package finds it.
 * Of onnxruntime-web that is the build for Node, without WebGPU: 14 of its 130 MB.
 */
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const command = join(root, 'python/src/magnitude_edge/command');
const runtime = {
  'onnxruntime-web': [
    'package.json',
    'dist/ort.node.min.mjs',
    'dist/ort-wasm-simd-threaded.mjs',
    'dist/ort-wasm-simd-threaded.wasm',
  ],
  'onnxruntime-common': ['package.json', 'dist/esm'],
};

writeFileSync(join(command, 'package.json'), '{ "type": "module" }\n');
for (const [name, files] of Object.entries(runtime)) {
  for (const file of files) {
    const target = join(command, 'node_modules', name, file);
    mkdirSync(dirname(target), { recursive: true });
    cpSync(join(root, 'node_modules', name, file), target, {
      recursive: true,
      filter: (path) => !path.endsWith('.map') && !path.endsWith('.d.ts'),
    });
  }
}
