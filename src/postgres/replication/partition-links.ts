/**
 * PartitionLinks: of which tables a table is a partition, asked of the catalogue while the stream is held. The stream names a partition
 * alone, and shapes of the tables above it are to hear of it.
 *
 * The catalogue answers as of now, and the stream tells of before. What was attached or detached in between came or went with all its
 * rows, of which no stream tells: the shapes of the tables above end for that, whatever is answered here. A table that has been dropped
 * since is a partition of nothing.
 *
 * It has a session of its own, for a while: whoever waits for a connection of a pool would hold up all changes.
 */
import type pg from 'pg';
import type { Clock, TimerId } from '../../base/clock.ts';
import type { PartitionLink } from '../../model/partition-link.ts';
import type { DatabaseTarget } from '../../settings/database-url.ts';
import { connect } from '../connection/connection.ts';
import { DatabaseUnreachableError, typed } from '../connection/database-error.ts';
import { liftTimeLimits } from '../connection/time-limits.ts';

/** So long the stream is held for an answer at the most; then it begins anew. */
export const ANSWER_MS_MAX = 20_000;
/** The stream describes many tables at once, and then none for long. */
const IDLE_MS_MAX = 10_000;

/** Tables that inherit in another way are no partitions, and one that is being detached shows its rows to nobody above any more. */
const LINKS_SQL = `
  WITH RECURSIVE links AS (
    SELECT i.inhrelid, i.inhparent, i.xmin, 1 AS height
    FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
    WHERE i.inhrelid = $1 AND c.relispartition AND NOT i.inhdetachpending
    UNION ALL
    SELECT i.inhrelid, i.inhparent, i.xmin, links.height + 1
    FROM links JOIN pg_catalog.pg_inherits i ON i.inhrelid = links.inhparent JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
    WHERE c.relispartition AND NOT i.inhdetachpending
  )
  SELECT inhrelid::int8::float8 AS child, inhparent::int8::float8 AS parent, xmin::text::float8 AS since FROM links ORDER BY height`;

export class PartitionLinks {
  private session: Promise<pg.Client> | undefined;
  private idleTimer: TimerId | undefined;
  private readonly closing = new AbortController();

  constructor(
    private readonly target: DatabaseTarget,
    private readonly clock: Clock,
  ) {}

  /**
   * One question at a time.
   *
   * @returns those from the table of this oid up to the root; none where it is no partition, or is not there any more.
   * @throws {WorldError} also when the answer takes too long.
   */
  async of(oid: number): Promise<readonly PartitionLink[]> {
    this.stopIdling();
    const overdue = new AbortController();
    const timer = this.clock.setTimer(() => overdue.abort(), ANSWER_MS_MAX);
    const signal = AbortSignal.any([overdue.signal, this.closing.signal]);
    try {
      const client = await (this.session ??= this.open(signal));
      const links = await ask(client, oid, signal);
      this.idleTimer = this.clock.setTimer(() => this.endSession(), IDLE_MS_MAX);
      return links;
    } catch (error) {
      this.endSession();
      if (overdue.signal.aborted) throw new DatabaseUnreachableError('the catalogue was silent for too long', { cause: error });
      throw error;
    } finally {
      this.clock.clearTimer(timer);
    }
  }

  /** Whoever waits for an answer gets an error. */
  close(): void {
    this.closing.abort();
    this.stopIdling();
    this.endSession();
  }

  private async open(signal: AbortSignal): Promise<pg.Client> {
    const client = await connect(this.target, { applicationName: 'armature partitions', signal });
    try {
      await unlessGivenUp(client, signal, () => liftTimeLimits(client));
      return client;
    } catch (error) {
      client.connection.stream.destroy();
      throw error;
    }
  }

  private endSession(): void {
    const { session } = this;
    this.session = undefined;
    session?.then((client) => client.connection.stream.destroy(), () => {});
  }

  private stopIdling(): void {
    if (this.idleTimer !== undefined) this.clock.clearTimer(this.idleTimer);
    this.idleTimer = undefined;
  }
}

function ask(client: pg.Client, oid: number, signal: AbortSignal): Promise<readonly PartitionLink[]> {
  return unlessGivenUp(client, signal, async () => {
    return (await client.query<{ child: number; parent: number; since: number }>(LINKS_SQL, [oid])).rows;
  });
}

/** A backend that is silent would never answer: its connection is closed when the question is given up. */
async function unlessGivenUp<Answer>(client: pg.Client, signal: AbortSignal, work: () => Promise<Answer>): Promise<Answer> {
  const giveUp = (): void => void client.connection.stream.destroy(new DatabaseUnreachableError('the question was given up'));
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    if (signal.aborted) throw new DatabaseUnreachableError('the question was given up');
    return await typed(work);
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}
