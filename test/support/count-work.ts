/**
 * Measures the work of a synchronous call in steps that do not depend on the machine: look-ups in maps and sets, and
 * elements that array methods visit.
 */
export function countWork(run: () => void): number {
  let work = 0;
  const restore = [
    ...[Map.prototype, Set.prototype, WeakMap.prototype].flatMap((prototype) =>
      ['get', 'set', 'has', 'add', 'delete'].map((name) => counting(prototype, name, () => (work += 1))),
    ),
    ...arrayMethods.map((name) =>
      counting(Array.prototype, name, (self) => (work += (self as unknown[]).length)),
    ),
  ];
  try {
    run();
  } finally {
    for (const undo of restore) undo();
  }
  return work;
}

const arrayMethods: readonly PropertyKey[] = [
  ...['map', 'filter', 'flatMap', 'forEach', 'reduce', 'some', 'every', 'find', 'findIndex', 'includes'],
  ...[
    'indexOf',
    'slice',
    'concat',
    'reverse',
    'sort',
    'splice',
    'shift',
    'unshift',
    'join',
    'flat',
    'entries',
  ],
  Symbol.iterator,
];

/** Calls `count` on every call of a method, which otherwise works as before; returns a function that undoes this. */
function counting(prototype: object, name: PropertyKey, count: (self: unknown) => void): () => void {
  const original = Object.getOwnPropertyDescriptor(prototype, name);
  if (original === undefined) return () => undefined;
  const method = original.value as (...args: unknown[]) => unknown;
  Object.defineProperty(prototype, name, {
    ...original,
    value(this: unknown, ...args: unknown[]): unknown {
      count(this);
      return Reflect.apply(method, this, args);
    },
  });
  return () => {
    Object.defineProperty(prototype, name, original);
  };
}
