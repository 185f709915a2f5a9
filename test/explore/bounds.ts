/** Bounds: how far `npm run explore` searches each system. They stand here and nowhere else; a further system is a further letter. */
import type { HandleBounds } from './handles/handle-system.ts';
import type { HandOverBounds, Victim } from './hand-over/hand-over-system.ts';
import type { SpliceBounds } from './splices/splice-system.ts';
import type { Setting } from './systems.ts';

export interface Bounded {
  readonly what: string;
  /**
   * The searches that are this bound together.
   *
   * @param deeper how many steps further: by turns one transaction more, as far as the script goes, and one kill more.
   */
  readonly settings: (deeper: number) => readonly Setting[];
}

const CALM = { kills: 0, timeouts: 0, restarts: 0 } as const;
const HANDLES = { kills: 0, timeouts: 0, live: ['inner'], asks: [], fates: {}, victims: 'shapes' } as const;
const SPLICE = { ...CALM, transactions: 2, moveOuts: 'events', crashes: 0 } as const;

/** What follows the death of a Materializer is about as much as what follows those of the others together. */
export const VICTIMS_BY_SEARCH: readonly (readonly Victim[])[] = [['materializer'], ['consumer', 'snapshotter']];

export const BOUNDS = {
  a: [
    handOver('three transactions, one of two fragments, a Consumer that drains and returns, and whoever is killed at any step', {
      ...CALM, transactions: 3, kills: 1, restarts: 1,
    }),
  ],
  b: [
    splice('a value comes, and Postgres shows it before or after its child', { ...SPLICE, script: 'comes' }),
    splice('a child is written, streamed, and not yet visible to the query for a value', { ...SPLICE, script: 'written' }),
    splice('a parent and its child in one transaction, whoever is killed', { ...SPLICE, script: 'both', kills: 1 }),
    splice('a parent and its child in one transaction, and the power goes', { ...SPLICE, script: 'both', crashes: 1 }),
    splice('a parent and its child in one transaction, and a Consumer drains and returns', {
      ...SPLICE, script: 'both', transactions: 1, restarts: 1,
    }),
    splice('a value goes, told as deletes, whoever is killed', { ...SPLICE, script: 'goes', moveOuts: 'deletes', kills: 1 }),
  ],
  c: [
    handles('two requests from a live shape on, and whoever is killed', { ...HANDLES, asks: ['inner', 'inner'], kills: 1 }),
    handles('a request for a shape that is not there, and whoever is killed', { ...HANDLES, live: [], asks: ['inner'], kills: 1 }),
    handles('a shape and the one that it depends on, one of which loses a process', { ...HANDLES, live: ['inner', 'outer'], kills: 1 }),
    handles('a shape and the one that it depends on, one of which is deleted', { ...HANDLES, live: ['outer'], fates: { deletion: 1 } }),
    handles('a request, a deletion, and the power goes', { ...HANDLES, asks: ['inner'], fates: { deletion: 1, crash: 1 } }),
  ],
} as const satisfies Readonly<Record<string, readonly Bounded[]>>;

export type Letter = keyof typeof BOUNDS;

function handOver(what: string, bounds: HandOverBounds): Bounded {
  return { what, settings: (deeper) => byVictim({ ...bounds, ...deepened(bounds, deeper) }) };
}

/** Where one is killed, it is one of them on each way: so there are two searches of the same length, neither of which has seen it all. */
function byVictim(bounds: HandOverBounds): readonly Setting[] {
  const parts = bounds.kills === 1 ? VICTIMS_BY_SEARCH.map((victims) => ({ ...bounds, victims })) : [{ ...bounds }];
  return parts.map((part) => ({ system: 'hand-over', bounds: part }));
}

function splice(what: string, bounds: SpliceBounds): Bounded {
  return { what, settings: (deeper) => [{ system: 'splice', bounds: { ...bounds, ...deepened(bounds, deeper) } }] };
}

/** Goes deeper by one kill more each time. */
function handles(what: string, bounds: HandleBounds): Bounded {
  return { what, settings: (deeper) => [{ system: 'handles', bounds: { ...bounds, kills: bounds.kills + deeper } }] };
}

function deepened({ transactions, kills }: Pick<HandOverBounds, 'transactions' | 'kills'>, deeper: number) {
  return { transactions: transactions + Math.ceil(deeper / 2), kills: kills + Math.floor(deeper / 2) };
}
