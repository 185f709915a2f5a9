/**
 * SupervisionTable: what a supervisor of either kind knows of its children.
 *
 * The supervisor's machine says in which phase it is; its table says what an event about a child means. Here is what both
 * kinds do alike: find the child that a change is about, count restarts, know which try of a restart is out of date, and
 * answer what can be answered by looking at a child. What else a change means is particular to the kind: `ChildTable`
 * starts and stops its children one after the other, `DynamicChildTable` side by side.
 */
import type { Address, ExitReason, Message, Pid, Table } from '../process.ts';
import {
  description, refusal, requestsAnswered, type RequestAnswer, type ChildRequest, type RequestsAnswered, type StartChild,
} from './child-requests.ts';
import { mustRestart, type ChildRow } from './child-row.ts';
import { ChildRows, type ChildCounts, type Spawned } from './child-rows.ts';
import type { Shutdown } from './child-spec.ts';
import { RestartIntensity, type RestartLimits } from './restart-intensity.ts';

export type ChildExit = { readonly process: Address; readonly reason: ExitReason };

/** May lead to a restart, and restarts are counted by the time. */
export type TimedChange =
  | (ChildExit & { readonly type: 'exited' })
  /** The restart that failed in `process` is to be tried again. */
  | { readonly type: 'retry'; readonly id: string; readonly process: Address };

/** What becomes of a child's process. */
type ProcessChange =
  | { readonly type: 'started' | 'ignored'; readonly process: Pid }
  | (ChildExit & { readonly type: 'exitedWhileStopping' })
  | (ChildExit & { readonly type: 'exited'; readonly nowMs: number });

/** What becomes of a child, and what is asked about children. */
export type SupervisionChange =
  | (Spawned & { readonly type: 'spawned' })
  | ProcessChange
  | (TimedChange & { readonly nowMs: number })
  | StartChild
  | ChildRequest;

/** What a table of either kind tells its supervisor. */
export type SupervisionNews =
  | { readonly type: 'child.due'; readonly id: string }
  | (ChildExit & { readonly type: 'start.failed'; readonly id: string })
  | { readonly type: 'child.toStop'; readonly process: Pid; readonly shutdown: Shutdown }
  | { readonly type: 'children.stopped' }
  | { readonly type: 'restarts.exhausted' }
  | RequestsAnswered;

/**
 * What follows when a child ends: it is started again, if the intensity allows it; it is not; or it was told to end, and what follows
 * was decided before.
 */
export type ChildFate = 'restarted' | 'left' | 'told';

/** How a supervisor restarts, and how often it has lately. */
export interface SupervisionStanding {
  /** `dynamic` for a supervisor whose children come and go. */
  readonly strategy: string;
  readonly maxRestarts: number;
  readonly maxSeconds: number;
  /** Restarts that count at present. With more than `maxRestarts` it would give up. */
  readonly used: number;
}

type Told<News extends Message> = News | SupervisionNews | undefined;

/** @typeParam News what the kind tells besides. */
export abstract class SupervisionTable<Row extends ChildRow = ChildRow, News extends Message = Message>
  implements Table<SupervisionChange>
{
  /** Whether children are shown in the order of their specifications, and not in that of their starts. */
  abstract readonly isOrdered: boolean;
  /** The child that is due was stopped in good order, and somebody wants it back: that is no restart. */
  abstract readonly isAskedToStart: boolean;
  /** As a supervisor's specification has it; `dynamic` where it has none. */
  protected abstract readonly strategy: string;
  rows = new ChildRows<Row>();
  protected intensity: RestartIntensity;

  constructor(limits: RestartLimits) {
    this.intensity = new RestartIntensity(limits);
  }

  abstract counts(isAlive: (process: Pid) => boolean): ChildCounts;
  abstract clone(): SupervisionTable<Row, News>;
  abstract key(): string;

  /** For whoever looks on: what the end of this child would lead to, as things stand. */
  fateOf(process: Address, reason: ExitReason): ChildFate {
    const row = this.rows.ofPid(process);
    if (row === undefined || row.status === 'stopping') return 'told';
    const isRetried = row.status === 'starting' && row.spawned > 1;
    return isRetried || (row.status === 'up' && mustRestart(row.spec, reason)) ? 'restarted' : 'left';
  }

  /** For whoever looks on. */
  standing(nowMs: number): SupervisionStanding {
    return { strategy: this.strategy, ...this.intensity.standing(nowMs) };
  }

  apply(change: SupervisionChange): Told<News> {
    switch (change.type) {
      case 'spawned':
        return void this.rows.noteSpawned(change);
      case 'started':
      case 'ignored':
      case 'exitedWhileStopping':
        return this.becomes(change);
      case 'exited':
        return this.becomes(change) ?? this.next();
      case 'retry':
        return this.retry(change.id, change.process, change.nowMs);
      case 'startChild':
        return this.startChild(change);
      default:
        return this.answerAbout(change);
    }
  }

  protected abstract started(row: Row, process: Pid): Told<News>;
  /** The child was there, and is not needed. The end of its process follows, and is no news. */
  protected abstract ignored(row: Row): Told<News>;
  protected abstract exited(row: Row, exit: ChildExit, nowMs: number): Told<News>;
  protected abstract exitedWhileStopping(row: Row, exit: ChildExit): Told<News>;
  /** Another restart is admitted. */
  protected abstract restart(row: Row): Told<News>;
  protected abstract startChild(request: StartChild): Told<News>;
  /** Does what is asked, if the child's state allows it. */
  protected abstract administer(row: Row, request: ChildRequest): Told<News>;

  /** Nothing came of a change: what is next instead. */
  protected next(): Told<News> {
    return undefined;
  }

  protected told(...answers: readonly (readonly RequestAnswer[])[]): Told<News> {
    return requestsAnswered(...answers);
  }

  protected rowOf({ id }: ChildRequest): Row | undefined {
    return id === undefined ? undefined : this.rows.ofId(id);
  }

  protected answerAbout(request: ChildRequest): Told<News> {
    const { type, id, replyTo } = request;
    const row = this.rowOf(request);
    if (row === undefined) return this.told(refusal(replyTo, id, 'not_found'));
    if (type === 'getChildSpec' || type === 'whichChild') return this.told(description(replyTo, type, row));
    return this.administer(row, request);
  }

  /** The child's restart failed: another try is asked for in the name of the process that did not come up. */
  protected noteFailed(row: Row, { process, reason }: ChildExit): SupervisionNews {
    row.status = 'restarting';
    row.failedPid = process;
    return { type: 'start.failed', id: row.id, process, reason };
  }

  protected admit(row: Row, nowMs: number): Told<News> {
    return this.intensity.admit(nowMs) ? this.restart(row) : { type: 'restarts.exhausted' };
  }

  /** Changes nothing when the child came up, was stopped or was deleted meanwhile: then the try is out of date. */
  private retry(id: string, process: Address, nowMs: number): Told<News> {
    const row = this.rows.ofId(id);
    return row?.status === 'restarting' && row.failedPid === process ? this.admit(row, nowMs) : this.next();
  }

  /** Without a closure for each child: a supervisor of very many is told of all their ends. */
  private becomes(change: ProcessChange): Told<News> {
    const row = this.rows.ofPid(change.process);
    if (row === undefined) return undefined;
    if (change.type === 'exitedWhileStopping') return this.exitedWhileStopping(row, change);
    if (change.type === 'exited') return this.exited(row, change, change.nowMs);
    return change.type === 'started' ? this.started(row, change.process) : this.ignored(row);
  }
}
