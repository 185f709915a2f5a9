/**
 * DynamicChildTable: the children of a dynamic supervisor, found by id and by pid; nothing costs more with more children.
 *
 * What must never go wrong: whoever asked for a child is answered exactly once, with its pid or with why there is none.
 */
import {
  answer, description, refusal, requestsAnswered, specFrom, type Answer, type ChildRequest, type RequestsAnswered, type StartChild,
} from './child-requests.ts';
import { keyOf, limitOf, MAX_RESTARTS, MAX_SECONDS, mustRestart, type ChildRow } from './child-row.ts';
import { ChildRows, type ChildCounts, type Spawned } from './child-rows.ts';
import type { DynamicChildSpec, DynamicSupervisorSpec, Shutdown } from './child-spec.ts';
import { dynamicChildFault } from './child-spec-faults.ts';
import type { Address, ExitReason, Pid, ReplyTo, Table } from '../process.ts';
import { admitRestart, type RestartMark } from './restart-intensity.ts';

export interface DynamicChildRow extends ChildRow {
  /** While it is being restarted: the process by which it is still known, the last that was up. */
  formerPid: Pid | undefined;
  /** Who waits for its start. */
  starter: ReplyTo | undefined;
  /** Who waits for its end. */
  stopper: ReplyTo | undefined;
}

/** One literal, so that all rows have one shape: of shapes by themselves there would soon be more than of rows. */
function newDynamicRow(id: string, order: number, spec: DynamicChildSpec, starter: ReplyTo | undefined): DynamicChildRow {
  const isSupervisor = spec.type === 'supervisor';
  return { id, order, spec, status: 'starting', pid: undefined, failedPid: undefined, spawned: 0, isSupervisor, formerPid: undefined, starter, stopper: undefined };
}

export type DynamicChildChange =
  | (Spawned & { readonly type: 'spawned' })
  | { readonly type: 'started'; readonly process: Pid }
  | { readonly type: 'ignored'; readonly process: Pid }
  | { readonly type: 'exited'; readonly process: Address; readonly reason: ExitReason; readonly nowMs: number }
  | { readonly type: 'exitedWhileStopping'; readonly process: Address }
  | { readonly type: 'retry'; readonly id: string; readonly process: Address; readonly nowMs: number }
  | StartChild
  | ChildRequest;

export type DynamicChildNews =
  | { readonly type: 'child.due'; readonly id: string }
  | { readonly type: 'child.toStop'; readonly id: string; readonly process: Pid; readonly shutdown: Shutdown }
  | { readonly type: 'restart.failed'; readonly id: string; readonly process: Address }
  | { readonly type: 'restarts.exhausted' }
  | { readonly type: 'children.stopped' }
  | RequestsAnswered;

export class DynamicChildTable implements Table<DynamicChildChange> {
  private readonly spec: DynamicSupervisorSpec;
  private rows = new ChildRows<DynamicChildRow>();
  private readonly formers = new Map<Pid, string>();
  private marks: readonly RestartMark[] = [];
  private asked = 0;

  constructor(spec: DynamicSupervisorSpec) {
    this.spec = spec;
  }

  apply(change: DynamicChildChange): DynamicChildNews | undefined {
    switch (change.type) {
      case 'spawned':
        return void this.rows.noteSpawned(change);
      case 'started':
        return this.noteStarted(change.process);
      case 'ignored':
        return this.noteIgnored(change.process);
      case 'exited':
        return this.exited(change.process, change.reason, change.nowMs);
      case 'exitedWhileStopping':
        return this.exitedWhileStopping(change.process);
      case 'retry':
        return this.retry(change.id, change.process, change.nowMs);
      case 'startChild':
        return this.startChild(change);
      default:
        return this.answerAbout(change);
    }
  }

  /** They are shown as they began: an order of its own would cost each more than all else that is kept of it. */
  readonly isOrdered = false;

  row(id: string): DynamicChildRow | undefined {
    return this.rows.ofId(id);
  }

  all(): Iterable<DynamicChildRow> {
    return this.rows.all();
  }

  counts(): ChildCounts {
    return this.rows.counts();
  }

  clone(): DynamicChildTable {
    const copy = new DynamicChildTable(this.spec);
    copy.rows = this.rows.clone();
    for (const [pid, id] of this.formers) copy.formers.set(pid, id);
    copy.marks = this.marks;
    copy.asked = this.asked;
    return copy;
  }

  key(): string {
    return JSON.stringify([Array.from(this.rows.all(), keyOf), this.marks, this.asked]);
  }

  private startChild(request: StartChild): DynamicChildNews | undefined {
    const { template, replyTo } = request;
    const { templates, extraArgs, maxChildren = Infinity } = this.spec;
    const made = specFrom(templates, { ...request, args: { ...extraArgs, ...request.args } }, dynamicChildFault);
    if ('refusal' in made) return told(refusal(replyTo, undefined, made.refusal));
    this.asked += 1;
    const id = made.spec.id ?? this.freeId(template);
    const holder = this.rows.ofId(id);
    if (holder !== undefined) return told(refusal(replyTo, id, 'already_started', holder.pid));
    if (this.rows.size >= maxChildren) return told(refusal(replyTo, id, 'max_children'));
    this.rows.add(newDynamicRow(id, this.asked, made.spec, replyTo));
    return { type: 'child.due', id };
  }

  /** Somebody may have asked for a child of just that id. */
  private freeId(template: string): string {
    while (this.rows.ofId(`${template}-${this.asked}`) !== undefined) this.asked += 1;
    return `${template}-${this.asked}`;
  }

  private noteStarted(process: Pid): DynamicChildNews | undefined {
    const row = this.rows.ofPid(process);
    if (row?.status !== 'starting') return undefined;
    row.status = 'up';
    this.forgetFormer(row);
    return told(takeStarter(row, (to) => answer(to, { type: 'child.started', id: row.id, pid: process })));
  }

  /** Nothing is kept of it; one that has been told to stop meanwhile has an end that somebody waits for. */
  private noteIgnored(process: Pid): DynamicChildNews | undefined {
    const row = this.rows.ofPid(process);
    if (row === undefined) return undefined;
    if (row.status === 'starting') this.forget(row);
    return told(takeStarter(row, (to) => answer(to, { type: 'child.ignored', id: row.id })));
  }

  private exited(process: Address, reason: ExitReason, nowMs: number): DynamicChildNews | undefined {
    const row = this.rows.ofPid(process);
    if (row === undefined) return undefined;
    const { id, pid, status, spawned, stopper } = row;
    this.rows.markDown(row);
    if (status === 'starting' && spawned > 1) {
      row.status = 'restarting';
      row.failedPid = process;
      return { type: 'restart.failed', id, process };
    }
    if (status === 'up' && mustRestart(row.spec, reason)) {
      this.knowBy(row, pid);
      return this.admit(row, nowMs);
    }
    this.forget(row);
    return told(takeStarter(row, (to) => refusal(to, id, reason)), answer(stopper, { type: 'child.terminated', id }));
  }

  private exitedWhileStopping(process: Address): DynamicChildNews | undefined {
    const row = this.rows.ofPid(process);
    if (row === undefined) return undefined;
    this.forget(row);
    return this.rows.activeCount === 0 ? { type: 'children.stopped' } : undefined;
  }

  /** A try that is out of date, because the child was stopped meanwhile, changes nothing. */
  private retry(id: string, process: Address, nowMs: number): DynamicChildNews | undefined {
    const row = this.rows.ofId(id);
    return row?.status === 'restarting' && row.failedPid === process ? this.admit(row, nowMs) : undefined;
  }

  private admit(row: DynamicChildRow, nowMs: number): DynamicChildNews {
    const { maxRestarts = MAX_RESTARTS, maxSeconds = MAX_SECONDS } = this.spec;
    const marks = admitRestart({ maxRestarts, maxSeconds, marks: this.marks }, nowMs);
    if (marks === undefined) return { type: 'restarts.exhausted' };
    this.marks = marks;
    row.status = 'restarting';
    return { type: 'child.due', id: row.id };
  }

  private answerAbout({ type, id, pid, replyTo }: ChildRequest): DynamicChildNews | undefined {
    if (type === 'restartChild' || type === 'deleteChild') return told(refusal(replyTo, id, 'dynamic'));
    const row = id === undefined ? this.ofPid(pid) : this.rows.ofId(id);
    if (row === undefined) return told(refusal(replyTo, id, 'not_found'));
    return type === 'terminateChild' ? this.terminate(row, replyTo) : told(description(replyTo, type, row));
  }

  /** One that is on its way out is as good as gone. */
  private terminate(row: DynamicChildRow, replyTo: ReplyTo | undefined): DynamicChildNews | undefined {
    const { id, pid, status } = row;
    if (status === 'stopping') return told(refusal(replyTo, id, 'not_found'));
    if (pid === undefined) {
      this.forget(row);
      return told(answer(replyTo, { type: 'child.terminated', id }));
    }
    row.status = 'stopping';
    row.stopper = replyTo;
    return { type: 'child.toStop', id, process: pid, shutdown: limitOf(row) };
  }

  private ofPid(pid: Pid | undefined): DynamicChildRow | undefined {
    if (pid === undefined) return undefined;
    return this.rows.ofPid(pid) ?? this.rows.ofId(this.formers.get(pid) ?? '');
  }

  private knowBy(row: DynamicChildRow, formerPid: Pid | undefined): void {
    row.formerPid = formerPid;
    if (formerPid !== undefined) this.formers.set(formerPid, row.id);
  }

  private forgetFormer(row: DynamicChildRow): void {
    if (row.formerPid !== undefined) this.formers.delete(row.formerPid);
    row.formerPid = undefined;
  }

  private forget(row: DynamicChildRow): void {
    this.forgetFormer(row);
    this.rows.forget(row);
  }
}

/** Whoever waits for the start is told once. */
function takeStarter(row: DynamicChildRow, answerTo: (to: ReplyTo) => readonly Answer[]): readonly Answer[] {
  const { starter } = row;
  row.starter = undefined;
  return starter === undefined ? [] : answerTo(starter);
}

/** Without an answer to give there is nothing to tell. */
function told(...answers: readonly (readonly Answer[])[]): RequestsAnswered | undefined {
  const news = requestsAnswered(...answers);
  return news.answers.length === 0 ? undefined : news;
}
