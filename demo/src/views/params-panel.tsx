import { Choice } from '../parts/choice.tsx';
import { WholeField } from '../parts/whole-field.tsx';
import { params } from '../state/params.ts';
import { change } from '../state/fitting.ts';

/** The options of the method. Scores follow at once; those that need the samples again run again. */
export function ParamsPanel() {
  const at = params.value;
  return (
    <section aria-labelledby="params-title">
      <h2 id="params-title">Method</h2>
      <Choice
        label="Score"
        value={at.score}
        options={[
          ['corr', 'marginal'],
          ['partial', 'partial'],
        ]}
        onChange={(score) => void change({ score })}
      />
      <Choice
        label="Aggregate"
        value={at.layerAgg}
        options={[
          ['mean', 'mean of layers'],
          ['max', 'strongest layer'],
        ]}
        onChange={(layerAgg) => void change({ layerAgg })}
      />
      <label class="field">
        <span>Ridge</span>
        <input
          type="text"
          aria-label="Ridge"
          inputMode="decimal"
          value={at.ridge === 0 ? '0' : String(at.ridge)}
          disabled={at.score !== 'partial'}
          onChange={(event) => {
            const ridge = Number(event.currentTarget.value);
            if (Number.isFinite(ridge) && ridge >= 0 && event.currentTarget.value.trim())
              void change({ ridge });
            else event.currentTarget.value = String(at.ridge);
          }}
        />
      </label>
      <details class="more">
        <summary>Magnitudes, loss and where it runs</summary>
        <Choice
          label="Magnitude"
          value={at.reduction}
          options={[
            ['l1', 'l1 norm'],
            ['l2', 'l2 norm'],
          ]}
          onChange={(reduction) => void change({ reduction })}
        />
        <Choice
          label="Values"
          value={at.usePreNorm ? 'pre' : 'post'}
          options={[
            ['pre', 'before norm'],
            ['post', 'activation'],
          ]}
          onChange={(values) => void change({ usePreNorm: values === 'pre' })}
        />
        <Choice
          label="Loss"
          value={at.loss}
          options={[
            ['mse', 'squared error'],
            ['l1', 'absolute error'],
            ['huber', 'Huber'],
            ['bce-with-logits', 'binary entropy'],
            ['cross-entropy', 'cross-entropy'],
          ]}
          onChange={(loss) => void change({ loss })}
        />
        <WholeField
          label="Batch size"
          value={at.batchSize}
          least={1}
          onChange={(batchSize) => void change({ batchSize })}
        />
        <Choice
          label="Backend"
          value={at.backend}
          options={[
            ['auto', 'automatic'],
            ['webgpu', 'WebGPU'],
            ['cpu', 'CPU'],
          ]}
          onChange={(backend) => void change({ backend })}
        />
        <Choice
          label="Runtime"
          value={at.executionProvider}
          options={[
            ['auto', 'automatic'],
            ['webgpu', 'WebGPU'],
            ['wasm', 'CPU'],
          ]}
          onChange={(executionProvider) => void change({ executionProvider })}
        />
      </details>
    </section>
  );
}
