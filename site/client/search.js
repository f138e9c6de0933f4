/** Search over the sections of all pages: the index is made when the site is built, and fetched with the first letter. */

let loading;
function load() {
  loading ??= (async () => {
    const [{ default: MiniSearch }, response] = await Promise.all([
      import('./lib/minisearch.js'),
      fetch('search.json'),
    ]);
    return MiniSearch.loadJSON(await response.text(), {
      fields: ['heading', 'page', 'text'],
      storeFields: ['heading', 'page', 'url'],
      searchOptions: { boost: { heading: 4, page: 2 }, prefix: true, fuzzy: 0.15, combineWith: 'AND' },
    });
  })();
  return loading;
}

/** @param {HTMLInputElement} input @param {HTMLUListElement} list */
export function startSearch(input, list) {
  let chosen = -1;

  const show = (open) => {
    list.hidden = !open;
    input.setAttribute('aria-expanded', String(open));
    if (!open) input.removeAttribute('aria-activedescendant');
  };
  const choose = (at) => {
    const items = [...list.querySelectorAll('[role=option]')];
    chosen = items.length === 0 ? -1 : (at + items.length) % items.length;
    items.forEach((item, i) => item.setAttribute('aria-selected', String(i === chosen)));
    if (chosen < 0) return;
    input.setAttribute('aria-activedescendant', items[chosen].id);
    items[chosen].scrollIntoView({ block: 'nearest' });
  };
  const search = async () => {
    const query = input.value.trim();
    if (query === '') return show(false);
    const index = await load();
    if (query !== input.value.trim()) return;
    const found = index.search(query).slice(0, 12);
    list.replaceChildren(
      ...found.map(({ heading, page, url }, at) => {
        const item = document.createElement('li');
        item.id = `result-${at}`;
        item.role = 'option';
        item.dataset.url = url;
        const where = document.createElement('small');
        where.textContent = page;
        item.append(heading, where);
        return item;
      }),
    );
    if (found.length === 0) {
      const none = document.createElement('li');
      none.role = 'option';
      none.ariaDisabled = 'true';
      none.textContent = 'Nothing was found';
      list.append(none);
    }
    show(true);
    choose(0);
  };
  const follow = (item) => {
    if (item?.dataset.url === undefined) return;
    show(false);
    location.href = item.dataset.url;
  };

  input.addEventListener('input', () => void search());
  input.addEventListener('keydown', (event) => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      choose(chosen + (event.key === 'ArrowDown' ? 1 : -1));
    } else if (event.key === 'Enter') {
      follow(list.querySelectorAll('[role=option]')[chosen]);
    } else if (event.key === 'Escape') {
      show(false);
    }
  });
  list.addEventListener('pointerdown', (event) => {
    event.preventDefault();
    follow(event.target.closest('[role=option]'));
  });
  input.addEventListener('blur', () => show(false));
  document.addEventListener('keydown', (event) => {
    if (event.key !== '/' || event.target.closest('input, textarea, [contenteditable]')) return;
    event.preventDefault();
    input.focus();
  });
}
