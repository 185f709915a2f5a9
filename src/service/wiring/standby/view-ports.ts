/** What the api asks of a storage that another instance works in: what is stored there, and nothing that would change it. */
import type { ExplainSource } from '../../../api/explain/explain-source.ts';
import type { ReadableLogs, ServedShapes } from '../../../api/ports.ts';
import type { SubsetSource } from '../../../api/subsets/subset-source.ts';
import type { Clock } from '../../../base/clock.ts';
import { bornMicros } from '../../../model/shape.ts';
import type { SubsetLanguage } from '../../../sql/subset.ts';
import type { ExplainLanguage } from '../../../sql/where-explanation.ts';
import { DiskError, ShapeCorruptError, ShapeReplacedError } from '../../../storage/errors.ts';
import type { StorageView } from '../../../storage/view/storage-view.ts';

/** A checkpoint comes each few seconds. What was made so long ago, and is in none, is not to be waited for. */
const UNSEEN_MICROS_MAX = 60_000_000;

export function viewedShapes(view: StorageView, clock: Pick<Clock, 'epochMicros'>): ServedShapes {
  return {
    find: (definition) => view.find(definition),
    findReadable: (definition) => view.find(definition),
    definitionOf: (handle) => view.definitionOf(handle),
    mayReplace(wanted, found) {
      const born = bornMicros(wanted);
      const isRecent = Math.abs(clock.epochMicros() - born) < UNSEEN_MICROS_MAX; // By the clock of the other one, which may be ahead.
      return isRecent && born > bornMicros(found);
    },
    noteReader() {}, // The other instance keeps account of its own readers.
    create: () => Promise.resolve({ outcome: 'refused' }),
    howItEnded: () => ({ outcome: 'gone' }),
    awaitSnapshotStart: (handle) => Promise.resolve({ outcome: view.definitionOf(handle) === undefined ? 'gone' : 'started' }),
    delete: () => Promise.resolve(),
    condemn: () => Promise.resolve(),
  };
}

const REPLACED = 'This shape was replaced or ended by the instance that follows the database. Please try again.';
const UNREADABLE = 'What is stored of this shape cannot be read by this instance at present. Please try again.';

/** A file that is gone was removed by its owner; if one is damaged, or refused, the owner finds that out by itself. */
export function viewedLogs(view: StorageView): ReadableLogs {
  return {
    get: (handle) => view.get(handle),
    isGone: () => false,
    isStalled: () => false, // Only snapshots that are complete are shown.
    elsewhereOf(error) {
      if (error instanceof ShapeReplacedError) return REPLACED;
      return error instanceof ShapeCorruptError || error instanceof DiskError ? UNREADABLE : undefined;
    },
    damageOf: () => undefined,
  };
}

const ELSEWHERE = {
  outcome: 'refused',
  status: 503,
  code: 'service_waiting',
  message: 'Another instance follows the database. This one serves what is stored, until it takes over.',
} as const;

/** A part of the rows is asked of Postgres, and must show no less than the log: only who follows the database knows that. */
export function noSubsets(language: SubsetLanguage): SubsetSource {
  return { language, isFollowed: () => false, read: () => Promise.resolve(ELSEWHERE) };
}

/** Nobody is asked by it: see `standbyApi`. */
export function noExplanations(language: ExplainLanguage): ExplainSource {
  return {
    language,
    transactions: {
      logged: () => Promise.resolve(undefined),
      wouldBeKnown: () => false,
      fate: () => Promise.resolve({ fate: 'unreachable' }),
    },
    shape: () => undefined,
    selected: () => undefined,
    readRow: () => Promise.resolve(ELSEWHERE),
  };
}
