import { useRef } from 'preact/hooks';
import { score } from '../parts/format.ts';
import { ranking } from '../state/positives.ts';
import { dismissWelcome, isWelcoming } from '../state/welcome.ts';

/** How to write the file of a model. */
const python = 'from magnitude_edge import export_gsnn\nexport_gsnn(model, data, "model.onnx")';

/** What this page is, what the example shows, and how to open one's own model. */
export function Welcome() {
  const how = useRef<HTMLDialogElement>(null);
  if (!isWelcoming.value) return null;
  return (
    <section class="welcome" aria-labelledby="welcome-title">
      <div>
        <h2 id="welcome-title">Which edges is a trained graph-structured network missing?</h2>
        <p>
          This page ranks all pairs of its function nodes by how strongly the activation of one correlates
          with the error gradient of the other. It computes in this tab; no file leaves it.{' '}
          <a href="?gallery=./example/gallery.json">More examples</a>
        </p>
        <p class="finding">{finding()}</p>
      </div>
      <div class="buttons">
        <button
          class="primary"
          onClick={() => {
            document.querySelector<HTMLInputElement>('input[type=file][aria-label=Model]')?.click();
          }}
        >
          Open your model
        </button>
        <button onClick={() => how.current?.showModal()}>How it works</button>
        <button class="plain" onClick={dismissWelcome}>
          Got it
        </button>
      </div>
      <dialog ref={how} aria-labelledby="how-title">
        <h2 id="how-title">How it works</h2>
        <p>
          A graph structured neural network (GSNN) has one small network per node of a graph and passes values
          only along the graph's edges. Samples run through the trained network forwards and backwards. Where
          a node's gradient is large whenever another node is active, an edge between the two would have
          helped: that is the score, a correlation of magnitudes over samples, averaged over layers. Partial
          scores leave out what the known parents of the target explain; q-values say how surprising a score
          is.
        </p>
        <p>In Python, a trained model becomes a file for this page in two lines:</p>
        <pre tabIndex={0}>{python}</pre>
        <p>
          Open it with its data, or drop both anywhere on the page; the run starts automatically. GSNNs were
          introduced by{' '}
          <a href="https://doi.org/10.1101/2024.02.28.582164" target="_blank" rel="noreferrer">
            Evans et al., Graph Structured Neural Networks for Perturbation Biology
          </a>
          .
        </p>
        <div class="buttons">
          <button onClick={() => how.current?.close()}>Close</button>
        </div>
      </dialog>
    </section>
  );
}

/** What the example shows, once its results are there; a line is reserved for it. */
function finding(): string {
  const recovery = ranking.value?.recovery;
  const curves = ranking.value?.curves;
  const early = recovery?.figures.early_precision;
  if (!recovery || !curves || early === undefined) return 'The bundled example is running …';
  const { positives, negatives } = curves;
  const found = Math.round(early * positives);
  const chance = positives ** 2 / (positives + negatives);
  return `The example: ${positives} edges were left out of its graph before training. ${found} of the ${positives} top-ranked new pairs ${found === 1 ? 'is' : 'are'} among them; ${chance.toFixed(1)} would be expected by chance (ROC AUC ${score(curves.rocAuc)}).`;
}
