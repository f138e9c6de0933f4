import type { RefObject } from 'preact';

/** A picture that can be zoomed. */
interface Zoomable {
  zoom(factor: number): void;
  fit(): void;
}

/** Zoom in, zoom out and fit, for the picture that the reference holds when a button is pressed. */
export function ZoomButtons({ picture }: { readonly picture: RefObject<Zoomable | null> }) {
  return (
    <span class="buttons end">
      <button class="plain" aria-label="Zoom in" onClick={() => picture.current?.zoom(1.6)}>
        +
      </button>
      <button class="plain" aria-label="Zoom out" onClick={() => picture.current?.zoom(1 / 1.6)}>
        −
      </button>
      <button class="plain" aria-label="Fit all" onClick={() => picture.current?.fit()}>
        Fit
      </button>
    </span>
  );
}
