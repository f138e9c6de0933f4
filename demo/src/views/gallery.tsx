import { gallery } from '../state/gallery.ts';

/** A list of results to open, if the page's address names one. */
export function GalleryList() {
  const list = gallery.value;
  if (!list) return null;
  return (
    <section class="gallery" aria-labelledby="gallery-title">
      <h2 id="gallery-title">{list.title}</h2>
      <ul>
        {list.entries.map(({ title, about, link }) => (
          <li key={link}>
            <a href={link}>{title}</a>
            {about && <p class="caption">{about}</p>}
          </li>
        ))}
      </ul>
      <button
        class="plain"
        onClick={() => {
          gallery.value = null;
        }}
      >
        Close
      </button>
    </section>
  );
}
