/**
 * ChildTable: a supervisor's children, in the order of their start, and what is to be done with them next.
 *
 * The supervisor's machine says in which phase it is; this table says which child is next, and what the end of one
 * means. What must never go wrong: the end of a sibling that happens while the supervisor is busy with another must be
 * handled exactly once. While a group is being stopped, the end of one of the group is what was wanted; every other end is
 * kept until the supervisor is free again. That is what OTP's selective receive does.
 */
import { ChildBacklog, type ChildExit } from './child-backlog.ts';
import { ChildPlan } from './child-plan.ts';
import {
  answer, description, refusal, requestsAnswered, specFrom, type ChildRequest, type RequestsAnswered, type StartChild, type SupervisorRequest,
} from './child-requests.ts';
import { keyOf, limitOf, MAX_RESTARTS, MAX_SECONDS, mustRestart, newRow, type ChildRow } from './child-row.ts';
import { ChildRows, type ChildCounts, type Spawned } from './child-rows.ts';
import type { Shutdown, SupervisorSpec } from './child-spec.ts';
import { checkChildSpecs } from './child-spec-faults.ts';
import type { Address, ExitReason, Message, Pid, ReplyTo, Table } from '../process.ts';
import { admitRestart, type RestartMark } from './restart-intensity.ts';

export type ChildChange =
  /** Everybody: for the first start, and for the end. */
  | { readonly type: 'planAll' }
  | { readonly type: 'nextToStart' }
  | (Spawned & { readonly type: 'spawned' })
  | { readonly type: 'started'; readonly process: Pid }
  | { readonly type: 'ignored'; readonly process: Pid }
  | { readonly type: 'nextToStop' }
  | { readonly type: 'overdue' }
  | { readonly type: 'nextKept' }
  | { readonly type: 'exitedWhileStarting'; readonly process: Address; readonly reason: ExitReason }
  | { readonly type: 'exitedWhileStopping'; readonly process: Address; readonly reason: ExitReason }
  | { readonly type: 'exited'; readonly process: Address; readonly reason: ExitReason; readonly nowMs: number }
  | { readonly type: 'retry'; readonly id: string; readonly process: Address; readonly nowMs: number }
  /** While the supervisor is busy: it comes again, as news, when it is free. */
  | { readonly type: 'keepRequest'; readonly request: SupervisorRequest }
  /** Only while the supervisor is at rest: each child is up, down, or waits for another try. */
  | StartChild
  | ChildRequest;

/** What the table tells its supervisor. */
export type ChildNews =
  | { readonly type: 'child.due'; readonly id: string }
  | { readonly type: 'children.started' }
  | { readonly type: 'start.failed'; readonly id: string; readonly process: Address; readonly reason: ExitReason }
  | { readonly type: 'child.toStop' | 'child.isStopping'; readonly process: Pid; readonly shutdown: Shutdown }
  | { readonly type: 'child.overdue'; readonly process: Pid }
  | { readonly type: 'child.stopped' }
  | { readonly type: 'children.stopped' }
  | { readonly type: 'child.kept'; readonly process: Address; readonly reason: ExitReason }
  | { readonly type: 'restart.planned'; readonly id: string }
  | { readonly type: 'restarts.exhausted' }
  | { readonly type: 'significant.ended' }
  /** One child, because somebody asked for it. */
  | { readonly type: 'start.planned' | 'stop.planned'; readonly id: string }
  | RequestsAnswered
  | SupervisorRequest;

/** The request whose child is being started or stopped. */
interface Asked {
  readonly replyTo: ReplyTo | undefined;
  /** Nothing is kept of a new child that does not come up. */
  readonly isNew: boolean;
}

export class ChildTable implements Table<ChildChange> {
  private readonly spec: SupervisorSpec;
  private rows = new ChildRows();
  /** How many children there have ever been. */
  private born = 0;
  private plan = new ChildPlan();
  private asked: Asked | undefined;
  private backlog = new ChildBacklog();
  private marks: readonly RestartMark[] = [];

  constructor(spec: SupervisorSpec) {
    this.spec = spec;
    for (const child of spec.children) this.add(child.id, child);
  }

  apply(change: ChildChange): ChildNews | undefined {
    switch (change.type) {
      case 'planAll':
        return this.planAll();
      case 'nextToStart':
        return this.nextToStart();
      case 'spawned':
        return void this.rows.noteSpawned(change);
      case 'started':
        return this.noteStarted(change.process);
      case 'ignored':
        return this.noteIgnored(change.process);
      case 'nextToStop':
        return this.nextToStop();
      case 'overdue':
        return this.overdue();
      case 'nextKept':
        return this.rest();
      case 'exitedWhileStarting':
        return this.exitedWhileStarting(change);
      case 'exitedWhileStopping':
        return this.exitedWhileStopping(change);
      case 'exited':
        return this.exited(change, change.nowMs);
      case 'retry':
        return this.retry(change.id, change.process, change.nowMs);
      case 'keepRequest':
        return this.backlog.keepRequest(change.request);
      case 'startChild':
        return this.startChild(change);
      default:
        return this.answerAbout(change);
    }
  }

  /** They are shown in the order of the specification, also one that was started again. */
  readonly isOrdered = true;

  row(id: string): ChildRow | undefined {
    return this.rows.ofId(id);
  }

  all(): Iterable<ChildRow> {
    return this.rows.all();
  }

  /** A child that has died may still be thought to be there: its end is under way. */
  counts(isAlive: (process: Pid) => boolean): ChildCounts {
    const active = [...this.rows.all()].filter(({ pid }) => pid !== undefined && isAlive(pid)).length;
    return { ...this.rows.counts(), active };
  }

  clone(): ChildTable {
    const copy = new ChildTable({ ...this.spec, children: [] });
    const copyOf = (row: ChildRow): ChildRow => copy.rows.ofId(row.id) ?? { ...row };
    copy.rows = this.rows.clone();
    copy.born = this.born;
    copy.plan = this.plan.clone(copyOf);
    copy.asked = this.asked;
    copy.backlog = this.backlog.clone();
    copy.marks = this.marks;
    return copy;
  }

  key(): string {
    return JSON.stringify([Array.from(this.rows.all(), keyOf), this.plan.key(), this.asked, this.backlog.key(), this.marks]);
  }

  private add(id: string, spec: ChildRow['spec']): ChildRow {
    this.born += 1;
    return this.rows.add(newRow(id, this.born, spec));
  }

  /** Who waits for an answer learns of the supervisor's end instead. */
  private planAll(): undefined {
    this.asked = undefined;
    this.plan = new ChildPlan(this.rows.all());
  }

  private nextToStart(): ChildNews {
    const row = this.plan.nextToStart();
    return row === undefined ? { type: 'children.started' } : { type: 'child.due', id: row.id };
  }

  /** Whatever was planned is over. */
  private rest(): ChildNews | undefined {
    this.plan = new ChildPlan();
    return this.backlog.next();
  }

  private noteStarted(process: Pid): ChildNews | undefined {
    const row = this.plan.awaited;
    if (row?.pid !== process) return undefined;
    row.status = 'up';
    return this.settle({ type: 'child.started', id: row.id, pid: process }) ?? this.nextToStart();
  }

  /** It was there, and is not needed: its end, which follows, is no news. */
  private noteIgnored(process: Pid): ChildNews | undefined {
    const row = this.plan.awaited;
    if (row?.pid !== process) return undefined;
    this.rows.markDown(row);
    if (row.spec.restart === 'temporary') this.rows.forget(row);
    return this.settle({ type: 'child.ignored', id: row.id }) ?? this.nextToStart();
  }

  private nextToStop(): ChildNews {
    for (let row = this.plan.nextToStop(); row !== undefined; row = this.plan.nextToStop()) {
      if (row.pid === undefined) continue;
      if (!this.backlog.takeExit(row.pid)) {
        // Who is closing already was told, and may well not know what to do with a second order.
        const type = row.status === 'stopping' ? 'child.isStopping' : 'child.toStop';
        row.status = 'stopping';
        return { type, process: row.pid, shutdown: limitOf(row) };
      }
      this.rows.markDown(row);
    }
    return this.allStopped();
  }

  /** Temporary children that the plan has ended do not come back, and their specifications go with them. */
  private allStopped(): ChildNews {
    const { rows } = this.plan;
    for (const row of rows) if (row.spec.restart === 'temporary') this.rows.forget(row);
    this.plan = new ChildPlan(rows.filter(({ spec }) => spec.restart !== 'temporary'));
    return this.settle({ type: 'child.terminated', id: rows[0]?.id }) ?? { type: 'children.stopped' };
  }

  private overdue(): ChildNews | undefined {
    const process = this.plan.awaited?.pid;
    return process === undefined ? undefined : { type: 'child.overdue', process };
  }

  private exitedWhileStarting({ process, reason }: ChildExit): ChildNews | undefined {
    const row = this.rows.ofPid(process);
    if (row === undefined) return undefined;
    if (row !== this.plan.awaited) return this.backlog.keepExit({ process, reason });
    this.rows.markDown(row);
    if (this.asked?.isNew === true) this.rows.forget(row);
    const refused = this.settle({ type: 'child.refused', id: row.id, reason });
    if (refused !== undefined) return refused;
    row.status = 'restarting';
    row.failedPid = process;
    return { type: 'start.failed', id: row.id, process, reason };
  }

  private exitedWhileStopping({ process, reason }: ChildExit): ChildNews | undefined {
    const row = this.rows.ofPid(process);
    if (row === undefined) return undefined;
    if (!this.plan.has(row)) return this.backlog.keepExit({ process, reason });
    this.rows.markDown(row);
    return row === this.plan.awaited ? { type: 'child.stopped' } : undefined;
  }

  private exited({ process, reason }: ChildExit, nowMs: number): ChildNews | undefined {
    const row = this.rows.ofPid(process);
    if (row === undefined) return this.backlog.next();
    this.rows.markDown(row);
    if (mustRestart(row.spec, reason)) return this.admit(row, nowMs);
    if (row.spec.restart === 'temporary') this.rows.forget(row);
    return this.endsSupervisor(row) ? { type: 'significant.ended' } : this.backlog.next();
  }

  /** A try that is out of date, because the child came up or was stopped or deleted meanwhile, changes nothing. */
  private retry(id: string, process: Address, nowMs: number): ChildNews | undefined {
    const row = this.rows.ofId(id);
    return row?.status === 'restarting' && row.failedPid === process ? this.admit(row, nowMs) : this.backlog.next();
  }

  private admit(row: ChildRow, nowMs: number): ChildNews {
    const { maxRestarts = MAX_RESTARTS, maxSeconds = MAX_SECONDS, strategy } = this.spec;
    const marks = admitRestart({ maxRestarts, maxSeconds, marks: this.marks }, nowMs);
    if (marks === undefined) return { type: 'restarts.exhausted' };
    this.marks = marks;
    const group = strategy === 'one_for_one' ? [row] : [...this.rows.all()].filter(({ order }) => strategy === 'one_for_all' || order >= row.order);
    // Whose restart fails next may be any of them: a try of another's that is still due must not start it before those that it depends on.
    for (const member of group) if (member.pid === undefined) member.status = 'down';
    this.plan = new ChildPlan(group);
    return { type: 'restart.planned', id: row.id };
  }

  private endsSupervisor({ spec }: ChildRow): boolean {
    const { autoShutdown = 'never' } = this.spec;
    if (spec.significant !== true || autoShutdown === 'never') return false;
    if (autoShutdown === 'any_significant') return true;
    return ![...this.rows.all()].some((row) => row.spec.significant === true && row.status !== 'down');
  }

  private startChild(request: StartChild): ChildNews {
    const { replyTo } = request;
    const made = specFrom(this.spec.templates ?? {}, request, (spec) => checkChildSpecs([spec], this.spec.autoShutdown ?? 'never'));
    if ('refusal' in made) return requestsAnswered(refusal(replyTo, undefined, made.refusal));
    const { id } = made.spec;
    const holder = this.rows.ofId(id);
    if (holder?.pid !== undefined) return requestsAnswered(refusal(replyTo, id, 'already_started', holder.pid));
    if (holder !== undefined) return requestsAnswered(refusal(replyTo, id, 'already_present'));
    return this.planOne('start.planned', this.add(id, made.spec), { replyTo, isNew: true });
  }

  private answerAbout({ type, id, replyTo }: ChildRequest): ChildNews {
    const row = id === undefined ? undefined : this.rows.ofId(id);
    if (id === undefined || row === undefined) return requestsAnswered(refusal(replyTo, id, 'not_found'));
    if (type === 'getChildSpec' || type === 'whichChild') return requestsAnswered(description(replyTo, type, row));
    if (type === 'terminateChild') {
      // Another try that is under way finds nothing to do.
      if (row.pid === undefined) row.status = 'down';
      return this.planOne('stop.planned', row, { replyTo, isNew: false });
    }
    if (row.pid !== undefined) return requestsAnswered(refusal(replyTo, id, 'running'));
    if (row.status === 'restarting') return requestsAnswered(refusal(replyTo, id, 'restarting'));
    if (type === 'restartChild') return this.planOne('start.planned', row, { replyTo, isNew: false });
    this.rows.forget(row);
    return requestsAnswered(answer(replyTo, { type: 'child.deleted', id }));
  }

  private planOne(type: 'start.planned' | 'stop.planned', row: ChildRow, asked: Asked): ChildNews {
    this.plan = new ChildPlan([row]);
    this.asked = asked;
    return { type, id: row.id };
  }

  /** @returns undefined when nobody has asked for what was done. */
  private settle(event: Message): RequestsAnswered | undefined {
    if (this.asked === undefined) return undefined;
    const { replyTo } = this.asked;
    this.asked = undefined;
    return requestsAnswered(answer(replyTo, event));
  }
}
