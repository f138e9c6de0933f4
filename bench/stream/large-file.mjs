/**
 * Memory needed to read a file of gigabytes: an `.npz` (stored, zip64) and an Arrow file of the same samples are
 * written to the temporary folder, read by `batches` in a separate process, and removed. Needs `npm run build`.
 *
 *     npm run bench -- large-file --gigabytes 5
 */
import { Buffer } from 'node:buffer';
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { crc32 } from 'node:zlib';
import { RecordBatchFileWriter, tableFromArrays } from 'apache-arrow';
import { readOptions } from '../shared/options.mjs';

const INPUTS = 1000;
const BLOCK_ROWS = 4096;
const names = Array.from({ length: INPUTS }, (_, k) => `in_${k}`);
const { gigabytes, read } = readOptions({ gigabytes: 5, read: '' });

/** A zip64 archive of stored arrays, as `numpy.savez` writes it. @param {string} path @param {number} rows */
function writeNpz(path, rows) {
  const file = openSync(path, 'w');
  let at = 0;
  const write = (/** @type {Uint8Array} */ bytes) => {
    writeSync(file, bytes);
    at += bytes.length;
  };
  const directory = [];
  const block = new Uint8Array(
    Float32Array.from({ length: BLOCK_ROWS * INPUTS }, (_, k) => Math.fround(Math.sin(k))).buffer,
  );
  for (const [label, columns] of /** @type {const} */ ([
    ['x', INPUTS],
    ['y', 1],
  ])) {
    const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${columns}), }`.padEnd(117);
    const beginning = Buffer.concat([
      Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, 118, 0]),
      Buffer.from(`${header}\n`),
    ]);
    const size = beginning.length + 4 * rows * columns;
    const pieces = function* () {
      yield beginning;
      for (let left = 4 * rows * columns; left > 0; left -= block.length) yield block.subarray(0, left);
    };
    let crc = 0;
    for (const piece of pieces()) crc = crc32(piece, crc);
    const name = Buffer.from(`${label}.npy`);
    const sizes = Buffer.alloc(20);
    sizes.writeUInt16LE(1, 0);
    sizes.writeUInt16LE(16, 2);
    sizes.writeBigUInt64LE(BigInt(size), 4);
    sizes.writeBigUInt64LE(BigInt(size), 12);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(45, 4);
    local.writeUInt32LE(crc, 14);
    local.fill(0xff, 18, 26);
    local.writeUInt16LE(name.length, 26);
    local.writeUInt16LE(sizes.length, 28);
    directory.push({ name, crc, size, offset: at });
    write(Buffer.concat([local, name, sizes]));
    for (const piece of pieces()) write(piece);
  }
  const start = at;
  for (const { name, crc, size, offset } of directory) {
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt32LE(crc, 16);
    entry.fill(0xff, 20, 28);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt16LE(28, 30);
    entry.fill(0xff, 42, 46);
    const extra = Buffer.alloc(28);
    extra.writeUInt16LE(1, 0);
    extra.writeUInt16LE(24, 2);
    for (const [k, value] of [size, size, offset].entries()) extra.writeBigUInt64LE(BigInt(value), 4 + 8 * k);
    write(Buffer.concat([entry, name, extra]));
  }
  const end = Buffer.alloc(56 + 20 + 22);
  end.writeUInt32LE(0x06064b50, 0);
  end.writeBigUInt64LE(44n, 4);
  end.writeBigUInt64LE(BigInt(directory.length), 24);
  end.writeBigUInt64LE(BigInt(directory.length), 32);
  end.writeBigUInt64LE(BigInt(at - start), 40);
  end.writeBigUInt64LE(BigInt(start), 48);
  end.writeUInt32LE(0x07064b50, 56);
  end.writeBigUInt64LE(BigInt(at), 64);
  end.writeUInt32LE(1, 72);
  end.writeUInt32LE(0x06054b50, 76);
  end.fill(0xff, 84, 96);
  end.writeUInt16LE(0, 96);
  write(end);
  closeSync(file);
}

/** @param {string} path @param {number} rows */
function writeArrow(path, rows) {
  const column = Float32Array.from({ length: BLOCK_ROWS }, (_, k) => Math.sin(k));
  const table = tableFromArrays(Object.fromEntries([...names, 'out_0'].map((name) => [name, column])));
  const file = openSync(path, 'w');
  class Writer extends RecordBatchFileWriter {
    /** @override @param {ArrayBufferView} chunk */
    _write(chunk) {
      if (this._started && chunk.byteLength > 0) {
        writeSync(file, new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
        this._position += chunk.byteLength;
      }
      return this;
    }
  }
  const writer = new Writer();
  for (let done = 0; done < rows; done += BLOCK_ROWS)
    writer.write(table.slice(0, Math.min(BLOCK_ROWS, rows - done)).batches[0]);
  writer.finish();
  closeSync(file);
}

if (read === '') {
  const rows = Math.floor((gigabytes * 1e9) / (4 * (INPUTS + 1)));
  console.log(
    `${cpus()[0]?.model}, ${cpus().length} threads, Node ${process.version}, load ${loadavg()[0]?.toFixed(1)}`,
  );
  for (const [name, write] of /** @type {const} */ ([
    ['d.npz', writeNpz],
    ['d.arrow', writeArrow],
  ])) {
    const folder = mkdtempSync(join(tmpdir(), 'magnitude-edge-large-'));
    try {
      const path = join(folder, name);
      write(path, rows);
      const script = fileURLToPath(import.meta.url);
      const { stdout, stderr } = spawnSync(process.execPath, [script, '--read', path], { encoding: 'utf8' });
      console.log(`${name}, ${(statSync(path).size / 1e9).toFixed(2)} GB: ${stdout.trim()}${stderr}`);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
} else {
  const { batches } = await import('magnitude-edge');
  const none = /** @type {[number[], number[]]} */ ([[], []]);
  const graph = {
    nodeNames: { input: names, function: ['f'], output: ['out_0'] },
    edgeIndex: { 'input,function': none, 'function,function': none, 'function,output': none },
  };
  let samples = 0;
  for await (const { size } of batches(pathToFileURL(read), { graph })) samples += size;
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  const seconds = (userCPUTime + systemCPUTime) / 1e6;
  console.log(
    `${samples} samples, ${Math.round(maxRSS / 1024)} MiB at the peak of the process, ${seconds.toFixed(0)} s of CPU time`,
  );
}
