import './styles/index.css';
import { render } from 'preact';
import { App } from './app.tsx';
import { begin } from './state/begin.ts';

render(<App />, document.getElementById('app')!);
void begin();
