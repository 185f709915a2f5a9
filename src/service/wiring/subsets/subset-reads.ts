/** SubsetReads: what the api asks for, until the port has brought it. */
import { consumerOf } from '../../../actors/shape-processes.ts';
import { DRAINING } from '../../../api/draining.ts';
import type { SubsetQuery, SubsetRead, SubsetReader, SubsetSource } from '../../../api/subsets/subset-source.ts';
import type { StopSignal } from '../../../base/stop-signal.ts';
import type { LogOffset } from '../../../model/log-offset.ts';
import type { Handle } from '../../../model/shape.ts';
import type { PgSnapshot } from '../../../model/pg-snapshot.ts';
import type { ViewHolder } from '../../../shapes/held-views.ts';
import type { SubsetLanguage } from '../../../sql/subset.ts';
import type { ShapeLog } from '../../../storage/shapes/shape-logs.ts';
import type { ServiceResources } from '../../service-resources.ts';
import { GatheredRows } from './gathered-rows.ts';
import { viewsAt, type ShapeViews } from '../shape-views.ts';
import { linesOf, type LogAccess } from '../storage.ts';
import { failureOf, outcomeOf } from './subset-failures.ts';
import type { SubsetQueries } from './subset-queries.ts';
import { SubsetTarget } from './subset-target.ts';

export class SubsetReads implements SubsetSource {
  constructor(
    private readonly resources: Pick<ServiceResources, 'storage' | 'runtime' | 'language'>,
    private readonly access: LogAccess,
    private readonly queries: Pick<SubsetQueries, 'ask'>,
  ) {}

  get language(): SubsetLanguage {
    return this.resources.language;
  }

  isFollowed(handle: Handle): boolean {
    return this.resources.runtime.whereis(consumerOf(handle)) !== undefined;
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
    const reply = await this.queries.ask(target);
    if (reply?.type === 'subset.queried') gathered.complete();
    else gathered.fail(failureOf(reply));
  }

  private holdViewsAt(shapeLog: ShapeLog, views: readonly LogOffset[], held: ViewHolder): ShapeViews | undefined {
    const kept = viewsAt(this.resources.runtime, shapeLog, views);
    if (kept !== undefined) held.hold(views);
    return kept;
  }

  private isSplicing({ handle }: ShapeLog): boolean {
    const { runtime } = this.resources;
    return !this.isFollowed(handle) || runtime.refOf(consumerOf(handle))?.getSnapshot().hasTag('splicing') === true;
  }
}

/** A server that closes gives its answers to an end. */
function unlessDraining(signal: StopSignal): AbortSignal {
  const gone = new AbortController();
  const leave = (): void => {
    if (signal.reason !== DRAINING) gone.abort();
  };
  signal.addEventListener('abort', leave, { once: true });
  if (signal.aborted) leave();
  return gone.signal;
}
