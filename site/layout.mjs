import { groups } from './pages.mjs';

/** @param {import('./pages.mjs').Page} page @param {string} body */
export function layout(page, body) {
  const links = groups
    .map(
      ({ group, pages }) =>
        `<section><h2>${group}</h2><ul>${pages
          .map(({ name, title }) => {
            const current = name === page.name ? ' aria-current="page"' : '';
            return `<li><a href="${name}.html"${current}>${name === 'index' ? 'Home' : title}</a></li>`;
          })
          .join(
            '',
          )}${group === 'Use' ? '<li><a href="reference/index.html">Reference</a></li>' : ''}</ul></section>`,
    )
    .join('\n');
  const title = page.name === 'index' ? 'magnitude-edge' : `${page.title} · magnitude-edge`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="site.css">
<script>const theme = localStorage.getItem('site-theme'); if (theme) document.documentElement.dataset.theme = theme;</script>
<script type="importmap">{"imports":{"magnitude-edge":"./lib/browser.js","magnitude-edge/statistics":"./lib/statistics.js","magnitude-edge/training-graph":"./lib/training-graph.js"}}</script>
<script type="module" src="site.js"></script>
</head>
<body class="${page.name === 'index' ? 'home' : 'page'}">
<a class="skip" href="#content">Skip to the content</a>
<header>
<a class="brand" href="index.html"><img src="icon.svg" alt="" width="22" height="22">magnitude-edge</a>
<div class="search">
<input type="search" placeholder="Search" aria-label="Search the site" autocomplete="off" spellcheck="false" role="combobox" aria-expanded="false" aria-controls="search-results" aria-autocomplete="list">
<ul id="search-results" role="listbox" aria-label="Results" hidden></ul>
</div>
<a class="explorer" href="explorer/">Explorer</a>
<button type="button" class="theme" aria-label="Light or dark">◐</button>
</header>
<div class="columns">
<nav aria-label="Pages"><details open><summary>Pages</summary>
${links}
</details></nav>
<main id="content" tabindex="-1">
${body}
</main>
</div>
</body>
</html>
`;
}
