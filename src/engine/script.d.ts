/** A worker's program, bundled into one classic script by worker-script.config.ts. */
declare module '*?script' {
  const text: string;
  export default text;
}
