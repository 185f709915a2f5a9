/**
 * ChildTable: a supervisor's children, in the order of their start, and what is to be done with them next.
 *
 * The supervisor's machine says in which phase it is; this table says which child is next, and what the end of one
 * means. What must never go wrong: the end of a sibling that happens while the supervisor is busy with another must be
 * handled exactly once. While a group is being stopped, the end of one of the group is what was wanted; every other end is
 * kept until the supervisor is free again. That is what OTP's selective receive does.
 */
import type { ChildSpec, SupervisorSpec } from './child-spec.ts';
import { isFault, type Address, type ExitReason, type Pid, type Table } from './process.ts';
import { admitRestart } from './restart-intensity.ts';

export const MAX_RESTARTS = 3;
export const MAX_SECONDS = 5;
export const SHUTDOWN_MS = 5_000;

export type ChildStatus =
  | 'down' // Not running, and nobody is about to change that.
  | 'starting' // Spawned, not yet acknowledged.
  | 'up'
  | 'stopping' // Told to stop.
  | 'restarting'; // Its restart failed; it will be tried again.

export interface ChildRow {
  readonly id: string;
  /** Place in the order of start. */
  readonly order: number;
  readonly spec: ChildSpec;
  status: ChildStatus;
  pid: Pid | undefined;
  /** How often it has been spawned. */
  spawned: number;
  isSupervisor: boolean;
}

export type ChildChange =
  /** Everybody: for the first start, and for the end. */
  | { readonly type: 'planAll' }
  | { readonly type: 'nextToStart' }
  | { readonly type: 'spawned'; readonly id: string; readonly process: Pid; readonly isSupervisor: boolean }
  | { readonly type: 'started'; readonly process: Pid }
  | { readonly type: 'nextToStop' }
  | { readonly type: 'overdue' }
  | { readonly type: 'nextKept' }
  | { readonly type: 'exitedWhileStarting'; readonly process: Address; readonly reason: ExitReason }
  | { readonly type: 'exitedWhileStopping'; readonly process: Address; readonly reason: ExitReason }
  | { readonly type: 'exited'; readonly process: Address; readonly reason: ExitReason; readonly nowMs: number }
  | { readonly type: 'retry'; readonly id: string; readonly nowMs: number };

/** What the table tells its supervisor. */
export type ChildNews =
  | { readonly type: 'child.due'; readonly id: string }
  | { readonly type: 'children.started' }
  | { readonly type: 'start.failed'; readonly id: string; readonly reason: ExitReason }
  | { readonly type: 'child.toStop'; readonly process: Pid; readonly shutdown: number | 'infinity' | 'brutal_kill' }
  | { readonly type: 'child.overdue'; readonly process: Pid }
  | { readonly type: 'child.stopped' }
  | { readonly type: 'children.stopped' }
  | { readonly type: 'child.kept'; readonly process: Address; readonly reason: ExitReason }
  | { readonly type: 'restart.planned'; readonly id: string }
  | { readonly type: 'restarts.exhausted' }
  | { readonly type: 'significant.ended' };

interface KeptExit {
  readonly process: Address;
  readonly reason: ExitReason;
}

export class ChildTable implements Table<ChildChange> {
  private readonly spec: SupervisorSpec;
  private rows: ChildRow[];
  private readonly byId: Map<string, ChildRow>;
  private readonly byPid = new Map<Address, ChildRow>();
  /** The children of the plan in hand, in order of start. */
  private plan: ChildRow[] = [];
  /** Rows of the plan before this one have been seen to, in the direction of the plan. */
  private seen = 0;
  /** The child that the supervisor is waiting for. */
  private awaited: ChildRow | undefined;
  private kept: KeptExit[] = [];
  private marks: readonly number[] = [];

  constructor(spec: SupervisorSpec) {
    this.spec = spec;
    this.rows = spec.children.map((child, order) => ({ id: child.id, order, spec: child, status: 'down', pid: undefined, spawned: 0, isSupervisor: false }));
    this.byId = new Map(this.rows.map((row) => [row.id, row]));
  }

  apply(change: ChildChange): ChildNews | undefined {
    switch (change.type) {
      case 'planAll':
        return this.planFor(this.rows);
      case 'nextToStart':
        return this.nextToStart();
      case 'spawned':
        return this.noteSpawned(change);
      case 'started':
        return this.noteStarted(change.process);
      case 'nextToStop':
        return this.nextToStop();
      case 'overdue':
        return this.awaited?.pid === undefined ? undefined : { type: 'child.overdue', process: this.awaited.pid };
      case 'nextKept':
        return this.nextKept();
      case 'exitedWhileStarting':
        return this.exitedWhileStarting(change);
      case 'exitedWhileStopping':
        return this.exitedWhileStopping(change);
      case 'exited':
        return this.exited(change, change.nowMs);
      case 'retry':
        return this.retry(change.id, change.nowMs);
    }
  }

  row(id: string): ChildRow | undefined {
    return this.byId.get(id);
  }

  orderOf(id: string): number {
    return this.byId.get(id)?.order ?? 0;
  }

  all(): readonly ChildRow[] {
    return this.rows;
  }

  clone(): ChildTable {
    const copy = new ChildTable(this.spec);
    const rowCopies = new Map(this.rows.map((row) => [row, { ...row }]));
    const copyOf = (row: ChildRow): ChildRow => rowCopies.get(row) ?? { ...row };
    copy.rows = this.rows.map(copyOf);
    copy.byId.clear();
    for (const row of copy.rows) copy.byId.set(row.id, row);
    for (const [pid, row] of this.byPid) copy.byPid.set(pid, copyOf(row));
    copy.plan = this.plan.map(copyOf);
    copy.seen = this.seen;
    copy.awaited = this.awaited === undefined ? undefined : copyOf(this.awaited);
    copy.kept = [...this.kept];
    copy.marks = this.marks;
    return copy;
  }

  key(): string {
    const rows = this.rows.map(({ id, status, pid }) => [id, status, pid]);
    const plan = this.plan.map(({ id }) => id);
    return JSON.stringify([rows, plan, this.seen, this.awaited?.id, this.kept, this.marks]);
  }

  private planFor(rows: readonly ChildRow[]): undefined {
    this.plan = [...rows];
    this.seen = 0;
    this.awaited = undefined;
  }

  private nextToStart(): ChildNews {
    while (this.seen < this.plan.length) {
      const row = this.plan[this.seen];
      this.seen += 1;
      if (row === undefined || row.pid !== undefined) continue;
      this.awaited = row;
      return { type: 'child.due', id: row.id };
    }
    this.planFor([]);
    return { type: 'children.started' };
  }

  private noteSpawned({ id, process, isSupervisor }: { readonly id: string; readonly process: Pid; readonly isSupervisor: boolean }): undefined {
    const row = this.row(id);
    if (row === undefined) return;
    row.status = 'starting';
    row.pid = process;
    row.spawned += 1;
    row.isSupervisor = isSupervisor;
    this.byPid.set(process, row);
  }

  private noteStarted(process: Pid): ChildNews | undefined {
    const row = this.byPid.get(process);
    if (row?.status !== 'starting') return undefined;
    row.status = 'up';
    return row === this.awaited ? this.nextToStart() : undefined;
  }

  private nextToStop(): ChildNews {
    while (this.seen < this.plan.length) {
      const row = this.plan[this.plan.length - 1 - this.seen];
      this.seen += 1;
      if (row?.pid === undefined) continue;
      if (this.takeKept(row.pid)) {
        this.markDown(row);
        continue;
      }
      row.status = 'stopping';
      this.awaited = row;
      return { type: 'child.toStop', process: row.pid, shutdown: shutdownOf(row) };
    }
    // Temporary children that the plan has ended do not come back, and their specifications go with them.
    const ended = new Set(this.plan.filter((row) => row.spec.restart === 'temporary'));
    if (ended.size > 0) this.forget(ended);
    this.planFor(this.plan.filter((row) => !ended.has(row)));
    return { type: 'children.stopped' };
  }

  private exitedWhileStarting({ process, reason }: KeptExit): ChildNews | undefined {
    const row = this.byPid.get(process);
    if (row === undefined) return undefined;
    if (row !== this.awaited) return this.keep({ process, reason });
    this.markDown(row);
    row.status = 'restarting';
    this.planFor([]);
    return { type: 'start.failed', id: row.id, reason };
  }

  private exitedWhileStopping({ process, reason }: KeptExit): ChildNews | undefined {
    const row = this.byPid.get(process);
    if (row === undefined) return undefined;
    if (!this.plan.includes(row)) return this.keep({ process, reason });
    this.markDown(row);
    return row === this.awaited ? { type: 'child.stopped' } : undefined;
  }

  private exited({ process, reason }: KeptExit, nowMs: number): ChildNews | undefined {
    const row = this.byPid.get(process);
    if (row === undefined) return this.nextKept();
    this.markDown(row);
    if (mustRestart(row.spec, reason)) return this.admit(row, nowMs);
    if (row.spec.restart === 'temporary') this.forget(new Set([row]));
    return this.endsSupervisor(row) ? { type: 'significant.ended' } : this.nextKept();
  }

  /** A stale retry, of a child that a group restart has brought up meanwhile, changes nothing. */
  private retry(id: string, nowMs: number): ChildNews | undefined {
    const row = this.row(id);
    return row?.status === 'restarting' ? this.admit(row, nowMs) : undefined;
  }

  private admit(row: ChildRow, nowMs: number): ChildNews {
    const { maxRestarts = MAX_RESTARTS, maxSeconds = MAX_SECONDS, strategy } = this.spec;
    const marks = admitRestart({ maxRestarts, maxSeconds, marks: this.marks }, nowMs);
    if (marks === undefined) return { type: 'restarts.exhausted' };
    this.marks = marks;
    row.status = 'restarting';
    if (strategy === 'one_for_one') this.planFor([row]);
    else this.planFor(strategy === 'one_for_all' ? this.rows : this.rows.slice(this.rows.indexOf(row)));
    return { type: 'restart.planned', id: row.id };
  }

  private endsSupervisor({ spec }: ChildRow): boolean {
    const { autoShutdown = 'never' } = this.spec;
    if (spec.significant !== true || autoShutdown === 'never') return false;
    if (autoShutdown === 'any_significant') return true;
    return !this.rows.some((row) => row.spec.significant === true && row.status !== 'down');
  }

  private nextKept(): ChildNews | undefined {
    const next = this.kept.shift();
    return next === undefined ? undefined : { type: 'child.kept', ...next };
  }

  private keep(exit: KeptExit): undefined {
    this.kept.push(exit);
  }

  /** @returns whether `process` has ended already, unnoticed so far. */
  private takeKept(process: Pid): boolean {
    const others = this.kept.filter((exit) => exit.process !== process);
    const taken = others.length < this.kept.length;
    this.kept = others;
    return taken;
  }

  private forget(gone: ReadonlySet<ChildRow>): void {
    for (const row of gone) this.byId.delete(row.id);
    this.rows = this.rows.filter((row) => !gone.has(row));
  }

  private markDown(row: ChildRow): void {
    if (row.pid !== undefined) this.byPid.delete(row.pid);
    row.pid = undefined;
    row.status = 'down';
  }
}

/** OTP's table of restarts. */
export function mustRestart({ restart = 'permanent' }: Pick<ChildSpec, 'restart'>, reason: ExitReason): boolean {
  return restart === 'permanent' || (restart === 'transient' && isFault(reason));
}

/** A supervisor's whole subtree stops with it: no limit of its own could be right. */
function shutdownOf({ spec, isSupervisor }: ChildRow): number | 'infinity' | 'brutal_kill' {
  return spec.shutdown ?? (isSupervisor ? 'infinity' : SHUTDOWN_MS);
}
