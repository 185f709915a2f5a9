/**
 * RecentCommits: where the newest transactions of the log begin, so that a shape can go back to those that its snapshot
 * does not see.
 *
 * Postgres logs a commit, and streams it, before its own snapshots show it; in between it may wait long for a standby.
 * So the log is kept from `start` on, even when every shape has taken it: how far a shape can go back must not depend on
 * when the last segment happened to end. One bound limits how much of the log is kept, the other what `firstUnseen` costs.
 */
import type { LogPosition } from '../../model/log-position.ts';
import { visibilityOf, type PgSnapshot, type Xid } from '../../model/pg-snapshot.ts';

interface Commit {
  readonly xid: Xid;
  /** Before its first frame. */
  readonly after: LogPosition;
}

export const RECENT_COMMITS_MAX = 65_536;

export class RecentCommits {
  private commits: Commit[] = [];
  private first = 0;

  /** @param logBytesMax how much of the log they may span; the newest is kept, however large. */
  constructor(private readonly logBytesMax: number) {}

  /** A shape may begin as early as here; undefined while there is nothing to go back to. */
  get start(): LogPosition | undefined {
    return this.commits[this.first]?.after;
  }

  /** @param end behind its commit frame. */
  push(xid: Xid, after: LogPosition, end: LogPosition): void {
    this.commits.push({ xid, after });
    while (this.isFull(end)) this.first += 1;
    if (this.first < RECENT_COMMITS_MAX) return;
    this.commits = this.commits.slice(this.first);
    this.first = 0;
  }

  /** Their ids say nothing any more: what follows is of another slot, perhaps of another cluster. */
  forget(): void {
    this.commits = [];
    this.first = 0;
  }

  /** Before the first of them that `snapshot` does not see; undefined when it sees them all. */
  firstUnseen(snapshot: PgSnapshot): LogPosition | undefined {
    const isVisible = visibilityOf(snapshot);
    for (let index = this.first; index < this.commits.length; index += 1) {
      const commit = this.commits[index];
      if (commit !== undefined && !isVisible(commit.xid)) return commit.after;
    }
    return undefined;
  }

  clone(): RecentCommits {
    const copy = new RecentCommits(this.logBytesMax);
    copy.commits = this.commits.slice(this.first);
    return copy;
  }

  private isFull(end: LogPosition): boolean {
    const count = this.commits.length - this.first;
    const oldest = this.commits[this.first];
    if (oldest === undefined || count === 1) return false;
    return count > RECENT_COMMITS_MAX || end - oldest.after > this.logBytesMax;
  }
}
