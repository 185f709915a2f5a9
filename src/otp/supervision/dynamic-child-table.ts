/**
 * DynamicChildTable: the children of a dynamic supervisor, found by id and by pid; nothing costs more with more children.
 *
 * What must never go wrong: whoever asked for a child is answered exactly once, with its pid or with why there is none.
 */
import type { Pid, ReplyTo } from '../process.ts';
import { answer, refusal, requestsAnswered, specFrom, type RequestAnswer, type ChildRequest, type StartChild } from './child-requests.ts';
import { keyOf, limitOf, mustRestart, type ChildRow } from './child-row.ts';
import type { ChildCounts } from './child-rows.ts';
import type { DynamicChildSpec, DynamicSupervisorSpec } from './child-spec.ts';
import { dynamicChildFault } from './child-spec-faults.ts';
import { SupervisionTable, type ChildExit, type SupervisionNews } from './supervision-table.ts';

export interface DynamicChildRow extends ChildRow {
  /** While it is being restarted: its last process that was up. Requests may still name the child by that. */
  formerPid: Pid | undefined;
  /** Who waits for its start. */
  starter: ReplyTo | undefined;
  /** Who waits for its end. */
  stopper: ReplyTo | undefined;
}

/** One literal, so that all rows share one hidden class of the engine. Rows put together field by field would need many. */
function newDynamicRow(id: string, order: number, spec: DynamicChildSpec, starter: ReplyTo | undefined): DynamicChildRow {
  return {
    id, order, spec, status: 'starting', pid: undefined, failedPid: undefined, spawned: 0, isSupervisor: spec.type === 'supervisor',
    formerPid: undefined, starter, stopper: undefined,
  };
}

export class DynamicChildTable extends SupervisionTable<DynamicChildRow, SupervisionNews> {
  /** An order of its own would cost each child more than all else that is kept of it. */
  readonly isOrdered = false;
  readonly isAskedToStart = false;
  protected readonly strategy = 'dynamic';
  private readonly spec: DynamicSupervisorSpec;
  private readonly formers = new Map<Pid, string>();
  private asked = 0;

  constructor(spec: DynamicSupervisorSpec) {
    super(spec);
    this.spec = spec;
  }

  counts(): ChildCounts {
    return this.rows.counts();
  }

  clone(): DynamicChildTable {
    const copy = new DynamicChildTable(this.spec);
    copy.rows = this.rows.clone();
    for (const [pid, id] of this.formers) copy.formers.set(pid, id);
    copy.intensity = this.intensity.clone();
    copy.asked = this.asked;
    return copy;
  }

  key(): string {
    return JSON.stringify([Array.from(this.rows.all(), keyOf), this.intensity.key(), this.asked]);
  }

  protected startChild(request: StartChild): SupervisionNews | undefined {
    const { template, replyTo } = request;
    const { templates, extraArgs, maxChildren = Infinity } = this.spec;
    const made = specFrom(templates, { ...request, args: { ...extraArgs, ...request.args } }, dynamicChildFault);
    if ('refusal' in made) return this.told(refusal(replyTo, undefined, made.refusal));
    this.asked += 1;
    const id = made.spec.id ?? this.freeId(template);
    const holder = this.rows.ofId(id);
    if (holder !== undefined) return this.told(refusal(replyTo, id, 'already_started', holder.pid));
    if (this.rows.size >= maxChildren) return this.told(refusal(replyTo, id, 'max_children'));
    this.rows.add(newDynamicRow(id, this.asked, made.spec, replyTo));
    return { type: 'child.due', id };
  }

  /** Somebody may have asked for a child of just that id. */
  private freeId(template: string): string {
    while (this.rows.ofId(`${template}-${this.asked}`) !== undefined) this.asked += 1;
    return `${template}-${this.asked}`;
  }

  protected started(row: DynamicChildRow, pid: Pid): SupervisionNews | undefined {
    if (row.status !== 'starting') return undefined;
    row.status = 'up';
    this.forgetFormer(row);
    return this.told(takeStarter(row, (to) => answer(to, { type: 'child.started', id: row.id, pid })));
  }

  /** Nothing is kept of it; one that has been told to stop meanwhile has an end that somebody waits for. */
  protected ignored(row: DynamicChildRow): SupervisionNews | undefined {
    if (row.status === 'starting') this.forget(row);
    return this.told(takeStarter(row, (to) => answer(to, { type: 'child.ignored', id: row.id })));
  }

  protected exited(row: DynamicChildRow, exit: ChildExit, nowMs: number): SupervisionNews | undefined {
    const { id, pid, status, spawned, stopper } = row;
    this.rows.markDown(row);
    if (status === 'starting' && spawned > 1) return this.noteFailed(row, exit);
    if (status === 'up' && mustRestart(row.spec, exit.reason)) {
      this.knowBy(row, pid);
      return this.admit(row, nowMs);
    }
    this.forget(row);
    return this.told(takeStarter(row, (to) => refusal(to, id, exit.reason)), answer(stopper, { type: 'child.terminated', id }));
  }

  protected exitedWhileStopping(row: DynamicChildRow): SupervisionNews | undefined {
    this.forget(row);
    return this.rows.activeCount === 0 ? { type: 'children.stopped' } : undefined;
  }

  protected restart(row: DynamicChildRow): SupervisionNews {
    row.status = 'restarting';
    return { type: 'child.due', id: row.id };
  }

  protected override answerAbout(request: ChildRequest): SupervisionNews | undefined {
    const { type, id, replyTo } = request;
    if (type === 'restartChild' || type === 'deleteChild') return this.told(refusal(replyTo, id, 'dynamic'));
    return super.answerAbout(request);
  }

  /** Terminates it. One that is on its way out is as good as gone. */
  protected administer(row: DynamicChildRow, { replyTo }: ChildRequest): SupervisionNews | undefined {
    const { id, pid, status } = row;
    if (status === 'stopping') return this.told(refusal(replyTo, id, 'not_found'));
    if (pid === undefined) {
      this.forget(row);
      return this.told(answer(replyTo, { type: 'child.terminated', id }));
    }
    row.status = 'stopping';
    row.stopper = replyTo;
    return { type: 'child.toStop', process: pid, shutdown: limitOf(row) };
  }

  protected override rowOf({ id, pid }: ChildRequest): DynamicChildRow | undefined {
    if (id !== undefined) return this.rows.ofId(id);
    return pid === undefined ? undefined : (this.rows.ofPid(pid) ?? this.rows.ofId(this.formers.get(pid) ?? ''));
  }

  /** Nobody waits: there is nothing to tell. */
  protected override told(...answers: readonly (readonly RequestAnswer[])[]): SupervisionNews | undefined {
    const news = requestsAnswered(...answers);
    return news.answers.length === 0 ? undefined : news;
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
function takeStarter(row: DynamicChildRow, answerTo: (to: ReplyTo) => readonly RequestAnswer[]): readonly RequestAnswer[] {
  const { starter } = row;
  row.starter = undefined;
  return starter === undefined ? [] : answerTo(starter);
}
