import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findChromium } from './chromium.mjs';

/** The environment in which Dawn finds the software Vulkan driver that comes with Chromium. */
export function softwareVulkan(): { VK_ICD_FILENAMES: string; LD_LIBRARY_PATH: string } {
  const folders = ['/usr/lib/chromium', dirname(findChromium() ?? '')];
  const found = folders.find((path) => existsSync(join(path, 'vk_swiftshader_icd.json')));
  if (found === undefined) throw new Error(`no vk_swiftshader_icd.json in ${folders.join(' or ')}`);
  return { VK_ICD_FILENAMES: join(found, 'vk_swiftshader_icd.json'), LD_LIBRARY_PATH: found };
}
