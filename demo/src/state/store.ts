/**
 * What the page keeps for later visits, in IndexedDB. Storage may be forbidden, full, or cleared at any moment, and a
 * private window discards it: a missing entry is no error.
 */
const name = 'magnitude-edge';
const stores = ['sessions', 'tables', 'fits', 'files'] as const;
export type Store = (typeof stores)[number];

/** An entry: its own key, and the time when it was saved. */
export interface Kept {
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly when: number;
}

let opened: Promise<IDBDatabase> | null = null;

const open = (): Promise<IDBDatabase> =>
  (opened ??= new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => {
      for (const store of stores) request.result.createObjectStore(store, { keyPath: 'id' });
    };
    request.onsuccess = () => {
      const database = request.result;
      // Storage is cleared, or a newer page wants another version: open it again when needed.
      const forget = () => {
        database.close();
        opened = null;
      };
      database.onversionchange = forget;
      database.onclose = forget;
      resolve(database);
    };
    request.onerror = () => {
      reject(request.error ?? new Error('IndexedDB cannot be opened.'));
    };
    request.onblocked = () => {
      reject(new Error('Another tab holds an older store.'));
    };
  }).catch((error: unknown) => {
    opened = null;
    throw error;
  }));

/** Runs one transaction over some stores; null if it fails. */
async function transact<T>(
  over: readonly Store[],
  mode: IDBTransactionMode,
  work: (store: (name: Store) => IDBObjectStore) => IDBRequest<T> | null,
): Promise<T | null> {
  try {
    const transaction = (await open()).transaction(over, mode);
    const request = work((store) => transaction.objectStore(store));
    await new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => {
        resolve();
      };
      transaction.onabort = () => {
        reject(transaction.error ?? new Error('The transaction was aborted.'));
      };
    });
    return request?.result ?? null;
  } catch {
    return null;
  }
}

/** Puts entries into their stores, all or none. */
export async function keep(entries: Readonly<Partial<Record<Store, Kept>>>): Promise<void> {
  const over = Object.keys(entries) as Store[];
  await transact(over, 'readwrite', (store) => {
    for (const one of over) store(one).put(entries[one]);
    return null;
  });
}

export const kept = async <T extends Kept>(store: Store, id: string): Promise<T | null> =>
  (await transact([store], 'readonly', (of) => of(store).get(id) as IDBRequest<T | undefined>)) ?? null;

export const isKept = async (store: Store, id: string): Promise<boolean> =>
  (await transact([store], 'readonly', (of) => of(store).count(id))) === 1;

/** All entries of a store, the newest first. */
export async function allKept<T extends Kept>(store: Store): Promise<readonly T[]> {
  const all = await transact([store], 'readonly', (of) => of(store).getAll() as IDBRequest<T[]>);
  return (all ?? []).toSorted((a, b) => b.when - a.when);
}

/** Removes an entry from stores. */
export async function forget(over: readonly Store[], id: string): Promise<void> {
  await transact(over, 'readwrite', (store) => {
    for (const one of over) store(one).delete(id);
    return null;
  });
}
