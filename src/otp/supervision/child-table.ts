/**
 * ChildTable: a supervisor's children, in the order of their start, and what is to be done with them next.
 *
 * The supervisor's machine says in which phase it is; this table says which child is next, and what the end of one
 * means. A child that ends while the supervisor is busy with another must be dealt with exactly once. While a group is
 * being stopped, the end of a member is what was wanted. Every other end is kept until the supervisor is free again, as OTP
 * does by its selective receive.
 */
import type { Message, Pid, ReplyTo } from '../process.ts';
import { ChildBacklog } from './child-backlog.ts';
import { ChildPlan } from './child-plan.ts';
import {
  answer, refusal, requestsAnswered, specFrom, type ChildRequest, type RequestsAnswered, type StartChild, type SupervisorRequest,
} from './child-requests.ts';
import { keyOf, limitOf, mustRestart, newRow, type ChildRow } from './child-row.ts';
import type { ChildCounts } from './child-rows.ts';
import type { Shutdown, SupervisorSpec } from './child-spec.ts';
import { checkChildSpecs } from './child-spec-faults.ts';
import { SupervisionTable, type ChildExit, type SupervisionChange, type SupervisionNews } from './supervision-table.ts';

export type ChildChange =
  | SupervisionChange
  /** Plans all children: for the first start, and for the end. */
  | { readonly type: 'planAll' }
  | { readonly type: 'nextToStart' }
  | { readonly type: 'nextToStop' }
  | { readonly type: 'overdue' }
  | { readonly type: 'nextKept' }
  | (ChildExit & { readonly type: 'exitedWhileStarting' })
  /** The supervisor is busy: the request comes again, as news, when it is free. */
  | { readonly type: 'keepRequest'; readonly request: SupervisorRequest };

/** What the table tells its supervisor. */
export type ChildNews =
  | SupervisionNews
  | { readonly type: 'children.started' }
  | { readonly type: 'child.isStopping'; readonly process: Pid; readonly shutdown: Shutdown }
  | { readonly type: 'child.overdue'; readonly process: Pid }
  | { readonly type: 'child.stopped' }
  | (ChildExit & { readonly type: 'child.kept' })
  | { readonly type: 'restart.planned'; readonly id: string }
  | { readonly type: 'significant.ended' }
  /** A child is to be started or stopped because somebody asked for that. */
  | { readonly type: 'start.planned' | 'stop.planned'; readonly id: string }
  | SupervisorRequest;

/** The request whose child is being started or stopped. */
interface Asked {
  readonly replyTo: ReplyTo | undefined;
  /** The child is new: nothing is kept of it when it does not come up. */
  readonly isNew: boolean;
}

export class ChildTable extends SupervisionTable<ChildRow, ChildNews> {
  readonly isOrdered = true;
  private readonly spec: SupervisorSpec;
  /** How many children there have ever been. */
  private born = 0;
  private plan = new ChildPlan();
  private asked: Asked | undefined;
  private backlog = new ChildBacklog();

  constructor(spec: SupervisorSpec) {
    super(spec);
    this.spec = spec;
    for (const child of spec.children) this.add(child.id, child);
  }

  protected get strategy(): string {
    return this.spec.strategy;
  }

  override apply(change: ChildChange): ChildNews | undefined {
    switch (change.type) {
      case 'planAll':
        return this.planAll();
      case 'nextToStart':
        return this.nextToStart();
      case 'nextToStop':
        return this.nextToStop();
      case 'overdue':
        return this.overdue();
      case 'nextKept':
        return this.rest();
      case 'exitedWhileStarting':
        return this.exitedWhileStarting(change);
      case 'keepRequest':
        return this.backlog.keepRequest(change.request);
      default:
        return super.apply(change);
    }
  }

  get isAskedToStart(): boolean {
    return this.asked !== undefined;
  }

  /** `active` counts the living: a child whose end is still under way has a process for its supervisor, but does not live. */
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
    copy.intensity = this.intensity.clone();
    return copy;
  }

  key(): string {
    return JSON.stringify([Array.from(this.rows.all(), keyOf), this.plan.key(), this.asked, this.backlog.key(), this.intensity.key()]);
  }

  private add(id: string, spec: ChildRow['spec']): ChildRow {
    this.born += 1;
    return this.rows.add(newRow(id, this.born, spec));
  }

  /** Whoever waits for an answer gets none at the supervisor's end, which fails their call. */
  private planAll(): undefined {
    this.asked = undefined;
    this.plan = new ChildPlan(this.rows.all());
  }

  private nextToStart(): ChildNews {
    const row = this.plan.nextToStart();
    return row === undefined ? { type: 'children.started' } : { type: 'child.due', id: row.id };
  }

  /** The supervisor is free: what was planned is over, and what was kept comes next. */
  private rest(): ChildNews | undefined {
    this.plan = new ChildPlan();
    return this.backlog.next();
  }

  protected started(row: ChildRow, pid: Pid): ChildNews | undefined {
    if (row !== this.plan.awaited) return undefined;
    row.status = 'up';
    return this.settle({ type: 'child.started', id: row.id, pid }) ?? this.nextToStart();
  }

  protected ignored(row: ChildRow): ChildNews | undefined {
    if (row !== this.plan.awaited) return undefined;
    this.rows.markDown(row);
    if (row.spec.restart === 'temporary') this.rows.forget(row);
    return this.settle({ type: 'child.ignored', id: row.id }) ?? this.nextToStart();
  }

  private nextToStop(): ChildNews {
    for (let row = this.plan.nextToStop(); row !== undefined; row = this.plan.nextToStop()) {
      if (row.pid === undefined) continue;
      if (!this.backlog.takeExit(row.pid)) {
        // A child that is stopping was told so, and may not know what to do with a second order.
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
    return refused ?? this.noteFailed(row, { process, reason });
  }

  protected exitedWhileStopping(row: ChildRow, exit: ChildExit): ChildNews | undefined {
    if (!this.plan.has(row)) return this.backlog.keepExit(exit);
    this.rows.markDown(row);
    return row === this.plan.awaited ? { type: 'child.stopped' } : undefined;
  }

  protected exited(row: ChildRow, { reason }: ChildExit, nowMs: number): ChildNews | undefined {
    this.rows.markDown(row);
    if (mustRestart(row.spec, reason)) return this.admit(row, nowMs);
    if (row.spec.restart === 'temporary') this.rows.forget(row);
    return this.endsSupervisor(row) ? { type: 'significant.ended' } : undefined;
  }

  protected override next(): ChildNews | undefined {
    return this.backlog.next();
  }

  protected restart(row: ChildRow): ChildNews | undefined {
    const group = this.groupOf(row);
    // A try of a restart that is still due must not start a member of the group before those that it depends on.
    for (const member of group) if (member.pid === undefined) member.status = 'down';
    this.plan = new ChildPlan(group);
    return { type: 'restart.planned', id: row.id };
  }

  /** Those who are started over together with `row`. */
  private groupOf(row: ChildRow): readonly ChildRow[] {
    const { strategy } = this.spec;
    if (strategy === 'one_for_one') return [row];
    return [...this.rows.all()].filter(({ order }) => strategy === 'one_for_all' || order >= row.order);
  }

  private endsSupervisor({ spec }: ChildRow): boolean {
    const { autoShutdown = 'never' } = this.spec;
    if (spec.significant !== true || autoShutdown === 'never') return false;
    if (autoShutdown === 'any_significant') return true;
    return ![...this.rows.all()].some((row) => row.spec.significant === true && row.status !== 'down');
  }

  protected startChild(request: StartChild): ChildNews | undefined {
    const { replyTo } = request;
    const made = specFrom(this.spec.templates ?? {}, request, (spec) => checkChildSpecs([spec], this.spec.autoShutdown ?? 'never'));
    if ('refusal' in made) return this.told(refusal(replyTo, undefined, made.refusal));
    const { id } = made.spec;
    const holder = this.rows.ofId(id);
    if (holder?.pid !== undefined) return this.told(refusal(replyTo, id, 'already_started', holder.pid));
    if (holder !== undefined) return this.told(refusal(replyTo, id, 'already_present'));
    return this.planOne('start.planned', this.add(id, made.spec), { replyTo, isNew: true });
  }

  protected administer(row: ChildRow, { type, replyTo }: ChildRequest): ChildNews | undefined {
    const { id, pid } = row;
    if (type === 'terminateChild') {
      // A try of its restart that is under way is out of date now.
      if (pid === undefined) row.status = 'down';
      return this.planOne('stop.planned', row, { replyTo, isNew: false });
    }
    if (pid !== undefined) return this.told(refusal(replyTo, id, 'running'));
    if (row.status === 'restarting') return this.told(refusal(replyTo, id, 'restarting'));
    if (type === 'restartChild') return this.planOne('start.planned', row, { replyTo, isNew: false });
    this.rows.forget(row);
    return this.told(answer(replyTo, { type: 'child.deleted', id }));
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
