/**
 * RecentCommits: where the newest transactions of the log begin, so that a shape can go back to those that its snapshot
 * does not see.
 *
 * Postgres logs a commit, and streams it, before its own snapshots show it; in between it may wait long for a standby.
 * So the log is kept from `start` on, even when every shape has taken it: how far a shape can go back must not depend on
 * when the last segment happened to end. One bound limits how much of the log is kept, the other what is remembered of it.
 *
 * Whoever asks waits for the answer, and a thousand shapes may ask at the same time. So it is looked up: those that were running, by
 * their ids; of those behind them the first one, in the first stretch that has one so high.
 */
import type { LogPosition } from '../../model/log-position.ts';
import { precedes, unseenBy, type PgSnapshot, type Xid } from '../../model/pg-snapshot.ts';

interface Commit {
  readonly xid: Xid;
  /** Before its first frame. */
  readonly after: LogPosition;
}

export const RECENT_COMMITS_MAX = 65_536;
/** What is looked through is a stretch for each of them, and one of them: the least for so many. */
const STRETCH = 256;

export class RecentCommits {
  private commits: Commit[] = [];
  private first = 0;
  /** Of each stretch of `commits`, those that are not remembered any more among them. */
  private highest: Xid[] = [];
  private begins = new Map<Xid, LogPosition>();
  /** So many of `commits` stand in the two: the rest is entered when somebody asks, which may be never. */
  private entered = 0;
  /** The highest that was remembered once. */
  private dropped: Xid | undefined;

  /** @param logBytesMax how much of the log they may span; the newest is kept, however large. */
  constructor(private readonly logBytesMax: number) {}

  /** Of those that were remembered and are no more, since the log was opened; undefined for none. */
  get droppedThrough(): Xid | undefined {
    return this.dropped;
  }

  /** A shape may begin as early as here; undefined while there is nothing to go back to. */
  get start(): LogPosition | undefined {
    return this.commits[this.first]?.after;
  }

  /** @param end behind its commit frame. */
  push(xid: Xid, after: LogPosition, end: LogPosition): void {
    this.commits.push({ xid, after });
    while (this.isFull(end)) this.dropFirst();
    if (this.first >= RECENT_COMMITS_MAX) this.compact();
  }

  /** Their ids say nothing any more: what follows is of another slot, perhaps of another cluster. */
  forget(): void {
    this.commits = [];
    this.first = 0;
    this.highest = [];
    this.begins.clear();
    this.entered = 0;
  }

  /** Before its first frame; undefined for one that is not remembered. */
  beginOf(xid: Xid): LogPosition | undefined {
    this.enterAll();
    return this.begins.get(xid);
  }

  /** Before the first of them that `snapshot` does not see; undefined when it sees them all. */
  firstUnseen(snapshot: PgSnapshot): LogPosition | undefined {
    this.enterAll();
    const { from, running } = unseenBy(snapshot);
    let unseen = this.firstFrom(from);
    for (const xid of running) {
      const begin = this.begins.get(xid);
      if (begin !== undefined && (unseen === undefined || begin < unseen)) unseen = begin;
    }
    return unseen;
  }

  clone(): RecentCommits {
    const copy = new RecentCommits(this.logBytesMax);
    copy.commits = [...this.commits];
    copy.first = this.first;
    copy.highest = [...this.highest];
    copy.begins = new Map(this.begins);
    copy.entered = this.entered;
    copy.dropped = this.dropped;
    return copy;
  }

  /** The first whose id is not lower. */
  private firstFrom(xid: Xid): LogPosition | undefined {
    for (let index = this.first; index < this.commits.length; ) {
      const highest = index % STRETCH === 0 ? this.highest[index / STRETCH] : undefined;
      const isLower = highest !== undefined && precedes(highest, xid);
      const commit = this.commits[index];
      if (!isLower && commit !== undefined && !precedes(commit.xid, xid)) return commit.after;
      index += isLower ? STRETCH : 1;
    }
    return undefined;
  }

  private enterAll(): void {
    while (this.entered < this.commits.length) this.enterNext();
  }

  private enterNext(): void {
    const commit = this.commits[this.entered];
    if (commit === undefined) return;
    const stretch = Math.floor(this.entered / STRETCH);
    const highest = this.highest[stretch] ?? commit.xid;
    this.highest[stretch] = precedes(highest, commit.xid) ? commit.xid : highest;
    if (this.entered >= this.first) this.begins.set(commit.xid, commit.after);
    this.entered += 1;
  }

  private dropFirst(): void {
    const commit = this.commits[this.first];
    if (commit !== undefined && this.first < this.entered) this.begins.delete(commit.xid);
    if (commit !== undefined && (this.dropped === undefined || precedes(this.dropped, commit.xid))) this.dropped = commit.xid;
    this.first += 1;
  }

  /** Lets go of whole stretches. */
  private compact(): void {
    const stretches = Math.floor(this.first / STRETCH);
    this.commits = this.commits.slice(stretches * STRETCH);
    this.highest = this.highest.slice(stretches);
    this.first -= stretches * STRETCH;
    this.entered = Math.max(0, this.entered - stretches * STRETCH);
  }

  private isFull(end: LogPosition): boolean {
    const count = this.commits.length - this.first;
    const oldest = this.commits[this.first];
    if (oldest === undefined || count === 1) return false;
    return count > RECENT_COMMITS_MAX || end - oldest.after > this.logBytesMax;
  }
}
