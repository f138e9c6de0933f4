import { channelSettings } from '../engine/channels/channel-settings.ts';
import { Channels } from '../engine/channels/channels.ts';
import { createEngine } from '../engine/create.ts';
import type { InfererModel } from '../model/external-model.ts';
import type { GsnnGraph } from '../model/graph.ts';
import { uncertaintySettings } from '../resampling/uncertainty-settings.ts';
import { Uncertainty } from '../resampling/uncertainty.ts';
import { fitSettings } from './fit-settings.ts';
import type { InfererOptions } from './inferer-options.ts';
import { InfererStatistics } from './inferer-statistics.ts';
import { engineShape } from './model-engine-shape.ts';

/** Opens an engine for a model, and what is kept alongside. @throws `invalid-argument`, `no-adapter` */
export async function openStatistics(
  model: InfererModel,
  graph: GsnnGraph,
  { backend = 'auto', reduction = 'l1', ...options }: InfererOptions,
): Promise<InfererStatistics> {
  const uncertainty = uncertaintySettings(options.uncertainty);
  const channels = channelSettings(options.channels);
  const { precision } = options;
  const getDevice = () => model.device;
  const open = () => createEngine(backend, engineShape(model, reduction), { device: getDevice(), precision });
  const choice = await open();
  const { engine } = choice;
  // Read at each call: another engine replaces one whose device is lost.
  const getRegressionDevice = (): GPUDevice | undefined => statistics.choice.device;
  const stores = {
    uncertainty: uncertainty && new Uncertainty(uncertainty, engine, getDevice, precision),
    channels: channels && new Channels(channels, engine.shape, getDevice, getRegressionDevice, precision),
  };
  const settings = fitSettings(model, graph, {});
  const statistics = new InfererStatistics(choice, open, stores, graph.nodeNames.function, settings);
  return statistics;
}
