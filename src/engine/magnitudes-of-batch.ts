import { adoptDevice } from '../gpu/device.ts';
import { channelNorms } from '../statistics/channel-norms.ts';
import type { ChannelBatch, ChannelValues, EngineShape, MagnitudeBatch } from './engine.ts';
import { MagnitudeReader } from './webgpu/statistics/magnitude-reader.ts';

/** Reads the magnitudes of batches of channel values to the host, wherever the values are. */
export class MagnitudesOfBatch {
  readonly #shape: EngineShape;
  readonly #getDevice: () => GPUDevice | undefined;
  #reader: Promise<MagnitudeReader> | undefined;

  /**
   * @param shape with channels
   * @param getDevice returns the device of values that are GPU buffers
   */
  constructor(shape: EngineShape, getDevice: () => GPUDevice | undefined) {
    this.#shape = shape;
    this.#getDevice = getDevice;
  }

  /** Values on a GPU cost one readback of 8 P N bytes per sample. @throws `device-lost`, `gpu-validation` */
  async read({ size, activations, gradients }: ChannelBatch): Promise<MagnitudeBatch> {
    const { pairs } = this.#shape;
    const magnitudes = await this.#magnitudes([...activations, ...gradients], size);
    return { size, x: magnitudes.slice(0, pairs), y: magnitudes.slice(pairs) };
  }

  /** Frees its resources on the device; the next read may use another device. Idempotent. */
  async release(): Promise<void> {
    const reader = this.#reader;
    this.#reader = undefined;
    await reader?.then(
      (made) => {
        made.destroy();
      },
      () => undefined,
    );
  }

  async #magnitudes(values: readonly ChannelValues[], size: number): Promise<Float32Array[]> {
    const { nodes, channels, channelGroups, reduction } = this.#shape;
    if (channels === undefined || channelGroups === undefined) {
      throw new TypeError('An engine for magnitudes alone has no channels to read.');
    }
    const onHost = values.filter((value) => value instanceof Float32Array);
    if (onHost.length === values.length) {
      const norms = new Float64Array(size * nodes);
      return onHost.map((value) => {
        channelNorms(value, size, { channels, groups: channelGroups, reduction }, norms);
        return Float32Array.from(norms);
      });
    }
    const device = this.#getDevice();
    if (device === undefined) throw new TypeError('Values on a GPU need its device.');
    this.#reader ??= MagnitudeReader.create(adoptDevice(device), {
      nodes,
      channels,
      channelGroups,
      reduction,
    });
    return (await this.#reader).read(
      values.filter((value): value is GPUBuffer => !(value instanceof Float32Array)),
      size,
    );
  }
}
