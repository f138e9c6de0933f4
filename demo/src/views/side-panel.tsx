import { ExportPanel } from './export-panel.tsx';
import { InputsPanel } from './inputs-panel.tsx';
import { ParamsPanel } from './params-panel.tsx';
import { RunPanel } from './run-panel.tsx';
import { UncertaintyPanel } from './uncertainty-panel.tsx';

/** From top to bottom in the order of work: input, run, method, uncertainty, export. */
export function SidePanel() {
  return (
    <aside class="side" id="inputs" tabIndex={-1} aria-label="Inputs and run">
      <InputsPanel />
      <RunPanel />
      <ParamsPanel />
      <UncertaintyPanel />
      <ExportPanel />
    </aside>
  );
}
