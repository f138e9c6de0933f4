import { useEffect, useRef, useState } from 'preact/hooks';
import { composeFigure, screenPoints, type Figure } from '../figure/compose.ts';
import { pixelsOf } from '../figure/png.ts';
import { figuresIn, type FigureSource } from '../figure/source.ts';
import { AmountField } from '../parts/amount-field.tsx';
import { Choice } from '../parts/choice.tsx';
import { whole } from '../parts/format.ts';
import { refuse } from '../state/alerts.ts';
import { aboutFigures, figureSettings, saveFigure } from '../state/figure.ts';
import { result } from '../state/edges.ts';

interface Props {
  /** Id of the element that contains the view. */
  readonly panel: string;
  readonly view: string;
}

/** A button that opens the view's figures as they would be exported, with their size and content. */
export function FigureButton({ panel, view }: Props) {
  const [offered, setOffered] = useState<readonly FigureSource[] | null>(null);
  return (
    <>
      <button
        class="plain"
        aria-haspopup="dialog"
        title="This view as a figure: SVG or PNG, in millimetres, with legend and provenance"
        onClick={() => {
          const figures = figuresIn(document.getElementById(panel)!);
          if (figures.length > 0) setOffered(figures);
          else refuse(new Error('There is no picture in this view yet.'));
        }}
      >
        Figure
      </button>
      {offered && (
        <FigureDialog
          figures={offered}
          view={view}
          onClose={() => {
            setOffered(null);
          }}
        />
      )}
    </>
  );
}

interface DialogProps {
  readonly figures: readonly FigureSource[];
  readonly view: string;
  readonly onClose: () => void;
}

function FigureDialog({ figures, view, onClose }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [at, setAt] = useState(0);
  const [titles, setTitles] = useState<ReadonlyMap<number, string>>(new Map());
  const source = figures[at]!;
  const title = titles.get(at) ?? source.title;
  const drawn = useFigure(source, title);
  const figure = typeof drawn === 'string' ? null : drawn;
  useEffect(() => dialog.current?.showModal(), []);
  const save = (format: 'svg' | 'png') => {
    if (!figure) return;
    saveFigure(figure, format, at === 0 ? view : `${view}_${at + 1}`).catch((error: unknown) => {
      dialog.current?.close();
      refuse(error);
    });
  };
  return (
    <dialog ref={dialog} class="figure-dialog" aria-labelledby="figure-title" onClose={onClose}>
      <h2 id="figure-title">Figure</h2>
      <div class="figure-settings">
        {figures.length > 1 && (
          <Choice
            label="Plot"
            value={String(at)}
            options={figures.map((one, k) => [String(k), one.title] as const)}
            onChange={(chosen) => {
              setAt(Number(chosen));
            }}
          />
        )}
        <label class="field">
          <span>Title</span>
          <input
            type="text"
            aria-label="Title"
            value={title}
            onInput={({ currentTarget }) => {
              setTitles(new Map(titles).set(at, currentTarget.value));
            }}
          />
        </label>
        <Sizes hasFreeHeight={source.hasFreeHeight} />
        <Shown />
      </div>
      <Preview drawn={drawn} title={title} />
      <div class="buttons">
        <button
          class="primary"
          disabled={!figure}
          onClick={() => {
            save('svg');
          }}
        >
          Download SVG
        </button>
        <button
          disabled={!figure}
          onClick={() => {
            save('png');
          }}
        >
          Download PNG
        </button>
        <button onClick={() => dialog.current?.close()}>Close</button>
      </div>
    </dialog>
  );
}

/** The figure with the current settings, or why there is none; null while it is drawn. */
function useFigure(source: FigureSource, title: string): Figure | string | null {
  const [drawn, setDrawn] = useState<{ of: unknown; figure: Figure | string } | null>(null);
  const settings = figureSettings.value;
  const of = JSON.stringify([title, settings]);
  const shown = result.value;
  useEffect(() => {
    let wanted = true;
    composeFigure(source, { ...settings, title }, aboutFigures())
      .catch((error: unknown) => (error instanceof Error ? error.message : String(error)))
      .then((figure) => {
        if (wanted) setDrawn({ of, figure });
      }, refuse);
    return () => {
      wanted = false;
    };
  }, [source, of, shown]);
  return drawn?.of === of ? drawn.figure : null;
}

const change = (to: Partial<typeof figureSettings.value>): void => {
  figureSettings.value = { ...figureSettings.value, ...to };
};

/** Widths that journals print. */
const usualWidths = [85, 120, 180];
const [leastMm, mostMm] = [20, 1000];
const [leastDpi, mostDpi] = [36, 1200];

function Sizes({ hasFreeHeight }: { readonly hasFreeHeight: boolean }) {
  const { widthMm, heightMm, dpi, points } = figureSettings.value;
  const isLength = (mm: number) => mm >= leastMm && mm <= mostMm;
  return (
    <>
      <Choice
        label="Width"
        value={widthMm === null ? 'screen' : usualWidths.includes(widthMm) ? String(widthMm) : 'other'}
        options={[
          ['85', '85 mm, one column'],
          ['120', '120 mm'],
          ['180', '180 mm, two columns'],
          ['other', 'custom'],
          ['screen', 'as on the screen'],
        ]}
        onChange={(width) => {
          if (width === 'screen') change({ widthMm: null, heightMm: null, points: screenPoints });
          else
            change({ widthMm: width === 'other' ? 100 : Number(width), ...(widthMm ? {} : { points: 7 }) });
        }}
      />
      {widthMm !== null && !usualWidths.includes(widthMm) && (
        <AmountField
          label="Width, mm"
          value={widthMm}
          isAllowed={isLength}
          onChange={(mm) => {
            change({ widthMm: mm });
          }}
        />
      )}
      {hasFreeHeight && (
        <Choice
          label="Height"
          value={heightMm === null ? 'usual' : 'other'}
          options={[
            ['usual', 'follows the width'],
            ['other', 'custom'],
          ]}
          onChange={(kind) => {
            change({ heightMm: kind === 'usual' ? null : 60 });
          }}
        />
      )}
      {hasFreeHeight && heightMm !== null && (
        <AmountField
          label="Height, mm"
          value={heightMm}
          isAllowed={isLength}
          onChange={(mm) => {
            change({ heightMm: mm });
          }}
        />
      )}
      <AmountField
        label="Font size, pt"
        value={points}
        isAllowed={(value) => value >= 4 && value <= 24}
        onChange={(value) => {
          change({ points: value });
        }}
      />
      <AmountField
        label="PNG, dpi"
        value={dpi}
        isAllowed={(value) => value >= leastDpi && value <= mostDpi}
        onChange={(value) => {
          change({ dpi: value });
        }}
      />
    </>
  );
}

function Shown() {
  const parts = [
    ['showsLegend', 'Legend and colour bar'],
    ['showsProvenance', 'Provenance'],
    ['showsSelection', 'Selection'],
  ] as const;
  return (
    <div class="checks">
      {parts.map(([name, label]) => (
        <label key={name} class="check">
          <input
            type="checkbox"
            checked={figureSettings.value[name]}
            onChange={({ currentTarget }) => {
              change({ [name]: currentTarget.checked });
            }}
          />
          {label}
        </label>
      ))}
    </div>
  );
}

/** A preview of the figure, scaled to fit. */
function Preview({ drawn, title }: { readonly drawn: Figure | string | null; readonly title: string }) {
  const [address, setAddress] = useState<string | null>(null);
  const figure = typeof drawn === 'string' ? null : drawn;
  useEffect(() => {
    if (!figure) return;
    const made = URL.createObjectURL(new Blob([figure.svg], { type: 'image/svg+xml' }));
    setAddress(made);
    return () => {
      URL.revokeObjectURL(made);
    };
  }, [figure]);
  const size = figure && pixelsOf(figure, figureSettings.value.dpi).map(whole).join(' × ');
  return (
    <div class="figure-preview">
      <div class="sheet-of-paper">{address && <img src={address} alt={`Preview: ${title}`} />}</div>
      <p class="caption" role="status">
        {figure ? `${figure.widthMm} × ${figure.heightMm} mm; PNG ${size} pixels` : (drawn ?? 'Drawing …')}
      </p>
    </div>
  );
}
