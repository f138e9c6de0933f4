/** Throws the caller's error: each check below says what was expected and what was found. */
export type Refuse = (why: string) => never;

export function readJson(text: string, refuse: Refuse): Record<string, unknown> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return refuse(
      `the metadata key 'gsnn' is not valid JSON (${error instanceof Error ? error.message : 'unreadable'})`,
    );
  }
  return asRecord(json, 'gsnn', refuse);
}

export function asRecord(value: unknown, label: string, refuse: Refuse): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return refuse(`'${label}' is ${shown(value)}, an object was expected`);
  }
  return value as Record<string, unknown>;
}

export function asString(record: Readonly<Record<string, unknown>>, label: string, refuse: Refuse): string {
  const value = record[label];
  return typeof value === 'string' ? value : refuse(`'${label}' is ${shown(value)}, a string was expected`);
}

export function asStringList(value: unknown, label: string, refuse: Refuse): readonly string[] {
  if (!Array.isArray(value)) return refuse(`'${label}' is ${shown(value)}, a list of strings was expected`);
  value.forEach((entry: unknown, index) => {
    if (typeof entry !== 'string') refuse(`'${label}[${index}]' is ${shown(entry)}, a string was expected`);
  });
  return value as string[];
}

/** A list of non-negative integers. */
export function asIndexList(value: unknown, label: string, refuse: Refuse): readonly number[] {
  if (!Array.isArray(value)) return refuse(`'${label}' is ${shown(value)}, a list of indices was expected`);
  value.forEach((entry: unknown, index) => {
    if (!Number.isSafeInteger(entry) || (entry as number) < 0) {
      refuse(`'${label}[${index}]' is ${shown(entry)}, an index was expected`);
    }
  });
  return value as number[];
}

function shown(value: unknown): string {
  if (value === undefined) return 'missing';
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
