import { digestOf, type NamedFile } from './inputs.ts';

/** An address as the page would fetch it. Throws if it is invalid, or of a kind that is not fetched. */
export function addressOf(text: string): URL {
  const url = URL.canParse(text, location.href) ? new URL(text, location.href) : null;
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:')
    throw new Error(`${text} is not the address of a file that can be fetched; https:// was expected.`);
  return url;
}

export const isOfThisSite = (url: URL): boolean => url.origin === location.origin;

/** Fetches a file; an error names the address and the server's answer. From other sites only with consent. */
export async function fromAddress(
  text: string,
  origin: 'address' | 'example' = 'address',
): Promise<NamedFile> {
  const url = addressOf(text);
  const own = isOfThisSite(url);
  const failed = (why: string) => new Error(`${text} could not be fetched: ${why}.`);
  const response = await fetch(url, {
    // The same address may hold another file today.
    cache: 'no-cache',
    // No consent was given for what a file of this site redirects to.
    redirect: own ? 'manual' : 'follow',
    referrerPolicy: own ? 'same-origin' : 'no-referrer',
    credentials: 'same-origin',
  }).catch(() => {
    throw failed('no answer, or its server does not allow this page to read it');
  });
  if (response.type === 'opaqueredirect') throw failed('it redirects to another address; use that one');
  if (!response.ok) throw failed(`the server answered ${response.status}`);
  if (response.headers.get('content-type')?.startsWith('text/html'))
    throw failed('the server answered with an HTML page, not with a file');
  const bytes = new Uint8Array(
    await response.arrayBuffer().catch(() => {
      throw failed('the answer broke off before its end');
    }),
  );
  const name = decodeURIComponent(url.pathname.split('/').at(-1) ?? '') || text;
  return { name, digest: await digestOf(bytes), bytes, origin, address: url.href };
}
