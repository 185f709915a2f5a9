/**
 * Cleanup: takes out of a database what Armature has put there, when it is not to come back.
 *
 * The slot goes first, for it is what does harm: it keeps WAL until somebody reads it. Then the tables of the publication, which names
 * them, get their default replica identity, each by itself; and the publication goes last, when none is left, so that another run finds
 * what this one could not do. Meanwhile the lock of the slot is held: no service begins between two steps, and none is harmed that runs.
 */
import type pg from 'pg';
import type { Clock } from '../../base/clock.ts';
import { invariant } from '../../base/invariant.ts';
import { pause } from '../../base/pause.ts';
import type { DatabaseTarget } from '../../settings/database-url.ts';
import { connect } from '../connection/connection.ts';
import { typed } from '../connection/database-error.ts';
import { quoteName } from '../connection/sql-text.ts';
import { dropSlot, findSlot } from '../replication/replication-slot.ts';
import { NOTHING_STORED, standingOf, type FoundDatabase } from '../replication/slot-standing.ts';
import { absent, attempted, kept, refused, type CleanupStep } from './cleanup-step.ts';
import { lockHolderText, slotLock } from './slot-lock.ts';
import { resetTables, unpublishedTables } from './table-reset.ts';

export interface CleanupSubject {
  readonly target: DatabaseTarget;
  readonly slot: string;
  readonly publication: string;
  /** Publication and tables are the operator's, and stay as they are. */
  readonly isManual: boolean;
  /** A slot that Armature did not make may be dropped. */
  readonly takesOverSlot: boolean;
}

export interface CleanupOptions {
  /** Nothing is done; each step says what would be. */
  readonly isDryRun: boolean;
  readonly clock: Clock;
}

/**
 * @returns what became of each thing, in the order in which it was done. Where the slot or its lock is refused, nothing else is done.
 * @throws {WorldError} the connection broke, or there was none: what was done before stays done, and another run does the rest.
 */
export async function cleanUp(subject: CleanupSubject, options: CleanupOptions): Promise<readonly CleanupStep[]> {
  const client = await connect(subject.target, { applicationName: APPLICATION });
  try {
    return await typed(async () => {
      const isHeld = await slotLock(client, subject.slot);
      if (!isHeld) return [refused('slot', subject.slot, await lockHolderText(client, subject.slot))];
      return await inOrder(client, subject, options);
    });
  } finally {
    await client.end();
  }
}

const APPLICATION = 'armature cleanup';
const STREAM_END_MS_MAX = 5_000;
const STREAM_END_LOOK_MS = 100;

async function inOrder(client: pg.Client, subject: CleanupSubject, options: CleanupOptions): Promise<readonly CleanupStep[]> {
  const slot = await slotStep(subject, options);
  if (slot.outcome === 'refused') return [slot];
  if (subject.isManual) return [slot, operators(subject)];
  const tables = await resetTables(client, subject.publication, options);
  const unpublished = await unpublishedTables(client);
  const isLeft = tables.some(({ outcome }) => outcome === 'refused');
  return [slot, ...tables, ...unpublished, isLeft ? stillNeeded(subject) : await publicationStep(client, subject, options)];
}

/** Whose a slot is, a connection that streams tells. */
async function slotStep(subject: CleanupSubject, options: CleanupOptions): Promise<CleanupStep> {
  const sender = await connect(subject.target, { applicationName: APPLICATION, replication: 'database' });
  try {
    return await typed(async () => await slotStepOf(sender, subject, await restingSlot(sender, subject, options), options));
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

async function slotStepOf(
  sender: pg.Client,
  subject: CleanupSubject,
  found: FoundDatabase,
  { isDryRun }: CleanupOptions,
): Promise<CleanupStep> {
  const { slot } = subject;
  if (found.slot === undefined) return absent('slot', slot, `There is no replication slot "${slot}".`);
  const judged = standingOf(found, NOTHING_STORED, subject);
  if (judged.standing === 'refused') return refused('slot', slot, judged.why);
  const { activePid } = found.slot;
  if (activePid !== null) return refused('slot', slot, `Process ${activePid} of the server streams from the replication slot "${slot}".`);
  const says = `The replication slot "${slot}": from here on it keeps no WAL.`;
  return await attempted({ what: 'slot', name: slot, says, isDryRun }, () => dropSlot(sender, slot));
}

async function publicationStep(client: pg.Client, { publication }: CleanupSubject, { isDryRun }: CleanupOptions): Promise<CleanupStep> {
  const { rows: [found] } = await client.query<{ is_there: boolean }>(
    'SELECT EXISTS (SELECT FROM pg_publication WHERE pubname = $1) AS is_there',
    [publication],
  );
  invariant(found !== undefined, 'a SELECT without FROM has a row');
  if (!found.is_there) return absent('publication', publication, `There is no publication "${publication}".`);
  const says = `The publication "${publication}".`;
  const drop = async (): Promise<void> => void (await client.query(`DROP PUBLICATION IF EXISTS ${quoteName(publication)}`));
  return await attempted({ what: 'publication', name: publication, says, isDryRun }, drop);
}

function stillNeeded({ publication }: CleanupSubject): CleanupStep {
  return kept('publication', publication, `The publication "${publication}" stays, for it names the tables that are left.`);
}

function operators({ publication }: CleanupSubject): CleanupStep {
  const says = `The publication "${publication}" and its tables stay as they are: they are published manually, by you.`;
  return kept('publication', publication, says);
}
