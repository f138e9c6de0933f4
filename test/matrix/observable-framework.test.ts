import { observableJob } from './observable.ts';

observableJob({
  heading: 'Observable Framework',
  language: 'md',
  file: 'src/index.md',
  data: 'src',
  out: 'dist',
  versions: { '@observablehq/framework': '1', '@observablehq/plot': '0.6' },
});
