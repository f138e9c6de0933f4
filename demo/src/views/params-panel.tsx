import { aggregationLabels, aggregations, scoreKinds, scoreNames } from '../edges/score-kind.ts';
import { AmountField } from '../parts/amount-field.tsx';
import { Choice } from '../parts/choice.tsx';
import { WholeField } from '../parts/whole-field.tsx';
import { lambdaOf } from '../results/params.ts';
import { params } from '../state/params.ts';
import { change } from '../state/fitting.ts';

/** The options of the method. Scores follow at once; options that need the samples again start a new run. */
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
        options={aggregations.map((name) => [name, aggregationLabels[name]] as const)}
        onChange={(layerAgg) => void change({ layerAgg })}
      />
      <Regularisation />
      <details class="more">
        <summary>Magnitudes, loss and backend</summary>
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
          label="Correlate"
          value={at.correlation}
          options={[
            ['pearson', 'magnitudes'],
            ['spearman', 'their ranks'],
          ]}
          onChange={(correlation) => void change({ correlation })}
        />
        <Choice
          label="Values"
          value={at.usePreNorm ? 'pre' : 'post'}
          options={[
            ['pre', 'pre-norm'],
            ['post', 'post-activation'],
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
            ['bce-with-logits', 'binary cross-entropy'],
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

/** Lambda of the score, or the ridge of partial correlations: one field, so that nothing moves. */
function Regularisation() {
  const at = params.value;
  const lambda = lambdaOf(at);
  if (lambda === undefined)
    return (
      <AmountField
        label="Ridge"
        title="Added to the variances of the parents, for partial correlations"
        disabled={at.score !== 'partial'}
        value={at.ridge}
        isAllowed={(value) => value >= 0}
        onChange={(ridge) => void change({ ridge })}
      />
    );
  return (
    <AmountField
      label="Lambda"
      title={`Ridge, in variances of a ${at.score === 'channel' ? 'channel' : 'magnitude'}`}
      value={lambda}
      isAllowed={(value) => value > 0}
      onChange={(value) =>
        void change(at.score === 'channel' ? { channelLambda: value } : { regressionLambda: value })
      }
    />
  );
}
