import { FilePicker } from '../parts/file-picker.tsx';
import { setAllowList } from '../state/allow-lists.ts';
import { isBundle, openBundle } from '../state/bundle.ts';
import { setPositives } from '../state/positives.ts';
import { setNames } from '../state/names-file.ts';
import { openDataAndRun } from '../state/open-and-run.ts';
import { openModel, openTable } from '../state/session.ts';
import { Sheet } from './sheet.tsx';

/** The inputs. Any of these files may also be dropped anywhere on the page. */
export function InputsPanel() {
  return (
    <section aria-labelledby="inputs-title">
      <h2 id="inputs-title">Input</h2>
      <FilePicker
        role="model"
        label="Model"
        accept=".onnx,.data"
        several
        hint="a GSNN exported to .onnx"
        onFile={openModel}
      />
      <FilePicker
        role="data"
        label="Data"
        accept=".npz,.arrow,.feather,.parquet,.csv,.tsv,.gz"
        hint=".npz, .arrow, .csv or .parquet"
        onFile={openDataAndRun}
      />
      <FilePicker
        role="positives"
        label="Positives"
        accept=".csv,.tsv,.txt"
        hint="optional: true edges, src,dst"
        onFile={setPositives}
      />
      <details class="more">
        <summary>Name lists and edge tables</summary>
        <FilePicker
          role="sources"
          label="Sources"
          accept=".txt,.csv,.tsv"
          hint="allowed names, one per line"
          onFile={(file) => {
            setAllowList('sources', file);
          }}
        />
        <FilePicker
          role="targets"
          label="Targets"
          accept=".txt,.csv,.tsv"
          hint="allowed names, one per line"
          onFile={(file) => {
            setAllowList('targets', file);
          }}
        />
        <FilePicker
          role="names"
          label="Names"
          accept=".csv,.tsv,.txt"
          hint="id,symbol: display names for nodes"
          onFile={setNames}
        />
        <FilePicker
          role="table"
          label="Edge table"
          accept=".arrow,.feather,.parquet,.csv,.tsv,.gz,.zip"
          hint="command-line table or session .zip"
          onFile={(file) => (isBundle(file) ? openBundle(file) : openTable(file))}
        />
      </details>
      <Sheet />
    </section>
  );
}
