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

/** Opens an engine for a model, and what is kept beside it. @throws `invalid-argument`, `no-adapter` */
export async function openStatistics(
  model: InfererModel,
  graph: GsnnGraph,
  { backend = 'auto', reduction = 'l1', ...options }: InfererOptions,
): Promise<InfererStatistics> {
  const uncertainty = uncertaintySettings(options.uncertainty);
  const kept = channelSettings(options.channels);
  const deviceNow = () => model.device;
  const open = () => createEngine(backend, engineShape(model, reduction), deviceNow());
  const choice = await open();
  const { engine } = choice;
  const regressOn = () => (engine.diagnostics.backend === 'webgpu' ? deviceNow() : undefined);
  const beside = {
    uncertainty: uncertainty && new Uncertainty(uncertainty, engine, deviceNow),
    channels: kept && new Channels(kept, engine.shape, deviceNow, regressOn),
  };
  return new InfererStatistics(choice, open, beside, graph.nodeNames.function, fitSettings(model, graph, {}));
}
