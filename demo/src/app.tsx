import { Alerts } from './views/alerts.tsx';
import { Consent } from './views/consent.tsx';
import { EdgesPane } from './views/edges-pane.tsx';
import { Foot } from './views/foot.tsx';
import { Head } from './views/head.tsx';
import { ResultBar } from './views/result-bar.tsx';
import { SidePanel } from './views/side-panel.tsx';
import { Tooltip } from './views/tooltip.tsx';
import { ViewsPane } from './views/views-pane.tsx';
import { dropTarget, isDropping } from './state/drop.ts';

/**
 * The page: inputs and run at the left, the edge table in the middle, one view of it at the right, and above both what
 * they were computed from.
 */
export function App() {
  return (
    <div class={isDropping.value ? 'shell dropping' : 'shell'} {...dropTarget}>
      <Head />
      <Alerts />
      <Consent />
      <SidePanel />
      <ResultBar />
      <EdgesPane />
      <ViewsPane />
      <Foot />
      <Tooltip />
    </div>
  );
}
