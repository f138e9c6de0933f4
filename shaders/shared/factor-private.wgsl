// A factor while it is computed by one thread, for conditioning sets of at most THREAD_SET members (src/scores/
// webgpu-kernels.ts): the thread's own. GPUs lay such arrays out interleaved, neighbouring threads side by side.
const THREAD_SET: u32 = 16u;
var<private> packed: array<vec2f, (THREAD_SET + 1u) * (THREAD_SET + 2u) / 2u>;
