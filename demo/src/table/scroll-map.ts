/** Browsers stop laying out elements at 16 to 33 million pixels; a scrolled element stays well below. */
export const tallestElement = 8_000_000;

/**
 * Maps the position of a scroll bar of limited height to a list of any height. Small movements (wheel, touch, keys)
 * move the list by as many pixels; large ones (the thumb) move it in proportion. Without this a million rows could not
 * be reached, and scaled wheel steps would skip rows.
 */
export class ScrollMap {
  /** Pixels of the list above the window. */
  offset = 0;
  #height = 0;
  #window = 0;
  #last = 0;

  /** Sets the sizes and returns the height of the scrolled element. */
  resize(height: number, window: number): number {
    this.#height = height;
    this.#window = window;
    this.offset = Math.min(this.offset, this.#furthest);
    return Math.min(height, tallestElement);
  }

  /** Takes over the position of the scroll bar. */
  scrolled(scrollTop: number): void {
    const step = scrollTop - this.#last;
    this.#last = scrollTop;
    if (this.#ratio === 1) this.offset = scrollTop;
    else if (Math.abs(step) <= this.#window) this.offset += step;
    else this.offset = scrollTop * this.#ratio;
    if (scrollTop <= 0 && Math.abs(step) > this.#window) this.offset = 0;
    this.offset = Math.min(Math.max(this.offset, 0), this.#furthest);
  }

  /** Moves the list; returns the new position of the scroll bar. */
  moveTo(offset: number): number {
    this.offset = Math.min(Math.max(offset, 0), this.#furthest);
    this.#last = Math.round(this.offset / this.#ratio);
    return this.#last;
  }

  /** Position of the scroll bar once a movement has ended. */
  settled(): number {
    return this.moveTo(this.offset);
  }

  get #furthest(): number {
    return Math.max(0, this.#height - this.#window);
  }

  /** Pixels of the list per pixel of scroll bar travel. */
  get #ratio(): number {
    if (this.#height <= tallestElement) return 1;
    return this.#furthest / (tallestElement - this.#window);
  }
}
