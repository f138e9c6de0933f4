import type { Page } from 'playwright';

/** What is told of an entry of the page's stores: of a session its settings, of a table its name. */
export interface StoredEntry {
  readonly id: string;
  readonly name: string | undefined;
  readonly settings: string | undefined;
}

/** What a store of the page holds in its database. */
export const storedEntries = (page: Page, store: string): Promise<StoredEntry[]> =>
  page.evaluate(async (from) => {
    const database = await new Promise<IDBDatabase>((resolve) => {
      const request = indexedDB.open('magnitude-edge', 1);
      request.onsuccess = () => {
        resolve(request.result);
      };
    });
    const request = database.transaction(from).objectStore(from).getAll();
    const entries = await new Promise<{ id: string; name?: string; session?: { settings: string } }[]>(
      (resolve) => {
        request.onsuccess = () => {
          resolve(request.result);
        };
      },
    );
    database.close();
    return entries.map(({ id, name, session }) => ({ id, name, settings: session?.settings }));
  }, store);
