/**
 * Printable: anything as JSON that a person can read, at a bounded cost however large it is. What is left out is said.
 *
 * A message is small by rule, and a context too; but who looks on must not be the first to find out that one is not.
 */
const ITEMS_MAX = 20;
const FIELDS_MAX = 50;
const TEXT_MAX = 200;
const DEPTH_MAX = 5;

/** @returns JSON, unless it had to be cut off behind `charactersMax`: then it ends with `…`. */
export function printed(value: unknown, charactersMax = 1_000): string {
  const text = JSON.stringify(shortened(value, DEPTH_MAX)) ?? 'undefined';
  return text.length <= charactersMax ? text : `${text.slice(0, charactersMax)}…`;
}

/** A copy in which long texts, long lists and what lies deep are replaced by what says so. */
function shortened(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return shortText(value);
  if (typeof value === 'bigint' || typeof value === 'symbol') return String(value);
  if (typeof value === 'function') return `function ${value.name}`;
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (value instanceof Map || value instanceof Set) return `${value.size} entries`;
  if (depth === 0) return '…';
  return Array.isArray(value) ? shortList(value, depth) : shortObject(value, depth);
}

function shortText(text: string): string {
  return text.length <= TEXT_MAX ? text : `${text.slice(0, TEXT_MAX)}… (${text.length} characters)`;
}

function shortList(list: readonly unknown[], depth: number): readonly unknown[] {
  const shown = list.slice(0, ITEMS_MAX).map((item) => shortened(item, depth - 1));
  return list.length <= ITEMS_MAX ? shown : [...shown, `… ${list.length - ITEMS_MAX} more`];
}

/** What stands behind its first fields is not looked at. */
function shortObject(object: object, depth: number): unknown {
  const shown: [string, unknown][] = [];
  for (const name of Object.keys(object)) {
    if (shown.length === FIELDS_MAX) return Object.fromEntries([...shown, ['…', 'more']]);
    shown.push([shortText(name), shortened(Reflect.get(object, name), depth - 1)]);
  }
  return Object.fromEntries(shown);
}
