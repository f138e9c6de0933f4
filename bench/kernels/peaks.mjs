/* global GPUBufferUsage */
/** Peak rates of the adapter, and rates of a plain kernel: measured in the same run as ours. */

/** Independent chains of fused multiply-adds, so that only the arithmetic units are the limit. */
const multiplyAdd = /* wgsl */ `
@group(0) @binding(0) var<storage, read_write> out: array<vec4f>;
override rounds: u32;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let factor = vec4f(0.999999, 0.999998, 0.999997, 0.999996);
  let term = vec4f(f32(id.x) * 1e-9);
  var a = vec4f(1.0); var b = vec4f(1.1); var c = vec4f(1.2); var d = vec4f(1.3);
  var e = vec4f(1.4); var f = vec4f(1.5); var g = vec4f(1.6); var h = vec4f(1.7);
  for (var round = 0u; round < rounds; round++) {
    a = fma(a, factor, term); b = fma(b, factor, term); c = fma(c, factor, term); d = fma(d, factor, term);
    e = fma(e, factor, term); f = fma(f, factor, term); g = fma(g, factor, term); h = fma(h, factor, term);
  }
  out[id.x] = a + b + c + d + e + f + g + h;
}`;

const copy = /* wgsl */ `
@group(0) @binding(0) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(1) var<storage, read> source: array<vec4f>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i < arrayLength(&source)) { out[i] = source[i]; }
}`;

/**
 * out = X^T Y for row-major [n, N]: one element per thread, tiles of 16 x 16 in workgroup memory; N, n multiples of 16.
 */
const plainSharedTile = /* wgsl */ `
@group(0) @binding(0) var<storage, read_write> out: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> y: array<f32>;
override nodes: u32;
override samples: u32;
var<workgroup> xs: array<array<f32, 16>, 16>;
var<workgroup> ys: array<array<f32, 16>, 16>;
@compute @workgroup_size(16, 16)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let row = group.y * 16u; let column = group.x * 16u;
  var sum = 0.0;
  for (var first = 0u; first < samples; first += 16u) {
    xs[local.y][local.x] = x[(first + local.y) * nodes + row + local.x];
    ys[local.y][local.x] = y[(first + local.y) * nodes + column + local.x];
    workgroupBarrier();
    for (var k = 0u; k < 16u; k++) { sum += xs[k][local.y] * ys[k][local.x]; }
    workgroupBarrier();
  }
  out[(row + local.y) * nodes + column + local.x] = sum;
}`;

/**
 * The same with the arithmetic of `exact`: values are 30-bit integers cut into three digits of ten bits, all nine
 * products of digits are formed with eight multiplications, and sums of 16 rows are added up as integers.
 */
const exactSharedTile = /* wgsl */ `
@group(0) @binding(0) var<storage, read_write> out: array<vec2f>;
@group(0) @binding(1) var<storage, read> x: array<i32>;
@group(0) @binding(2) var<storage, read> y: array<i32>;
override nodes: u32;
override samples: u32;
var<workgroup> xs: array<array<vec3f, 16>, 16>;
var<workgroup> ys: array<array<vec3f, 16>, 16>;
fn digits(quanta: i32) -> vec3f {
  let first = (quanta + (1 << 19)) >> 20;
  let left = quanta - (first << 20);
  let second = (left + (1 << 9)) >> 10;
  return vec3f(f32(first), f32(second), f32(left - (second << 10)));
}
@compute @workgroup_size(16, 16)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let row = group.y * 16u; let column = group.x * 16u;
  var sums = vec3i(); var rest = 0.0;
  for (var first = 0u; first < samples; first += 16u) {
    xs[local.y][local.x] = digits(x[(first + local.y) * nodes + row + local.x]);
    ys[local.y][local.x] = digits(y[(first + local.y) * nodes + column + local.x]);
    workgroupBarrier();
    var chunk = vec3f();
    for (var k = 0u; k < 16u; k++) {
      let a = xs[k][local.y]; let b = ys[k][local.x];
      chunk += vec3f(a.x * b.x, a.x * b.y + a.y * b.x, a.x * b.z + a.y * b.y + a.z * b.x);
      rest += a.y * b.z + a.z * (b.y + b.z / 1024.0);
    }
    sums += vec3i(chunk);
    workgroupBarrier();
  }
  out[(row + local.y) * nodes + column + local.x] =
    vec2f(f32(sums.x), f32(sums.y) / 1024.0 + (f32(sums.z) + rest / 1024.0) / 1048576.0);
}`;

/**
 * Best of a few runs, by timestamps if available, else by the clock.
 * @param {GPUDevice} device
 * @param {{ collect(): Promise<Map<string, number>>, timed: boolean }} times
 * @param {string} code
 * @param {Record<string, number>} constants
 * @param {readonly GPUBuffer[]} buffers
 * @param {readonly [number, number]} groups
 */
async function secondsOf(device, times, code, constants, buffers, groups, repeats = 3) {
  const module = device.createShaderModule({ code });
  const pipeline = await device.createComputePipelineAsync({
    label: 'peak',
    layout: 'auto',
    compute: { module, constants },
  });
  const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
  const bindGroup = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
  let best = Infinity;
  for (let repeat = 0; repeat <= repeats; repeat++) {
    await times.collect();
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindGroup);
    pass.dispatchWorkgroups(...groups);
    pass.end();
    const start = performance.now();
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
    const wall = (performance.now() - start) / 1000;
    const gpu = (await times.collect()).get('peak');
    // The first run compiles the shaders.
    if (repeat > 0) best = Math.min(best, gpu ? gpu : wall);
  }
  return best;
}

/**
 * @param {GPUDevice} device
 * @param {{ collect(): Promise<Map<string, number>>, timed: boolean }} times
 * @param {{ nodes: number, samples: number }} tile size of the plain X^T Y, multiples of 16
 */
export async function measurePeaks(device, times, tile) {
  const buffer = (/** @type {number} */ size) => device.createBuffer({ size, usage: GPUBufferUsage.STORAGE });
  const threads = 65_536;
  const out = buffer(threads * 16);
  let rounds = 16;
  let taken = 0;
  for (; taken < 0.05; rounds *= 4) {
    taken = await secondsOf(device, times, multiplyAdd, { rounds }, [out], [threads / 64, 1], 2);
  }
  const gflops = (threads * (rounds / 4) * 8 * 4 * 2) / taken / 1e9;

  const bytes = 2 ** 26;
  const [to, from] = [buffer(bytes), buffer(bytes)];
  const copied = await secondsOf(device, times, copy, {}, [to, from], [bytes / 16 / 64 / 256, 256]);

  const { nodes, samples } = tile;
  const [products, x, y] = [buffer(8 * nodes ** 2), buffer(4 * nodes * samples), buffer(4 * nodes * samples)];
  const groups = /** @type {const} */ ([nodes / 16, nodes / 16]);
  /** @param {string} code */
  const tiled = async (code) => {
    const taken = await secondsOf(device, times, code, { nodes, samples }, [products, x, y], groups, 2);
    return (2 * nodes ** 2 * samples) / taken / 1e9;
  };
  const sharedTile = {
    ...tile,
    gflops: await tiled(plainSharedTile),
    exactGflops: await tiled(exactSharedTile),
  };
  for (const made of [out, to, from, products, x, y]) made.destroy();
  return {
    /** A loop of fused multiply-adds, each counted as two operations */
    gflops,
    /** A copy, bytes read and bytes written */
    gigabytes: (2 * bytes) / copied / 1e9,
    /** X^T Y with 16 x 16 shared tiles, 2 N^2 n operations: plain, and with the arithmetic of `exact` */
    sharedTile,
  };
}
