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
/** Postgres shows what it streams: for what has nothing to do with visibility. */
const AT_ONCE = { isShownAtOnce: true } as const;
const SPLICE = { ...CALM, transactions: 2, moveOuts: 'events', crashes: 0 } as const;

/** What follows the death of a Materializer is about as much as what follows those of the others together. */
export const VICTIMS_BY_SEARCH: readonly (readonly Victim[])[] = [['materializer'], ['consumer', 'snapshotter']];

export const BOUNDS = {
  a: [
    handOver('three transactions, one of two fragments, a Consumer that drains and returns, and whoever is killed at any step', {
      ...CALM, transactions: 3, kills: 1, restarts: 1,
    }),
    handOver('two transactions, and a shape that falls asleep twice', { ...CALM, transactions: 2, timeouts: 2, rests: true }),
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
    splice('NULL comes to what NOT IN looks up, and a child before or after it, whoever is killed', {
      ...SPLICE, script: 'nullComes', kills: 1,
    }),
    splice('NULL takes the place of a value and goes, and the power goes', { ...SPLICE, script: 'nullPasses', crashes: 1 }),
    splice('the last value goes and another comes, told as deletes', { ...SPLICE, script: 'empties', moveOuts: 'deletes' }),
    splice('a value comes and goes of which either half of a filter is true', { ...SPLICE, script: 'stays' }),
    splice('a value goes and comes back, and of two who look it up one is slow', {
      ...SPLICE, script: 'returns', cast: 'slow', ...AT_ONCE,
    }),
    splice('values move at three depths, and whoever is killed', {
      ...SPLICE, script: 'deep', cast: 'layers', transactions: 1, kills: 1, ...AT_ONCE,
    }),
    splice('a value comes to two layers and a child moves', { ...SPLICE, script: 'both', cast: 'layers', ...AT_ONCE }),
    splice('a value comes to two layers, what it does not concern comes before it, and the power goes', {
      ...SPLICE, script: 'gives', cast: 'layers', crashes: 1, ...AT_ONCE,
    }),
    splice('the power went behind a splice without a line, and the Consumer of the outer shape drains and returns', {
      ...SPLICE, script: 'lacks', moveOuts: 'deletes', powerWent: 2, restarts: 1, drains: 'outer',
    }),
    splice('the power went behind a value that came to two layers, more comes that looks for it, and the power goes once more', {
      ...SPLICE, script: 'follows', cast: 'layers', transactions: 3, powerWent: 2, crashes: 1, ...AT_ONCE,
    }),
    splice('the power went before a value comes, and goes once more', { ...SPLICE, script: 'written', powerWent: 1, crashes: 1 }),
  ],
  c: [
    handles('two requests from a live shape on, and whoever is killed', { ...HANDLES, asks: ['inner', 'inner'], kills: 1 }),
    handles('a request for a shape that is not there, and whoever is killed', { ...HANDLES, live: [], asks: ['inner'], kills: 1 }),
    handles('a shape and the one that it depends on, one of which loses a process', { ...HANDLES, live: ['inner', 'outer'], kills: 1 }),
    handles('a shape and the one that it depends on, one of which is deleted', { ...HANDLES, live: ['outer'], fates: { deletion: 1 } }),
    handles('a shape that falls asleep and is touched, and another that comes to depend on it', {
      ...HANDLES, asks: ['outer'], timeouts: 1, rests: true, fates: { touch: 1 },
    }),
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
