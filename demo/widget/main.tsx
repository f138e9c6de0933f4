import '../src/styles/index.css';
import './explorer.css';
import { render } from 'preact';
import { noResult } from '../src/state/edges.ts';
import { keepRankingInStep } from '../src/state/positives.ts';
import { keepRowsInStep } from '../src/state/rows.ts';
import { Explorer } from './explorer.tsx';
import { serveHost } from './host.ts';
import { showTableInFile } from './in-file.ts';
import { leaveWheelToPage } from './wheel.ts';

noResult.value = 'The table is on its way.';
render(<Explorer />, document.getElementById('app')!);
keepRowsInStep();
keepRankingInStep();
if (!showTableInFile()) {
  leaveWheelToPage();
  serveHost();
}
