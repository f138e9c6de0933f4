import './styles/index.css';
import { render } from 'preact';
import { App } from './app.tsx';
import { begin } from './state/begin.ts';
import { rememberColumns } from './state/columns.ts';
import { rememberPanes } from './state/panes.ts';
import { rememberShortlists } from './state/shortlist.ts';
import { rememberTheme } from './state/theme.ts';

rememberTheme();
rememberShortlists();
rememberPanes();
rememberColumns();
render(<App />, document.getElementById('app')!);
void begin();
