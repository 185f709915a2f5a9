/** Account: what a storage has promised up to now, and what it was given, as plain values beside it. */
import type { LogOffset } from '../../src/model/log-offset.ts';
import type { Handle } from '../../src/model/shape.ts';

export interface Served {
  readonly handle: Handle;
  readonly after: LogOffset;
  readonly body: string;
  readonly upToDate: boolean;
}

export class Account {
  /** The last transaction given. */
  commit = 0;
  /** How many shapes there were. */
  handles = 0;
  /** Committed into the log, in order. */
  appended: readonly { readonly commit: number; readonly fragments: readonly string[] }[] = [];
  /** Fragments of the transaction that is open. */
  open: readonly string[] = [];
  durableCommit = 0;
  /** Of those, what also the witness beside the log says: it is written behind the sync, and perhaps was not yet. */
  provenCommit = 0;
  /** False from a power cut on until the witness is written anew: it was not synced. */
  isWitnessed = false;
  /** What Postgres may have been told to forget. */
  toldHeld = 0;
  appliedCommit = 0;
  /** Each shape's first transaction is the one after this. */
  bornAt: ReadonlyMap<Handle, number> = new Map();
  /** How many rows the snapshot of each shape has that a power cut must leave. */
  complete: ReadonlyMap<Handle, number> = new Map();
  deleted: ReadonlySet<Handle> = new Set();
  /** Shapes that no `apply` has reached yet. */
  lagging: ReadonlySet<Handle> = new Set();
  served: readonly Served[] = [];

  /** All fields are values that are replaced and never changed. */
  copy(): Account {
    return Object.assign(new Account(), this);
  }
}

export function withEntry<K, V>(map: ReadonlyMap<K, V>, key: K, value: V): ReadonlyMap<K, V> {
  return new Map([...map, [key, value]]);
}

export function without<K, V>(map: ReadonlyMap<K, V>, key: K): ReadonlyMap<K, V> {
  return new Map([...map].filter(([other]) => other !== key));
}
