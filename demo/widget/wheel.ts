/**
 * Leaves the wheel to the page around the frame until a canvas is clicked: whoever scrolls through a notebook is not to be
 * caught by a picture that zooms. With Control or Command the wheel zooms at once.
 */
export function leaveWheelToPage(): void {
  document.addEventListener(
    'wheel',
    (event) => {
      const { target } = event;
      if (!(target instanceof HTMLCanvasElement) || event.ctrlKey || event.metaKey) return;
      if (document.activeElement !== target) event.stopPropagation();
    },
    { capture: true },
  );
}
