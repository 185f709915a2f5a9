/** SubsetReads: what the api asks for, until the port has brought it. A request goes to the port as a number; its rows come beside it. */
import { consumerOf } from '../../actors/shape-processes.ts';
import { DRAINING } from '../../api/draining.ts';
import type { SubsetQuery, SubsetRead, SubsetReader, SubsetSource } from '../../api/subsets/subset-source.ts';
import type { LogOffset } from '../../model/log-offset.ts';
import type { PgSnapshot } from '../../model/pg-snapshot.ts';
import type { Message } from '../../otp/process.ts';
import { CallError } from '../../otp/runtime.ts';
import type { SubsetQueryTarget } from '../../postgres/snapshot/subset-query-port.ts';
import type { ViewHolder } from '../../shapes/held-views.ts';
import type { SubsetLanguage } from '../../sql/subset.ts';
import type { ShapeLog } from '../../storage/shapes/shape-logs.ts';
import type { ServiceResources } from '../service-resources.ts';
import { GatheredRows } from './gathered-rows.ts';
import { viewsAt, type ShapeViews } from './shape-views.ts';
import { linesOf, type LogAccess } from './storage.ts';
import { failureOf, outcomeOf } from './subset-failures.ts';
import { SubsetTarget } from './subset-target.ts';

/** Longer than the port gives a query, its wait for a connection included. */
const ANSWER_MS_MAX = 90_000;

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
    const held = this.access.heldViews.reader(shapeLog);
    const of = {
      shapeLog, log: storage.log, lines: linesOf(shapeLog, this.access), where: this.access.filters.of(shapeLog.definition),
      holdViewsAt: (views: readonly LogOffset[]) => this.holdViewsAt(shapeLog, views, held),
      shown: (pgSnapshot: PgSnapshot) => this.access.shownSnapshots.note(shapeLog, pgSnapshot),
      isSplicing: () => shapeLog.dependsOn.length > 0 && this.isSplicing(shapeLog),
    };
    const target = new SubsetTarget(of, reader, query, gathered, AbortSignal.any([left.signal, unlessDraining(reader.signal)]));
    void this.ask(target, gathered).finally(() => held.end());
    try {
      const rows = await gathered.begun();
      const { seen } = target;
      if (seen === undefined || storage.shapes.get(reader.handle) === undefined) return { outcome: 'over' };
      const joined = await seen.joined;
      if (joined === 'never') {
        left.abort();
        return { outcome: 'moved' };
      }
      await seen.flush();
      return { outcome: 'rows', pgSnapshot: seen.pgSnapshot, from: joined.from, mayLeaveOut: joined.by === 'leavingOut', rows };
    } catch (error) {
      left.abort();
      return outcomeOf(error);
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

  private holdViewsAt(shapeLog: ShapeLog, views: readonly LogOffset[], held: ViewHolder): ShapeViews | undefined {
    const kept = viewsAt(this.resources.runtime, shapeLog, views);
    if (kept !== undefined) held.hold(views);
    return kept;
  }

  private isSplicing({ handle }: ShapeLog): boolean {
    const { runtime } = this.resources;
    const consumer = consumerOf(handle);
    return runtime.whereis(consumer) === undefined || runtime.refOf(consumer)?.getSnapshot().hasTag('splicing') === true;
  }
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
