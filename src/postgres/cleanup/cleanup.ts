/**
 * Cleanup: takes out of a database what Armature has put there, when it is not to come back.
 *
 * The slot goes first, for it is what does harm: it keeps WAL until somebody reads it. Then the tables of the publication, which names
 * them, get their default replica identity, each by itself. The publication goes last, when none is left, so that another run finds what
 * this one could not do; and with it, in one step, the identities of tables without a primary key, for nobody could update these while
 * they are published. Meanwhile the lock of the slot is held: no service begins between two steps, and none is harmed that runs.
 */
import type pg from 'pg';
import type { Clock } from '../../base/clock.ts';
import { pause } from '../../base/pause.ts';
import type { DatabaseTarget } from '../../settings/database-url.ts';
import type { StreamNames } from '../../settings/stream-names.ts';
import { connect } from '../connection/connection.ts';
import { typed } from '../connection/database-error.ts';
import { liftTimeLimits } from '../connection/time-limits.ts';
import { dropSlot, findSlot } from '../replication/replication-slot.ts';
import { NOTHING_STORED, standingOf, type FoundDatabase } from '../replication/slot-standing.ts';
import { absent, attempted, kept, refused, type CleanupStep } from './cleanup-step.ts';
import { publicationSteps } from './publication-removal.ts';
import { lockHolderText, slotLock } from './slot-lock.ts';
import { unpublishedTables } from './table-reset.ts';

export interface CleanupSubject extends StreamNames {
  readonly target: DatabaseTarget;
  /** Publication and tables are the operator's, and stay as they are. */
  readonly isManual: boolean;
  /** Slots end with the connection that streams; such a service leaves no mark in its publication. */
  readonly isSlotTemporary: boolean;
  /** What bears no mark of Armature is this service's all the same. */
  readonly takesOverSlot: boolean;
}

export interface CleanupOptions {
  /** Nothing is done; each step says what would be. */
  readonly isDryRun: boolean;
  readonly clock: Clock;
  /** Told of each step when it is over. */
  readonly told: (step: CleanupStep) => void;
}

/**
 * Tells what became of each thing, in the order in which it is done. Where the slot or its lock is refused, nothing else is done.
 *
 * @throws {WorldError} the connection broke, or there was none: what was told is done, and another run does the rest.
 */
export async function cleanUp(subject: CleanupSubject, options: CleanupOptions): Promise<void> {
  const client = await opened(subject);
  try {
    await typed(async () => {
      const isHeld = await slotLock(client, subject.slot);
      if (!isHeld) return options.told(refused('slot', subject.slot, await lockHolderText(client, subject.slot)));
      await inOrder(client, subject, options);
    });
  } finally {
    await client.end();
  }
}

const APPLICATION = 'armature cleanup';
const STREAM_END_MS_MAX = 5_000;
const STREAM_END_LOOK_MS = 100;

/** A limit on time that the role has would end the session, and its lock with it. */
async function opened({ target }: CleanupSubject, replication?: 'database'): Promise<pg.Client> {
  const client = await connect(target, { applicationName: APPLICATION, ...(replication === undefined ? {} : { replication }) });
  try {
    await liftTimeLimits(client);
    return client;
  } catch (error) {
    await client.end();
    throw error;
  }
}

async function inOrder(client: pg.Client, subject: CleanupSubject, options: CleanupOptions): Promise<void> {
  const { step, found } = await removedSlot(subject, options);
  options.told(step);
  if (step.outcome === 'refused') return;
  await removePublication(client, subject, found, options);
  for (const table of await unpublishedTables(client)) options.told(table);
}

async function removePublication(client: pg.Client, subject: CleanupSubject, found: FoundDatabase, options: CleanupOptions): Promise<void> {
  const { publication } = subject;
  if (found.publication === undefined) return options.told(absent('publication', publication, `There is no publication "${publication}".`));
  const why = whyKept(subject, found.publication.isMarked);
  if (why !== undefined) return options.told(kept('publication', publication, why));
  for await (const each of publicationSteps(client, publication, options)) options.told(each);
}

function whyKept({ publication, isManual, isSlotTemporary, takesOverSlot }: CleanupSubject, isMarked: boolean): string | undefined {
  if (isManual) return `The publication "${publication}" and its tables stay as they are: they are published manually, by you.`;
  if (isMarked || isSlotTemporary || takesOverSlot) return undefined;
  return `The publication "${publication}" and its tables stay as they are, for it bears no mark of Armature. ${TAKE_OVER}`;
}

const TAKE_OVER = "If it is this service's, run this again with --take-over-slot.";

/** Whose a slot is, a connection that streams tells. */
async function removedSlot(subject: CleanupSubject, options: CleanupOptions): Promise<{ step: CleanupStep; found: FoundDatabase }> {
  const sender = await opened(subject, 'database');
  try {
    return await typed(async () => {
      const found = await restingSlot(sender, subject, options);
      return { step: await slotStep(sender, subject, found, options), found };
    });
  } finally {
    await sender.end();
  }
}

/** The slot as it is when nobody streams from it, or after a time: Postgres notices the end of a stream behind its reader. */
async function restingSlot(sender: pg.Client, subject: CleanupSubject, { clock }: CleanupOptions): Promise<FoundDatabase> {
  const deadlineMs = clock.nowMs() + STREAM_END_MS_MAX;
  let found = await findSlot(sender, subject);
  while (found.slot !== undefined && found.slot.activePid !== null && clock.nowMs() < deadlineMs) {
    await pause(clock, STREAM_END_LOOK_MS);
    found = await findSlot(sender, subject);
  }
  return found;
}

async function slotStep(
  sender: pg.Client,
  subject: CleanupSubject,
  found: FoundDatabase,
  { isDryRun }: CleanupOptions,
): Promise<CleanupStep> {
  const { slot } = subject;
  if (found.slot === undefined) return absent('slot', slot, `There is no replication slot "${slot}".`);
  const judged = standingOf(found, NOTHING_STORED, subject);
  if (judged.standing === 'refused') return refused('slot', slot, judged.code === 'slot_not_ours' ? unmarked(slot) : judged.why);
  const { activePid } = found.slot;
  if (activePid !== null) return refused('slot', slot, `Process ${activePid} of the server streams from the replication slot "${slot}".`);
  const says = `The replication slot "${slot}": from here on it keeps no WAL.`;
  return await attempted({ what: 'slot', name: slot, says, isDryRun }, () => dropSlot(sender, slot));
}

/** As where the publication belongs to another role, which alone may mark it; or where ElectricSQL made the slot. */
function unmarked(slot: string): string {
  const nothing = `Nothing says whose the replication slot "${slot}" is: its publication bears no mark of Armature`;
  return `${nothing}, and ElectricSQL uses the same name. ${TAKE_OVER}`;
}
