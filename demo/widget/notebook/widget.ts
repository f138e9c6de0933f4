import type {
  EvidenceFacts,
  EvidenceRequest,
  FromExplorer,
  Settings,
  TableFacts,
  ToExplorer,
} from '../messages.ts';
import { Kernel, type Answer } from './kernel.ts';
import type { WidgetModel } from './model.ts';
import { followTheme } from './theme-around.ts';

/**
 * One view of the widget: the explorer's page in a frame of its own, which isolates its state and styles from the
 * notebook and from other widgets, and the link between the frame and the kernel.
 */
class View {
  readonly #model: WidgetModel;
  readonly #kernel: Kernel;
  readonly #frame = document.createElement('iframe');
  readonly #notice = document.createElement('p');
  readonly #endTheme: () => void;
  /** Port to the page in the frame, once it is there. */
  #port: MessagePort | null = null;
  #table: Answer | null = null;
  #settings: Settings | null = null;
  #theme: 'light' | 'dark' = 'light';

  constructor(model: WidgetModel, place: HTMLElement) {
    this.#model = model;
    this.#kernel = new Kernel(model);
    Object.assign(this.#frame.style, { display: 'block', width: '100%', border: '0' });
    this.#frame.title = 'magnitude-edge explorer';
    this.#frame.allow = 'fullscreen; clipboard-write';
    // A notebook may remove outputs from its page and put them back: the frame loads again each time.
    this.#frame.addEventListener('load', this.#connect);
    this.#notice.textContent = 'The explorer is on its way.';
    place.append(this.#notice);
    this.#endTheme = followTheme(place, (theme) => {
      this.#theme = theme;
      this.#tell({ kind: 'theme', theme });
    });
    model.on('change:selected', this.#select);
    model.on('change:height', this.#size);
    this.#size();
    this.#kernel.onChange = () => void this.#fetchTable();
    this.#kernel.onSilence = () => {
      const text =
        'The kernel has not answered yet: it is busy, or gone. If it was restarted, run the cell again.';
      this.#notice.textContent = text;
      if (!this.#table) this.#tell({ kind: 'notice', text });
    };
    void this.#fetchPage();
    void this.#fetchTable();
  }

  release(): void {
    this.#endTheme();
    this.#kernel.release();
    this.#model.off('change:selected', this.#select);
    this.#model.off('change:height', this.#size);
    this.#port?.close();
    this.#frame.remove();
  }

  async #fetchPage(): Promise<void> {
    const { bytes } = await this.#kernel.ask({ what: 'page' });
    this.#frame.srcdoc = new TextDecoder().decode(bytes);
    this.#notice.replaceWith(this.#frame);
  }

  async #fetchTable(): Promise<void> {
    this.#table = await this.#kernel.ask({ what: 'table' });
    this.#tellTable();
  }

  async #fetchEvidence(id: number, request: EvidenceRequest): Promise<void> {
    const { bytes, facts } = await this.#kernel.ask(request);
    this.#tell({ kind: 'evidence', id, facts: facts as EvidenceFacts, bytes });
  }

  readonly #connect = (): void => {
    const { port1, port2 } = new MessageChannel();
    this.#port?.close();
    this.#port = port1;
    port1.onmessage = ({ data }: MessageEvent<FromExplorer>) => {
      this.#hear(data);
    };
    // The frame's origin is this page's, or opaque if the notebook is sandboxed; only the frame gets the port.
    this.#frame.contentWindow?.postMessage('connect', '*', [port2]);
    this.#tell({ kind: 'theme', theme: this.#theme });
    if (this.#settings) this.#tell({ kind: 'settings', settings: this.#settings });
    this.#tellTable();
    this.#select();
  };

  #hear(message: FromExplorer): void {
    switch (message.kind) {
      case 'selected':
        this.#model.set('selected', message.names);
        this.#model.save_changes();
        break;
      case 'rows':
        this.#kernel.tellRows(message.version, message.rows);
        break;
      case 'evidence':
        void this.#fetchEvidence(message.id, message.request);
        break;
      case 'settings':
        this.#settings = message.settings;
        break;
    }
  }

  #tell(message: ToExplorer): void {
    this.#port?.postMessage(message);
  }

  #tellTable(): void {
    if (!this.#table) return;
    const { bytes, facts } = this.#table;
    this.#tell({ kind: 'table', facts: facts as TableFacts, bytes });
  }

  readonly #select = (): void => {
    this.#tell({ kind: 'select', names: this.#model.get('selected') });
  };

  readonly #size = (): void => {
    this.#frame.style.height = `${this.#model.get('height')}px`;
  };
}

/** The front-end module of anywidget. */
export default {
  render({ model, el }: { model: WidgetModel; el: HTMLElement }): () => void {
    const view = new View(model, el);
    return () => {
      view.release();
    };
  },
};
