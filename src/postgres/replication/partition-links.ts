/**
 * PartitionLinks: of which tables a table is a partition, asked of the catalogue while the stream is held. The stream names a partition
 * alone, and shapes of the tables above it are to hear of it.
 *
 * The catalogue answers as of now, and the stream tells of before. What was attached or detached in between came or went with all its
 * rows, of which no stream tells: the shapes of the tables above end for that, whatever is answered here. A table that has been dropped
 * since is a partition of nothing.
 *
 * Only one thing is streamed before the catalogue shows it: what the transaction itself has done that wrote to the table. Where it has made
 * the table, nothing is known of that until Postgres shows it.
 *
 * It has a session of its own, for a while: whoever waits for a connection of a pool would hold up all changes.
 */
import type pg from 'pg';
import type { Clock, TimerId } from '../../base/clock.ts';
import { invariant } from '../../base/invariant.ts';
import { LSN_ZERO } from '../../model/lsn.ts';
import type { PartitionLink } from '../../model/partition-link.ts';
import { isVisible, parsePgSnapshot, type PgSnapshot, type Xid } from '../../model/pg-snapshot.ts';
import type { DatabaseTarget } from '../../settings/database-url.ts';
import { connect } from '../connection/connection.ts';
import { DatabaseUnreachableError, typed } from '../connection/database-error.ts';
import { liftTimeLimits } from '../connection/time-limits.ts';

/** So long the stream is held for an answer at the most; then it begins anew. */
export const ANSWER_MS_MAX = 20_000;
/** The stream describes many tables at once, and then none for long. */
const IDLE_MS_MAX = 10_000;
/** Between two questions about a table that is not shown yet. */
const HIDDEN_MS = 2;
const HIDDEN_MS_MAX = 250;

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
  SELECT pg_current_snapshot()::text AS snapshot, EXISTS (SELECT FROM pg_catalog.pg_class WHERE oid = $1) AS "isThere", (
    SELECT coalesce(json_agg(json_build_object('child', inhrelid::int8, 'parent', inhparent::int8, 'since', xmin::text::int8)
      ORDER BY height), '[]') FROM links) AS links`;

/** What one look at the catalogue shows. */
interface Shown {
  readonly pgSnapshot: PgSnapshot;
  /** The table. */
  readonly isThere: boolean;
  readonly links: readonly PartitionLink[];
}

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
   * @param xid of the transaction that the table is described in, if it is in one.
   * @returns those from the table of this oid up to the root; none where it is no partition, or is not there any more.
   * @throws {WorldError} also when the answer takes too long.
   */
  async of(oid: number, xid: Xid | undefined): Promise<readonly PartitionLink[]> {
    this.stopIdling();
    const overdue = new AbortController();
    const timer = this.clock.setTimer(() => overdue.abort(), ANSWER_MS_MAX);
    const signal = AbortSignal.any([overdue.signal, this.closing.signal]);
    try {
      const client = await (this.session ??= this.open(signal));
      const links = await this.shownLinks(client, oid, xid, signal);
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

  private async shownLinks(client: pg.Client, oid: number, xid: Xid | undefined, signal: AbortSignal): Promise<readonly PartitionLink[]> {
    for (let delayMs = HIDDEN_MS; ; delayMs = Math.min(2 * delayMs, HIDDEN_MS_MAX)) {
      const { pgSnapshot, isThere, links } = await ask(client, oid, signal);
      if (isThere || xid === undefined || isVisible(xid, pgSnapshot)) return links;
      await this.pause(delayMs, signal);
    }
  }

  /** Ends early when nobody waits any more: the next question says so. */
  private pause(delayMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const goOn = (): void => {
        this.clock.clearTimer(timer);
        signal.removeEventListener('abort', goOn);
        resolve();
      };
      const timer = this.clock.setTimer(goOn, delayMs);
      signal.addEventListener('abort', goOn, { once: true });
    });
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

function ask(client: pg.Client, oid: number, signal: AbortSignal): Promise<Shown> {
  return unlessGivenUp(client, signal, async () => {
    const [shown] = (await client.query<Omit<Shown, 'pgSnapshot'> & { snapshot: string }>(LINKS_SQL, [oid])).rows;
    invariant(shown !== undefined, 'a look shows something');
    return { ...shown, pgSnapshot: parsePgSnapshot(shown.snapshot, LSN_ZERO) };
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
