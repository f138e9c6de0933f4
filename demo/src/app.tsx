import { Alerts } from './views/alerts.tsx';
import { EdgesPane } from './views/edges-pane.tsx';
import { Foot } from './views/foot.tsx';
import { Head } from './views/head.tsx';
import { SidePanel } from './views/side-panel.tsx';
import { ViewsPane } from './views/views-pane.tsx';
import { dropTarget, isDropping } from './state/drop.ts';

/** The page: inputs and run at the left, the edge table in the middle, one view of it at the right. */
export function App() {
  return (
    <div class={isDropping.value ? 'shell dropping' : 'shell'} {...dropTarget}>
      <Head />
      <Alerts />
      <SidePanel />
      <EdgesPane />
      <ViewsPane />
      <Foot />
    </div>
  );
}
