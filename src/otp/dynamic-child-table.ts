/**
 * DynamicChildTable: the children of a dynamic supervisor, found by id and by pid; nothing costs more with more children.
 *
 * What must never go wrong: whoever asked for a child is answered exactly once, with its pid or with why there is none.
 */
import type { ChildSpec, DynamicSupervisorSpec } from './child-spec.ts';
import { MAX_RESTARTS, MAX_SECONDS, mustRestart, SHUTDOWN_MS } from './child-table.ts';
import { crash } from './error-report.ts';
import type { Address, ExitReason, Message, Pid, ReplyTo, Table } from './process.ts';
import { admitRestart } from './restart-intensity.ts';

export interface DynamicChildRow {
  readonly id: string;
  readonly spec: Omit<ChildSpec, 'id'>;
  /** Place in the order of asking. */
  readonly order: number;
  status: 'starting' | 'up' | 'stopping' | 'restarting';
  pid: Pid | undefined;
  spawned: number;
  isSupervisor: boolean;
  /** Who waits for its start. */
  starter: ReplyTo | undefined;
  /** Who waits for its end. */
  stopper: ReplyTo | undefined;
}

export type DynamicChildChange =
  | { readonly type: 'start'; readonly template: string; readonly args: Message; readonly replyTo?: ReplyTo | undefined }
  | { readonly type: 'spawned'; readonly id: string; readonly process: Pid; readonly isSupervisor: boolean }
  | { readonly type: 'started'; readonly process: Address }
  | { readonly type: 'exited'; readonly process: Address; readonly reason: ExitReason; readonly nowMs: number }
  | { readonly type: 'exitedWhileStopping'; readonly process: Address }
  | { readonly type: 'retry'; readonly id: string; readonly nowMs: number }
  | { readonly type: 'terminate'; readonly pid?: Pid | undefined; readonly id?: string | undefined; readonly replyTo?: ReplyTo | undefined };

export type DynamicChildNews =
  | { readonly type: 'child.due'; readonly id: string }
  | { readonly type: 'requests.answered'; readonly answers: readonly Answer[] }
  | { readonly type: 'child.toStop'; readonly id: string; readonly process: Pid; readonly shutdown: number | 'infinity' | 'brutal_kill' }
  | { readonly type: 'restart.failed'; readonly id: string }
  | { readonly type: 'restarts.exhausted' }
  | { readonly type: 'children.stopped' };

export interface Answer {
  readonly to: ReplyTo;
  readonly event: Message;
}

/** Why no child was started. */
type Refusal = 'unknown_template' | 'max_children' | 'already_started' | 'not_found' | ExitReason;

export class DynamicChildTable implements Table<DynamicChildChange> {
  private readonly spec: DynamicSupervisorSpec;
  private readonly rows = new Map<string, DynamicChildRow>();
  private readonly byPid = new Map<Address, DynamicChildRow>();
  private marks: readonly number[] = [];
  private asked = 0;

  constructor(spec: DynamicSupervisorSpec) {
    this.spec = spec;
  }

  apply(change: DynamicChildChange): DynamicChildNews | undefined {
    switch (change.type) {
      case 'start':
        return this.start(change.template, change.args, change.replyTo);
      case 'spawned':
        return this.noteSpawned(change);
      case 'started':
        return this.noteStarted(change.process);
      case 'exited':
        return this.exited(change.process, change.reason, change.nowMs);
      case 'exitedWhileStopping':
        return this.exitedWhileStopping(change.process);
      case 'retry':
        return this.retry(change.id, change.nowMs);
      case 'terminate':
        return this.terminate(change);
    }
  }

  row(id: string): DynamicChildRow | undefined {
    return this.rows.get(id);
  }

  orderOf(id: string): number {
    return this.rows.get(id)?.order ?? 0;
  }

  all(): Iterable<DynamicChildRow> {
    return this.rows.values();
  }

  clone(): DynamicChildTable {
    const copy = new DynamicChildTable(this.spec);
    for (const [id, row] of this.rows) {
      const rowCopy = { ...row };
      copy.rows.set(id, rowCopy);
      if (row.pid !== undefined) copy.byPid.set(row.pid, rowCopy);
    }
    copy.marks = this.marks;
    copy.asked = this.asked;
    return copy;
  }

  key(): string {
    const rows = [...this.rows.values()].map(({ id, status, pid, starter, stopper }) => [id, status, pid, starter, stopper]);
    return JSON.stringify([rows, this.marks, this.asked]);
  }

  private start(template: string, args: Message, starter: ReplyTo | undefined): DynamicChildNews | undefined {
    const make = this.spec.templates[template];
    if (make === undefined) return answers(refusal(starter, undefined, 'unknown_template'));
    let spec;
    try {
      spec = make(args);
    } catch (thrown) {
      return answers(refusal(starter, undefined, crash(thrown)));
    }
    this.asked += 1;
    const id = spec.id ?? `${template}-${this.asked}`;
    const holder = this.rows.get(id);
    if (holder !== undefined) return answers(refusal(starter, id, 'already_started', holder.pid));
    if (this.rows.size >= (this.spec.maxChildren ?? Infinity)) return answers(refusal(starter, id, 'max_children'));
    const order = this.asked;
    this.rows.set(id, { id, spec, order, status: 'starting', pid: undefined, spawned: 0, isSupervisor: false, starter, stopper: undefined });
    return { type: 'child.due', id };
  }

  private noteSpawned({ id, process, isSupervisor }: DynamicChildChange & { type: 'spawned' }): undefined {
    const row = this.rows.get(id);
    if (row === undefined) return;
    row.status = 'starting';
    row.pid = process;
    row.spawned += 1;
    row.isSupervisor = isSupervisor;
    this.byPid.set(process, row);
  }

  private noteStarted(process: Address): DynamicChildNews | undefined {
    const row = this.byPid.get(process);
    if (row?.status !== 'starting') return undefined;
    row.status = 'up';
    const { id, starter } = row;
    row.starter = undefined;
    return answers(answer(starter, { type: 'child.started', id, pid: process }));
  }

  private exited(process: Address, reason: ExitReason, nowMs: number): DynamicChildNews | undefined {
    const row = this.byPid.get(process);
    if (row === undefined) return undefined;
    this.byPid.delete(process);
    row.pid = undefined;
    if (row.status === 'starting' && row.spawned > 1) {
      row.status = 'restarting';
      return { type: 'restart.failed', id: row.id };
    }
    if (row.status === 'up' && mustRestart(row.spec, reason)) return this.admit(row, nowMs);
    this.rows.delete(row.id);
    return answers(refusal(row.starter, row.id, reason), answer(row.stopper, { type: 'child.terminated', id: row.id }));
  }

  private exitedWhileStopping(process: Address): DynamicChildNews | undefined {
    const row = this.byPid.get(process);
    if (row === undefined) return undefined;
    this.byPid.delete(process);
    this.rows.delete(row.id);
    return this.byPid.size === 0 ? { type: 'children.stopped' } : undefined;
  }

  private retry(id: string, nowMs: number): DynamicChildNews | undefined {
    const row = this.rows.get(id);
    return row?.status === 'restarting' ? this.admit(row, nowMs) : undefined;
  }

  private admit(row: DynamicChildRow, nowMs: number): DynamicChildNews {
    const { maxRestarts = MAX_RESTARTS, maxSeconds = MAX_SECONDS } = this.spec;
    const marks = admitRestart({ maxRestarts, maxSeconds, marks: this.marks }, nowMs);
    if (marks === undefined) return { type: 'restarts.exhausted' };
    this.marks = marks;
    row.status = 'restarting';
    return { type: 'child.due', id: row.id };
  }

  private terminate({ pid, id, replyTo }: DynamicChildChange & { type: 'terminate' }): DynamicChildNews | undefined {
    const row = id === undefined ? pid && this.byPid.get(pid) : this.rows.get(id);
    if (!row || row.status === 'stopping') return answers(refusal(replyTo, id, 'not_found'));
    if (row.pid === undefined) {
      this.rows.delete(row.id);
      return answers(answer(replyTo, { type: 'child.terminated', id: row.id }));
    }
    row.status = 'stopping';
    row.stopper = replyTo;
    return { type: 'child.toStop', id: row.id, process: row.pid, shutdown: limitOf(row) };
  }
}

/** How long a child may take to stop. */
export function limitOf({ spec, isSupervisor }: DynamicChildRow): number | 'infinity' | 'brutal_kill' {
  return spec.shutdown ?? (isSupervisor ? 'infinity' : SHUTDOWN_MS);
}

function answer(to: ReplyTo | undefined, event: Message): readonly Answer[] {
  return to === undefined ? [] : [{ to, event }];
}

function refusal(to: ReplyTo | undefined, id: string | undefined, reason: Refusal, pid?: Pid): readonly Answer[] {
  return answer(to, { type: 'child.refused', ...(id === undefined ? {} : { id }), reason, ...(pid === undefined ? {} : { pid }) });
}

function answers(...all: readonly (readonly Answer[])[]): DynamicChildNews | undefined {
  const given = all.flat();
  return given.length === 0 ? undefined : { type: 'requests.answered', answers: given };
}
