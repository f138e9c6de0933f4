import { positives } from '../src/state/positives.ts';
import type { ViewName } from '../src/state/view.ts';
import { Alerts } from '../src/views/alerts.tsx';
import { EdgesPane } from '../src/views/edges-pane.tsx';
import { Foot } from '../src/views/foot.tsx';
import { ResultBar } from '../src/views/result-bar.tsx';
import { Tooltip } from '../src/views/tooltip.tsx';
import { ViewsPane } from '../src/views/views-pane.tsx';

/** The views that need only a table. */
const ofTable: readonly ViewName[] = ['heatmap', 'network', 'evidence', 'significance'];
const ofPositives: readonly ViewName[] = [...ofTable, 'ranking'];

/** An edge table and one view of it, side by side: the page without what a fit needs. */
export function Explorer() {
  return (
    <div class="explorer">
      <Alerts />
      <ResultBar />
      <EdgesPane />
      <ViewsPane names={positives.value.length > 0 ? ofPositives : ofTable} />
      <Foot />
      <Tooltip />
    </div>
  );
}
