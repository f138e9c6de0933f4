import { defaultShare, setTableShare, tableShare } from '../state/panes.ts';

/** The border between table and views: drag it, move it with the arrow keys, or double-click it to reset it. */
export function Splitter() {
  const move = (event: PointerEvent & { currentTarget: HTMLElement }) => {
    if (!event.currentTarget.hasPointerCapture(event.pointerId)) return;
    const left = document.querySelector('.table-pane')!.getBoundingClientRect().left;
    const { right } = document.querySelector('.views')!.getBoundingClientRect();
    setTableShare((event.clientX - left) / (right - left));
  };
  return (
    <div
      class="splitter"
      role="separator"
      tabIndex={0}
      aria-label="Border between table and views"
      aria-orientation="vertical"
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(100 * tableShare.value)}
      title="Drag, or click twice to put it back"
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        event.preventDefault();
      }}
      onPointerMove={move}
      onDblClick={() => {
        setTableShare(defaultShare);
      }}
      onKeyDown={(event) => {
        const step = { ArrowLeft: -0.04, ArrowRight: 0.04, Home: -1, End: 1 }[event.key];
        if (step === undefined) return;
        event.preventDefault();
        // The first step opens a closed pane.
        const { value } = tableShare;
        if (value === 0 && step > 0 && step < 1) setTableShare(0.2);
        else if (value === 1 && step < 0 && step > -1) setTableShare(0.8);
        else setTableShare(Math.min(Math.max(value + step, 0), 1));
      }}
    />
  );
}
