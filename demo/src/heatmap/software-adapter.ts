/**
 * Whether an adapter runs shaders on the CPU: slower than the 2D context, and often unable to present to the screen.
 */
export const isSoftware = ({
  isFallbackAdapter,
  vendor,
  architecture,
  description,
}: GPUAdapterInfo): boolean =>
  isFallbackAdapter || /swiftshader|llvmpipe|lavapipe|warp/i.test(`${vendor} ${architecture} ${description}`);
