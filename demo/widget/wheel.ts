/**
 * Leaves the wheel to the page around the frame until a picture is clicked, so that scrolling through a notebook does
 * not zoom a picture by accident. With Control or Command the wheel zooms at once.
 */
export function leaveWheelToPage(): void {
  document.addEventListener(
    'wheel',
    (event) => {
      const { target } = event;
      const picture = target instanceof Element ? target.closest('[role=application]') : null;
      if (!picture || event.ctrlKey || event.metaKey) return;
      if (document.activeElement !== picture) event.stopPropagation();
    },
    { capture: true },
  );
}
