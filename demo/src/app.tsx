import { Alerts } from './views/alerts.tsx';
import { Consent } from './views/consent.tsx';
import { EdgesPane } from './views/edges-pane.tsx';
import { Foot } from './views/foot.tsx';
import { GalleryList } from './views/gallery.tsx';
import { Head } from './views/head.tsx';
import { Offers } from './views/offers.tsx';
import { ResultBar } from './views/result-bar.tsx';
import { SidePanel } from './views/side-panel.tsx';
import { Tooltip } from './views/tooltip.tsx';
import { ViewsPane } from './views/views-pane.tsx';
import { SkipLinks } from './views/skip-links.tsx';
import { Splitter } from './views/splitter.tsx';
import { Welcome } from './views/welcome.tsx';
import { dropTarget, isDropping } from './state/drop.ts';
import { showsSide, tableShare } from './state/panes.ts';

/**
 * The page: inputs and run on the left, the edge table in the middle, its views on the right, and above table and views
 * what they were computed from.
 */
export function App() {
  return (
    <div
      class={['shell', isDropping.value && 'dropping', !showsSide.value && 'without-side']
        .filter(Boolean)
        .join(' ')}
      style={{ '--table-track': `${tableShare.value}fr`, '--views-track': `${1 - tableShare.value}fr` }}
      {...dropTarget}
    >
      <SkipLinks />
      <Head />
      <Alerts />
      <Consent />
      <div class="intro">
        <Offers />
        <Welcome />
        <GalleryList />
      </div>
      <SidePanel />
      <ResultBar />
      <EdgesPane />
      <Splitter />
      <ViewsPane />
      <Foot />
      <Tooltip />
    </div>
  );
}
