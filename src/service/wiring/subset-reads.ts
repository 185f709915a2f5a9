/** SubsetReads: what the api asks for, until the port has brought it. A request goes to the port as a number; its rows come beside it. */
import { consumerOf } from '../../actors/shape-processes.ts';
import { DRAINING } from '../../api/draining.ts';
import type { SubsetQuery, SubsetRead, SubsetReader, SubsetSource } from '../../api/subsets/subset-source.ts';
import { InvariantError } from '../../base/invariant.ts';
import type { LogOffset } from '../../model/log-offset.ts';
import type { Message } from '../../otp/process.ts';
import { CallError } from '../../otp/runtime.ts';
import { DatabaseUnreachableError, worldError } from '../../postgres/connection/database-error.ts';
import { PoolTimeoutError } from '../../postgres/connection/pool.ts';
import type { SnapshotRefusal } from '../../postgres/snapshot/snapshot-error.ts';
import { subsetRefusal } from '../../postgres/snapshot/subset-error.ts';
import type { SubsetQueryTarget } from '../../postgres/snapshot/subset-query-port.ts';
import type { HeldViews } from '../../shapes/held-views.ts';
import type { SubsetLanguage } from '../../sql/subset.ts';
import type { ShapeLog } from '../../storage/shapes/shape-logs.ts';
import type { ServiceResources } from '../service-resources.ts';
import { GatheredRows } from './gathered-rows.ts';
import { viewsAt, type ShapeViews } from './shape-views.ts';
import { linesOf, type LogAccess } from './storage.ts';
import { SubsetTarget, type SubsetSeen } from './subset-target.ts';
import { tellsMoves } from './unread-moves.ts';

/** Longer than the port gives a query, its wait for a connection included. */
const ANSWER_MS_MAX = 90_000;

/** The port's refusal, on its way to the reader. */
class RefusedSubset extends Error {
  override readonly name = 'RefusedSubset';

  constructor(readonly refusal: SnapshotRefusal) {
    super(refusal.message);
  }
}

/** Those of one reader, who reads by the last that it held. */
class HeldViewsOf {
  letGo = (): void => {};

  constructor(
    private readonly views: HeldViews,
    private readonly shapeLog: ShapeLog,
  ) {}

  hold(views: readonly LogOffset[]): void {
    this.letGo();
    this.letGo = this.views.hold(this.shapeLog, views);
  }
}

export class SubsetReads implements SubsetSource {
  private readonly open = new Map<number, SubsetTarget>();
  private count = 0;

  constructor(
    private readonly resources: Pick<ServiceResources, 'storage' | 'runtime' | 'language'>,
    private readonly access: LogAccess,
  ) {}

  get language(): SubsetLanguage {
    return this.resources.language;
  }

  /** Of a request that waits. */
  target(id: number): SubsetQueryTarget | undefined {
    return this.open.get(id);
  }

  async read(reader: SubsetReader, query: SubsetQuery): Promise<SubsetRead> {
    const { storage } = this.resources;
    const shapeLog = storage.shapes.get(reader.handle);
    if (shapeLog === undefined) return { outcome: 'over' };
    const left = new AbortController();
    const gathered = new GatheredRows(() => left.abort());
    const held = new HeldViewsOf(this.access.heldViews, shapeLog);
    const of = {
      shapeLog, log: storage.log, lines: linesOf(shapeLog, this.access), where: this.access.filters.of(shapeLog.definition),
      viewsAt: (views: readonly LogOffset[]) => this.viewsAt(shapeLog, views, held),
      isSplicing: () => shapeLog.dependsOn.length > 0 && this.isSplicing(shapeLog),
    };
    const target = new SubsetTarget(of, reader, query, gathered, AbortSignal.any([left.signal, unlessDraining(reader.signal)]));
    void this.ask(target, gathered).finally(() => held.letGo());
    try {
      const rows = await gathered.begun();
      const { seen } = target;
      if (seen === undefined || storage.shapes.get(reader.handle) === undefined) return { outcome: 'over' };
      const mayLeaveOut = await this.mayLeaveOut(shapeLog, seen);
      await seen.flush();
      return { outcome: 'rows', pgSnapshot: seen.pgSnapshot, from: seen.from, mayLeaveOut, rows };
    } catch (error) {
      left.abort();
      return refused(error);
    }
  }

  private async ask(target: SubsetTarget, gathered: GatheredRows): Promise<void> {
    this.count += 1;
    const id = this.count;
    this.open.set(id, target);
    const reply = await this.answered(id);
    this.open.delete(id);
    if (reply?.type === 'subset.queried') gathered.complete();
    else gathered.fail(failureOf(reply));
  }

  /** Undefined when the port was not there, or ended. */
  private async answered(id: number): Promise<Message | undefined> {
    try {
      return await this.resources.runtime.call('@subset-queries', { type: 'querySubset', id }, ANSWER_MS_MAX);
    } catch (error) {
      if (error instanceof CallError) return undefined;
      throw error;
    }
  }

  private viewsAt(shapeLog: ShapeLog, views: readonly LogOffset[], held: HeldViewsOf): ShapeViews | undefined {
    const kept = viewsAt(this.resources.runtime, shapeLog, views);
    if (kept !== undefined) held.hold(views);
    return kept;
  }

  private isSplicing({ handle }: ShapeLog): boolean {
    const { runtime } = this.resources;
    const consumer = consumerOf(handle);
    return runtime.whereis(consumer) === undefined || runtime.refOf(consumer)?.getSnapshot().hasTag('splicing') === true;
  }

  private async mayLeaveOut({ definition }: ShapeLog, { unread, isAmidSplices }: SubsetSeen): Promise<boolean> {
    if (definition.dependencies === undefined) return true;
    // A delete that tells a move names the transaction that moved, which is none of its row's own: it must not be left out by that.
    return definition.moveOuts !== 'deletes' && !isAmidSplices && !(await tellsMoves(unread));
  }
}

function failureOf(reply: Message | undefined): Error {
  if (reply === undefined) return new DatabaseUnreachableError('the port of subset queries has ended');
  if (reply.type === 'subset.failed') return new RefusedSubset(reply['error'] as SnapshotRefusal);
  return new InvariantError(`the query of a subset ended in an error of ours: ${JSON.stringify(reply['error'])}`);
}

/** @throws what is a bug of ours. */
function refused(error: unknown): SubsetRead {
  const refusal = error instanceof RefusedSubset ? error.refusal : refusalOfWorld(error);
  const { status, code, message } = refusal;
  return status === 409 ? { outcome: 'over' } : { outcome: 'refused', status, code, message };
}

function refusalOfWorld(error: unknown): SnapshotRefusal {
  if (error instanceof PoolTimeoutError || worldError(error) !== undefined) return subsetRefusal(error);
  throw error;
}

/** A server that closes gives its answers to an end. */
function unlessDraining(signal: AbortSignal): AbortSignal {
  const gone = new AbortController();
  const leave = (): void => {
    if (signal.reason !== DRAINING) gone.abort();
  };
  signal.addEventListener('abort', leave, { once: true });
  if (signal.aborted) leave();
  return gone.signal;
}
