import './styles/index.css';
import { render } from 'preact';
import { App } from './app.tsx';
import { begin } from './state/begin.ts';
import { rememberTheme } from './state/theme.ts';

rememberTheme();
render(<App />, document.getElementById('app')!);
void begin();
