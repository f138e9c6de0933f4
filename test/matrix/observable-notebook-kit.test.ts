import { observableJob } from './observable.ts';

observableJob({
  heading: 'Observable Notebook Kit',
  language: 'html',
  file: 'index.html',
  data: '.',
  out: 'dist',
  versions: { '@observablehq/notebook-kit': '2', '@observablehq/plot': '0.6' },
});
