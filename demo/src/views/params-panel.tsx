import { aggregationLabels, scoreKinds, scoreNames } from '../edges/score-kind.ts';
import { AmountField } from '../parts/amount-field.tsx';
import { Choice } from '../parts/choice.tsx';
import { WholeField } from '../parts/whole-field.tsx';
import { params } from '../state/params.ts';
import { change } from '../state/fitting.ts';

/** The options of the method. Scores follow at once; those that need the samples again run again. */
export function ParamsPanel() {
  const at = params.value;
  const kind = scoreKinds[at.score];
  return (
    <section aria-labelledby="params-title">
      <h2 id="params-title">Method</h2>
      <Choice
        label="Score"
        value={at.score}
        options={scoreNames.map((name) => [name, scoreKinds[name].label] as const)}
        onChange={(score) => void change({ score })}
      />
      <p class="caption three-lines">{kind.about}</p>
      <Choice
        label="Aggregate"
        value={at.layerAgg}
        options={kind.aggregations.map((name) => [name, aggregationLabels[name]] as const)}
        onChange={(layerAgg) => void change({ layerAgg })}
      />
      {at.score === 'channel' ? (
        <AmountField
          label="Lambda"
          title="Ridge, in variances of a channel. From 1 to 10 it changes little."
          value={at.channelLambda}
          isAllowed={(value) => value > 0}
          onChange={(channelLambda) => void change({ channelLambda })}
        />
      ) : (
        <AmountField
          label="Ridge"
          title="Added to the variances of the parents, for partial correlations"
          disabled={at.score !== 'partial'}
          value={at.ridge}
          isAllowed={(value) => value >= 0}
          onChange={(ridge) => void change({ ridge })}
        />
      )}
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
