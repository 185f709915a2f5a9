/** Whether a row is found by what a filter is looked up by, as the router relies on: satisfied, or with a key that cannot be read. */
import type { ColumnText, Key, Lookup, Membership, Where } from '../../src/sql/where.ts';

export function isLookedUp(lookups: Where['lookups'], text: ColumnText, isMember: Membership = () => false): boolean {
  return lookups === undefined || lookups.some((lookup) => isSatisfied(lookup, text, isMember));
}

function isSatisfied(lookup: Lookup, text: ColumnText, isMember: Membership): boolean {
  const keys = keysOf(lookup, text);
  if (keys === undefined) return true;
  if (lookup.kind === 'some') return keys.some((key) => lookup.values.includes(key));
  if (lookup.kind === 'every') return lookup.values.every((value) => keys.includes(value));
  return keys.some((key) => key !== null && isMember(lookup.subquery, key));
}

function keysOf({ key }: Lookup, text: ColumnText): readonly Key[] | undefined {
  try {
    return key.read(text);
  } catch {
    return undefined;
  }
}
