/** The kernels in Node, through Dawn (package webgpu). Prints one JSON object. `node node.mjs SETTING` */
import * as statistics from 'magnitude-edge/statistics';
import { dawnDevice } from '../shared/dawn.mjs';
import { measureKernels } from './measure.mjs';

const device = await dawnDevice();
const result = await measureKernels(device, statistics, JSON.parse(process.argv[2] ?? '{}'));
console.log(JSON.stringify({ ...result, peakMiB: process.resourceUsage().maxRSS / 1024 }));
device.destroy();
process.exit(0);
