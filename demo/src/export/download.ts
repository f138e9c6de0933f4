/** Saves a file through the browser's downloads. */
export function download(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The browser reads the blob only after the task of the click, so the URL must outlive it.
  setTimeout(() => {
    URL.revokeObjectURL(link.href);
  }, 10_000);
}
