import type { ComponentChildren } from 'preact';
import { counted, whole } from '../parts/format.ts';
import { inputs } from '../state/inputs.ts';
import { dataFacts, modelFacts, placement } from '../state/run.ts';
import { edges } from '../state/edges.ts';

/** What was read, what runs where, and which files were refused and why. */
export function Sheet() {
  const model = modelFacts.value;
  const place = placement.value;
  const table = edges.value;
  const refused = Object.values(inputs.value).flatMap(({ refusal }) => (refusal ? [refusal] : []));
  return (
    <details class="more">
      <summary>What was read</summary>
      <dl class="sheet">
        {model && (
          <>
            <Fact name="Nodes">
              {whole(model.inputs.length)} inputs, {whole(model.functions.length)} functions,{' '}
              {whole(model.outputs.length)} outputs
            </Fact>
            <Fact name="Edges">{whole(model.edges.length)} between functions</Fact>
            <Fact name="Blocks">
              {whole(model.layers)}, so {counted(model.layers - 1, 'layer pair')}
            </Fact>
            <Fact name="Norm">{model.norm}</Fact>
          </>
        )}
        {dataFacts.value && <Fact name="Samples">{whole(dataFacts.value.samples)}</Fact>}
        {place && (
          <>
            <Fact name="Model on">{place.provider}</Fact>
            <Fact name="Backend">{place.backend}</Fact>
            {place.notes.map((note) => (
              <Fact key={note} name="Note">
                {note}
              </Fact>
            ))}
          </>
        )}
        {!('gpu' in navigator) && <Fact name="WebGPU">missing in this browser; the CPU does the work</Fact>}
        {table && !place && <Fact name="Table">{counted(table.rows, 'row')}</Fact>}
        {refused.map(({ name, note }) => (
          <Fact key={name} name="Refused">
            {note}
          </Fact>
        ))}
      </dl>
    </details>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ComponentChildren }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}
