/**
 * Leaves the wheel to the page around the frame until a picture is clicked: whoever scrolls through a notebook is not to be
 * caught by a picture that zooms. With Control or Command the wheel zooms at once.
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
