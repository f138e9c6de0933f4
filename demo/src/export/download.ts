/** Hands a file to the browser's downloads. */
export function download(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The click has taken hold of the blob only once its task has run.
  setTimeout(() => {
    URL.revokeObjectURL(link.href);
  }, 10_000);
}
