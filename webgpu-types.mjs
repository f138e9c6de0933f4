/**
 * TypeScript declares GPUDevice and its kin from version 6 on, and then refuses a second declaration: earlier versions
 * get declarations of the entries that include @webgpu/types ("types@>=6.0" in package.json tells them apart).
 */
import { mkdir, writeFile } from 'node:fs/promises';

const folder = new URL('dist/types/before-6/', import.meta.url);
await mkdir(folder, { recursive: true });
for (const entry of ['index', 'statistics', 'browser']) {
  const lines = ['/// <reference types="@webgpu/types" />', `export * from '../${entry}.js';`, ''];
  await writeFile(new URL(`${entry}.d.ts`, folder), lines.join('\n'));
}
