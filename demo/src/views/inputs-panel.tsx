import { FilePicker } from '../parts/file-picker.tsx';
import { setPositives } from '../state/positives.ts';
import { openData, openModel } from '../state/session.ts';

/** What goes in. Any of these files may also be dropped anywhere on the page. */
export function InputsPanel() {
  return (
    <section aria-labelledby="inputs-title">
      <h2 id="inputs-title">Input</h2>
      <FilePicker
        role="model"
        label="Model"
        accept=".onnx"
        hint="a GSNN exported to .onnx"
        onFile={openModel}
      />
      <FilePicker
        role="data"
        label="Data"
        accept=".npz,.arrow,.feather,.csv,.parquet"
        hint=".npz, .arrow, .csv or .parquet"
        onFile={openData}
      />
      <FilePicker
        role="positives"
        label="Positives"
        accept=".csv,.tsv,.txt"
        hint="optional: true edges, src,dst"
        onFile={setPositives}
      />
    </section>
  );
}
