import { posix } from 'node:path';
import MarkdownIt from 'markdown-it';
import temml from 'temml';
import { pages } from './pages.mjs';

/** Markdown to HTML: formulas to MathML, headings with anchors, links between pages, snippets of JavaScript with a button. */

/** @param {string} text */
export const slug = (text) =>
  text
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s-]/gu, '')
    .trim()
    .replaceAll(/\s/g, '-');

/** @typedef {{ id: string, heading: string, text: string }} Section what a search finds */

/**
 * @param {string} text Markdown
 * @param {import('./pages.mjs').Page} page
 * @returns {{ html: string, sections: Section[] }}
 */
export function render(text, page) {
  const markdown = new MarkdownIt({ html: true, linkify: false, typographer: false });
  const runnable = page.name === 'gallery' || page.name === 'tour';
  const escape = markdown.utils.escapeHtml;

  markdown.renderer.rules.fence = (tokens, at) => {
    const { info, content } = tokens[at];
    if (info === 'math')
      return `<div class="formula" tabindex="0" role="group" aria-label="Formula">${formula(content, true)}</div>\n`;
    const code = `<pre tabindex="0"><code>${highlighted(content, info, escape)}</code></pre>`;
    if (!runnable || info !== 'js') return `${code}\n`;
    return `<div class="example">${code}<button type="button" class="run">Run</button><pre class="output" hidden tabindex="0" aria-label="Output" aria-live="polite"></pre></div>\n`;
  };
  markdown.inline.ruler.before('escape', 'formula', (state, silent) => {
    const found = /^\$`([^`]+)`\$/.exec(state.src.slice(state.pos));
    if (found === null) return false;
    if (!silent) state.push('html_inline', '', 0).content = formula(found[1], false);
    state.pos += found[0].length;
    return true;
  });

  // A table may be wider than a phone: it scrolls on its own.
  markdown.renderer.rules.table_open = () =>
    '<div class="table" tabindex="0" role="group" aria-label="Table"><table>\n';
  markdown.renderer.rules.table_close = () => '</table></div>\n';

  const tokens = markdown.parse(text, {});
  /** @type {Section[]} */
  const sections = [];
  const used = new Set();
  tokens.forEach((token, at) => {
    if (token.type === 'heading_open') {
      const heading = plain(tokens[at + 1]);
      let id = slug(heading);
      for (let copy = 1; used.has(id); copy++) id = `${slug(heading)}-${copy}`;
      used.add(id);
      token.attrSet('id', id);
      sections.push({ id: token.tag === 'h1' ? '' : id, heading, text: '' });
    } else if (
      (token.type === 'inline' && tokens[at - 1]?.type !== 'heading_open') ||
      token.type === 'fence'
    ) {
      const last = sections.at(-1);
      if (last) last.text += `${token.type === 'fence' ? token.content : plain(token)} `;
    }
    // An empty corner of a table is not a header.
    if (token.type === 'th_open' && tokens[at + 1].content === '') token.tag = tokens[at + 2].tag = 'td';
    if (token.type === 'td_open' && plain(tokens[at + 1]).length <= 12) token.attrSet('class', 'short');
    (token.children ?? []).forEach((child, position, children) => {
      if (child.type === 'link_open') namePage(child, children[position + 1], page);
      if (child.type === 'link_open' && !relink(child, page)) {
        child.attrs = [];
        const end = children.findIndex(({ type }, after) => after > position && type === 'link_close');
        child.tag = children[end].tag = 'span';
      }
      if (child.type === 'image') child.attrSet('src', posix.basename(child.attrGet('src')));
    });
  });
  return { html: markdown.renderer.render(tokens, markdown.options, {}), sections };
}

/** @param {string} tex @param {boolean} displayMode */
const formula = (tex, displayMode) => temml.renderToString(tex, { displayMode, throwOnError: true });

/** The text of inline Markdown without its markup. */
function plain(token) {
  return (token.children ?? [])
    .map((child) => (child.type === 'softbreak' ? ' ' : child.type === 'html_inline' ? '' : child.content))
    .join('');
}

/** Gives a link whose text is a file name the title of the page made from that file. */
function namePage(link, text, page) {
  if (text?.type !== 'text' || !/^[\w./-]+\.md$/.test(text.content)) return;
  const to = pageAt(link.attrGet('href').split('#')[0], page);
  if (to !== undefined) text.content = to.title;
}

/** The page made from a file of the repository, or from the README of a folder. */
function pageAt(path, page) {
  const file = posix.normalize(posix.join(posix.dirname(page.source), path)).replace(/\/$/, '');
  if (file === 'README.md') return pages[0];
  return pages.find(({ source }) => source === file || source === `${file}/README.md`);
}

/**
 * Redirects a link between files of the repository to the page made from its target.
 * @returns false if there is none
 */
function relink(token, page) {
  const href = token.attrGet('href');
  if (/^(https?:|#|explorer\/|LICENSE$)/.test(href)) return true;
  const [path, anchor] = href.split('#');
  const to = pageAt(path, page);
  if (to !== undefined) token.attrSet('href', `${to.name}.html${anchor === undefined ? '' : `#${anchor}`}`);
  else if (/(^|\/)demo\/?$/.test(path)) token.attrSet('href', 'explorer/');
  else if (path === 'results/index.html') token.attrSet('href', 'charts.html');
  else return false;
  return true;
}

const words = {
  js: /\b(?:import|from|export|default|const|let|await|async|new|return|for|of|in|if|else|function|true|false|null|using)\b/,
  python: /\b(?:import|from|as|with|def|return|for|in|if|else|True|False|None|lambda|class)\b/,
  sh: /(?<![\w:/.-])(?:npm|npx|pip|python|cp|mkdir|node|magnitude-edge)(?![\w:/.-])/,
};
const patterns = Object.fromEntries(
  Object.entries({ ts: words.js, jsx: words.js, html: words.js, py: words.python, ...words }).map(
    ([name, word]) => {
      const comment = ['js', 'ts', 'jsx', 'html'].includes(name) ? /\/\/[^\n]*/ : /#[^\n]*/;
      const text = /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/;
      return [
        name,
        new RegExp(
          `(?<text>${text.source})|(?<comment>(?<=^|\\s)${comment.source})|(?<word>${word.source})`,
          'g',
        ),
      ];
    },
  ),
);

/** Code with its strings, comments and keywords marked: no more, so that no highlighter has to be installed. */
function highlighted(code, language, escape) {
  const pattern = patterns[language];
  if (pattern === undefined) return escape(code);
  let html = '';
  let end = 0;
  for (const found of code.matchAll(pattern)) {
    const kind = Object.keys(found.groups).find((name) => found.groups[name] !== undefined);
    html += `${escape(code.slice(end, found.index))}<span class="${kind}">${escape(found[0])}</span>`;
    end = found.index + found[0].length;
  }
  return html + escape(code.slice(end));
}
