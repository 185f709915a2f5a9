/**
 * Slot standing: whose a replication slot is, and whether it goes on where the storage ends.
 *
 * A slot has one position, which is what its owner has not read yet. To drop it, or to move it on, is to take that from
 * the owner: so a slot is used only when this storage goes on with it, or when it bears the mark of Armature. One of
 * another Armature storage is made anew and never carried on, because then its position lies behind all that any other
 * storage holds, and each finds out when it comes back. A slot of somebody else is refused.
 *
 * A slot goes on where the storage ends when it has confirmed no more than the storage holds, on the same timeline, or on
 * one that left it behind all that the storage has seen: so it is after a failover that lost nothing and took the slot
 * along. Any other timeline ends all shapes, which may hold rows that never were. Not to be seen from here is a database
 * that was put back without a new timeline, as by a snapshot of its disk, and has since written more than it lost.
 */
import { compareLsn, LSN_MAX, LSN_ZERO, lsnToPostgres, type Lsn } from '../../model/lsn.ts';
import type { StreamSource } from '../../model/stream-source.ts';
import type { TimelineHistory } from './timeline-history.ts';

/** As Postgres tells it. */
export interface FoundSlot {
  /** Null for a physical slot, like the database. */
  readonly plugin: string | null;
  readonly database: string | null;
  /** It ends with the connection that made it. */
  readonly isTemporary: boolean;
  /** It tells prepared transactions before they commit. */
  readonly isTwoPhase: boolean;
  /** The process that streams from it. */
  readonly activePid: number | null;
  /** Postgres has invalidated it, and may have removed WAL that it needed. */
  readonly isLost: boolean;
  readonly confirmedLsn: Lsn;
}

export interface FoundDatabase {
  readonly source: StreamSource;
  /** Of its timeline. */
  readonly history: TimelineHistory;
  readonly walLsn: Lsn;
  readonly slot: FoundSlot | undefined;
  /** Undefined when it is not there. */
  readonly publication: FoundPublication | undefined;
}

export interface FoundPublication {
  readonly isMarked: boolean;
  /** It passes on inserts, updates, deletes and truncations. */
  readonly isComplete: boolean;
  /** Another one once it was altered or made anew; not when tables join or leave it. */
  readonly version: string;
}

/** What the storage has of a stream, as its log tells it. */
export interface StoredStream {
  readonly source: StreamSource | undefined;
  readonly heldLsn: Lsn;
  /** Whatever is stored has seen nothing of the WAL behind here: asked on another timeline. Left out, nobody knows. */
  readonly seenLsn?: () => Lsn;
  /** When the log was damaged and begun anew: what is known of the stream that it had. It held perhaps more of it. */
  readonly damaged?: Omit<StoredStream, 'damaged'> | undefined;
  /** The error with which Postgres ends each stream at what comes next, when that is certain. */
  readonly untellable?: string | undefined;
}

export const NOTHING_STORED: StoredStream = { source: undefined, heldLsn: LSN_ZERO };

export interface SlotSettings {
  readonly isSlotTemporary?: boolean;
  /** A slot that Armature did not make may be dropped. */
  readonly takesOverSlot?: boolean;
}

export type SlotStanding =
  /** `hasSwitched`: on another timeline, which was left behind all that is stored. */
  | { readonly standing: 'continued'; readonly hasSwitched: boolean }
  /** There is nothing yet, here or there. */
  | { readonly standing: 'new'; readonly why: string }
  /** What is stored cannot be carried on. */
  | { readonly standing: 'lost'; readonly why: string }
  | { readonly standing: 'refused'; readonly code: 'slot_of_another_kind' | 'slot_not_ours'; readonly why: string };

export function standingOf(found: FoundDatabase, stored: StoredStream, settings: SlotSettings): SlotStanding {
  const { source, slot } = found;
  if (slot === undefined || isAboutToEnd(slot, settings)) return withoutSlot(found, stored, settings);
  const unfit = whyUnfit(slot, source);
  if (unfit !== undefined) return { standing: 'refused', code: 'slot_of_another_kind', why: anotherKind(source.slot, unfit) };
  if (!isOurs(found, slot, stored) && settings.takesOverSlot !== true) {
    return { standing: 'refused', code: 'slot_not_ours', why: notOurs(found, slot) };
  }
  const why = whyNotContinued(found, slot, stored, settings);
  if (why !== undefined) return { standing: 'lost', why };
  return { standing: 'continued', hasSwitched: stored.source?.timeline !== source.timeline };
}

/** Where slots are temporary, it is that of the connection before, which the server has not noticed the end of: as good as gone. */
function isAboutToEnd({ isTemporary }: FoundSlot, { isSlotTemporary = false }: SlotSettings): boolean {
  return isTemporary && isSlotTemporary;
}

interface Unfit {
  readonly why: string;
  readonly remedy: string;
}

/**
 * What no stream of ours can be made of, whoever made it. Postgres starts most of these streams all the same, and they
 * end later, at each attempt, with a message that no one understands: a prepared transaction, say.
 */
function whyUnfit({ plugin, database, isTwoPhase, isTemporary, activePid }: FoundSlot, source: StreamSource): Unfit | undefined {
  const remedy = `drop it if nobody needs it (SELECT pg_drop_replication_slot('${source.slot}'))`;
  if (plugin === null) return { why: 'it is a physical one', remedy };
  if (plugin !== 'pgoutput') return { why: `its plugin is ${plugin}, not pgoutput`, remedy };
  if (database !== source.database) return { why: `it belongs to database "${database}"`, remedy };
  if (isTwoPhase) return { why: 'it was made with two_phase = true, which tells transactions before they commit', remedy };
  if (!isTemporary) return undefined;
  return { why: 'it is a temporary one of another connection', remedy: `end that connection (process ${activePid} of the server)` };
}

function withoutSlot({ source }: FoundDatabase, stored: StoredStream, { isSlotTemporary = false }: SlotSettings): SlotStanding {
  const title = `replication slot "${source.slot}"`;
  if (rememberedOf(stored).source === undefined) return { standing: 'new', why: `there is no ${title} yet` };
  return { standing: 'lost', why: isSlotTemporary ? `the ${title} ended with its connection, as it was told to` : `the ${title} is gone` };
}

function isOurs({ source, publication }: FoundDatabase, slot: FoundSlot, stored: StoredStream): boolean {
  if (publication?.isMarked === true) return true;
  const remembered = rememberedOf(stored);
  if (remembered.source === undefined || !isSameSlot(remembered.source, source)) return false;
  return isBeingMade(remembered) || compareLsn(slot.confirmedLsn, remembered.heldLsn) <= 0;
}

/** What is stored, or was before the log was begun anew. */
function rememberedOf(stored: StoredStream): StoredStream {
  return stored.source === undefined ? (stored.damaged ?? stored) : stored;
}

function isSameSlot(one: StreamSource, other: StreamSource): boolean {
  return differenceOf(one, other) === undefined;
}

/** The log notes that before it asks for the slot. */
function isBeingMade({ heldLsn }: StoredStream): boolean {
  return heldLsn === LSN_ZERO;
}

function whyNotContinued(
  found: FoundDatabase,
  slot: FoundSlot,
  stored: StoredStream,
  { isSlotTemporary = false }: SlotSettings,
): string | undefined {
  if (stored.source === undefined) return whyMadeAnew(found, slot, stored);
  const title = titleOf(found);
  const difference = differenceOf(stored.source, found.source) ?? whyForked(stored.source, stored, found);
  if (difference !== undefined) return difference;
  if (isBeingMade(stored)) return `${title} was being made when the service ended`;
  const unfit = whyLeftOut(found, stored.source, title);
  if (unfit !== undefined) return unfit;
  if (isSlotTemporary) return `${title} is to end with its connection from now on`;
  if (slot.isLost) {
    return `Postgres has given up ${title}: its wal_status is lost (see max_slot_wal_keep_size and idle_replication_slot_timeout)`;
  }
  return whatIsBehind(found, slot, stored.heldLsn) ?? whatIsUntellable(stored, title);
}

/** What was decoded while the publication was another one may have been left out, and nothing tells what. */
function whyLeftOut({ publication }: FoundDatabase, stored: StreamSource, title: string): string | undefined {
  if (publication === undefined) return `the publication is gone, and ${title} is older than the one that is made now`;
  if (!publication.isComplete) return 'the publication was altered: it leaves out INSERT, UPDATE, DELETE or TRUNCATE';
  if (stored.publication === undefined || stored.publication === publication.version) return undefined;
  return 'the publication was altered or made anew meanwhile, and the stream may have left out changes';
}

function whatIsBehind(found: FoundDatabase, slot: FoundSlot, heldLsn: Lsn): string | undefined {
  const held = `this storage has what came up to ${lsnToPostgres(heldLsn)}`;
  if (compareLsn(found.walLsn, heldLsn) < 0) return `the database was put back: its WAL is at ${lsnToPostgres(found.walLsn)}, and ${held}`;
  if (compareLsn(slot.confirmedLsn, heldLsn) <= 0) return undefined;
  return (
    `${titleOf(found)} has moved on without this storage: ${positionOf(found, slot)}, and ${held}; ` +
    'another instance used the slot, or this storage is an old copy'
  );
}

/** Who makes it anew begins behind that. */
function whatIsUntellable({ untellable }: StoredStream, title: string): string | undefined {
  return untellable && `Postgres cannot tell what ${title} comes to next, however often it is asked: ${untellable}`;
}

/** A log that was damaged knows no more than an empty storage, and yet the slot may be its own. */
function whyMadeAnew(found: FoundDatabase, slot: FoundSlot, { damaged }: StoredStream): string {
  if (damaged === undefined) return whatIsTaken(found, slot);
  const begun = 'the transaction log of this storage was damaged and begun anew';
  if (damaged.source === undefined) return `${begun}, and cannot say any more whose slot it had; ${whatIsTaken(found, slot)}`;
  if (!isSameSlot(damaged.source, found.source)) return `${begun}, and had another slot; ${whatIsTaken(found, slot)}`;
  return (
    `${begun}: what ${titleOf(found)}, which is this storage's own, had brought up to ${lsnToPostgres(slot.confirmedLsn)} is lost; ` +
    'the slot is made anew, all shapes of before are condemned, and clients fetch them anew'
  );
}

/** For an operator who wonders what this start costs somebody. */
function whatIsTaken(found: FoundDatabase, slot: FoundSlot): string {
  const owner = found.publication?.isMarked === true ? 'another storage of Armature' : 'somebody else';
  return `${titleOf(found)} was made for ${owner}, which loses what lies between: ${positionOf(found, slot)}`;
}

function titleOf({ source }: FoundDatabase): string {
  return `the replication slot "${source.slot}"`;
}

function positionOf({ walLsn }: FoundDatabase, { confirmedLsn }: FoundSlot): string {
  return `it had confirmed ${lsnToPostgres(confirmedLsn)}, and the WAL is at ${lsnToPostgres(walLsn)}`;
}

/** @returns how the storage's stream is another one, or undefined. */
function differenceOf(stored: StreamSource, found: StreamSource): string | undefined {
  if (stored.systemId !== found.systemId) {
    return `this storage belongs to another database system, ${stored.systemId}; this one is ${found.systemId}`;
  }
  if (stored.database !== found.database) {
    return `this storage belongs to another database, "${stored.database}"; this one is "${found.database}"`;
  }
  if (stored.slot !== found.slot) return `this storage belongs to another replication slot, "${stored.slot}"; this one is "${found.slot}"`;
  return undefined;
}

/** A standby that took over, or a restore: what is stored goes on where it saw nothing that only the other timeline has. */
function whyForked(source: StreamSource, stored: StoredStream, { source: found, history }: FoundDatabase): string | undefined {
  if (source.timeline === found.timeline) return undefined;
  const leftAt = history.get(source.timeline);
  const seen = stored.seenLsn?.() ?? LSN_MAX;
  if (leftAt !== undefined && compareLsn(seen, leftAt) <= 0) return undefined;
  const both = leftAt && `, which was left at ${lsnToPostgres(leftAt)}, and has seen what came up to ${lsnToPostgres(seen)}`;
  return (
    `the database is on timeline ${found.timeline}, and this storage belongs to timeline ${source.timeline}${both ?? ''}: ` +
    'it was restored, or a standby took over, and what is stored may never have been'
  );
}

function anotherKind(slot: string, { why, remedy }: Unfit): string {
  return `Armature cannot stream from the replication slot "${slot}": ${why}; ${remedy}, or ${GIVE_ANOTHER_ID}.`;
}

function notOurs({ source, walLsn }: FoundDatabase, { confirmedLsn, activePid }: FoundSlot): string {
  const user = activePid === null ? '' : ` Process ${activePid} of the server streams from it now.`;
  return (
    `There is a replication slot "${source.slot}" that Armature did not make: ElectricSQL uses the same name. ` +
    `It has confirmed ${lsnToPostgres(confirmedLsn)}, the WAL is at ${lsnToPostgres(walLsn)}, ` +
    `and whoever made it would lose what lies between.${user} ` +
    `Either ${GIVE_ANOTHER_ID}, ` +
    'or let it drop the slot and make its own (--take-over-slot, or ARMATURE_TAKE_OVER_SLOT=true).'
  );
}

const GIVE_ANOTHER_ID =
  'give this service a replication stream id of its own (--replication-stream-id, or ARMATURE_REPLICATION_STREAM_ID)';
