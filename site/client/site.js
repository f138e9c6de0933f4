import { startSearch } from './search.js';
import { startExamples } from './examples.js';

startSearch(document.querySelector('.search input'), document.querySelector('#search-results'));
startExamples(document.querySelectorAll('.example'));

const root = document.documentElement;
document.querySelector('.theme').addEventListener('click', () => {
  const dark = matchMedia('(prefers-color-scheme: dark)').matches;
  const now = root.dataset.theme ?? (dark ? 'dark' : 'light');
  root.dataset.theme = now === 'dark' ? 'light' : 'dark';
  localStorage.setItem('site-theme', root.dataset.theme);
});

// On a telephone the list of pages stands above the text: closed, until somebody wants it.
if (matchMedia('(max-width: 760px)').matches) document.querySelector('nav details').open = false;

// All pages are kept for times without a network, with the runtime once an example has fetched it.
if ('serviceWorker' in navigator) {
  navigator.serviceWorker
    .register('./sw.js')
    .then(() => navigator.serviceWorker.ready)
    .then(
      () => (root.dataset.offline = 'ready'),
      // Storage may be forbidden or full; the site works as before, with a network.
      () => undefined,
    );
}
