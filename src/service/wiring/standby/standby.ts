/** The wiring of the standby: an api over the view of another instance's storage, and the few processes that it needs. */
import { CONDITIONS, STANDING_BY, statusMonitorTables, type ServiceConditions } from '../../../actors/status-monitor.ts';
import { createApi, type Api } from '../../../api/api.ts';
import { notReady } from '../../../api/refusal.ts';
import type { LockHolder } from '../../../postgres/connection/lock-holder.ts';
import type { DatabasePool } from '../../../postgres/connection/pool.ts';
import { poolPort } from '../../../postgres/connection/pool-port.ts';
import type { SeenLock } from '../../../storage/disk/directory-lock.ts';
import type { DiskError } from '../../../storage/errors.ts';
import { standbyPort, type TakenStorage } from '../../../storage/view/standby-port.ts';
import { StorageView, type ViewWatch } from '../../../storage/view/storage-view.ts';
import type { StorageOptions } from '../../../storage/open-storage.ts';
import type { StandbyWiring } from '../../../supervisors/standby.ts';
import { journalPort } from '../../../telemetry/journal-port.ts';
import { standbyCause } from '../../../telemetry/standby-cause.ts';
import type { ServiceResources } from '../../service-resources.ts';
import { relationSource, serviceStatus, zoneSource } from '../api-ports.ts';
import { apiSettings } from '../edge.ts';
import { keptHolder } from '../health-cause.ts';
import { noExplanations, noSubsets, viewedLogs, viewedShapes } from './view-ports.ts';

export type StandbyResources = Omit<ServiceResources, 'storage'>;

export interface WiredStandby extends StandbyWiring {
  readonly api: Api;
}

/**
 * @param isLeft this instance has just left the storage to another one.
 * @param ended given the storage when it was taken over, or why it cannot be.
 */
export function standbyWiring(
  resources: StandbyResources,
  storage: StorageOptions & { readonly disk: NonNullable<StorageOptions['disk']> },
  isLeft: boolean,
  ended: (outcome: TakenStorage) => void,
): WiredStandby {
  const { database, logger, troubles, world: { clock } } = resources;
  const leader = new Leader(database.adminPool, keptHolder(clock, database.adminPool, database.slot));
  const view = new StorageView(storage.disk, storage.directory, clock);
  const holder = new StorageHolder(clock, logger, storage.directory);
  const api = standbyApi(resources, view, holder, leader);
  const watch: ViewWatch = {
    grown: (handle, end) => void api.announcements.announce(handle, end),
    ended(handle) {
      database.catalog.doubtAll(); // Its table may be another one now; who follows the database hears which.
      api.announcements.rotate(handle);
    },
  };
  const held = (by: SeenLock): void => {
    holder.note(by);
    leader.look();
  };
  const told = (outcome: TakenStorage): void => {
    if ('storage' in outcome) holder.noteOpened();
    ended(outcome);
  };
  return {
    api,
    ports: {
      journal: () => journalPort(logger, (note) => troubles.note(note)),
      pools: () => poolPort({ name: '@pools', pools: [database.adminPool] }),
      standbyStorage: () =>
        standbyPort({
          storage,
          view,
          watch,
          isLeft,
          mayFollow: () => leader.isAway,
          unsigned: (refusal) => holder.noteUnsigned(refusal),
          held,
          opening: () => holder.noteOpening(),
          ended: told,
        }),
    },
    tables: { statusMonitor: statusMonitorTables },
  };
}

/**
 * Whoever follows the database has the lock. An instance that works in the storage without it follows nothing: its connections are closed
 * because nobody used the database, say, and what is asked of us does not open them.
 */
class Leader {
  isAway = false;

  constructor(
    private readonly pool: Pick<DatabasePool, 'isUp'>,
    private readonly session: ReturnType<typeof keptHolder>,
  ) {}

  /** However often, Postgres is asked now and then. */
  look(): void {
    void this.holder().then((held) => (this.isAway = held === 'nobody'));
  }

  /** Undefined where Postgres does not say. */
  async holder(): Promise<LockHolder | 'nobody' | undefined> {
    return this.pool.isUp ? await this.session.get() : undefined;
  }
}

/** Who was found in the directory last, and since when it was that one; and since when it is nobody's, and being opened. */
class StorageHolder {
  private seen: { readonly by: SeenLock; readonly sinceMicros: number } | undefined;
  private openingSinceMs: number | undefined;
  private isUnsigned = false;

  constructor(
    private readonly clock: ServiceResources['world']['clock'],
    private readonly logger: ServiceResources['logger'],
    private readonly directory: string,
  ) {}

  get current(): { readonly by: SeenLock; readonly sinceMicros: number } | undefined {
    return this.seen;
  }

  get isOpening(): boolean {
    return this.openingSinceMs !== undefined;
  }

  note(by: SeenLock): void {
    const { seen } = this;
    this.openingSinceMs = undefined;
    if (seen?.by.pid === by.pid && seen.by.host === by.host) return;
    this.seen = { by, sinceMicros: this.clock.epochMicros() };
  }

  /** Told once, however often the disk says no. */
  noteOpening(): void {
    if (this.openingSinceMs !== undefined) return;
    this.openingSinceMs = this.clock.nowMs();
    this.logger.info({ directory: this.directory }, 'storage.opening'); // A large log takes its time.
  }

  /** Told once. */
  noteUnsigned({ code, message }: DiskError): void {
    if (this.isUnsigned) return;
    this.isUnsigned = true;
    this.logger.warn({ error: { code, message }, advice: UNSIGNED_ADVICE }, 'candidate.unsigned');
  }

  noteOpened(): void {
    const { clock, openingSinceMs = clock.nowMs() } = this;
    this.logger.info({ durationMs: Math.round(clock.nowMs() - openingSinceMs) }, 'storage.opened');
  }
}

const UNSIGNED_ADVICE =
  'Whoever works in the storage does not follow the database, which this instance reaches, and is not told so: this one cannot write ' +
  'there. If that one does not come back by itself, stop it.';

function standbyApi(resources: StandbyResources, view: StorageView, holder: StorageHolder, leader: Leader): Api {
  const { configuration, database, language, runtime, world: { clock, random } } = resources;
  const common = serviceStatus(runtime, clock, {
    cause: causeOf(resources, holder, leader),
    limits: () => undefined,
    followedAt: 'waiting',
    use: () => undefined,
  });
  // The other instance does, or we do in a moment; without Postgres nobody knows whether it can.
  const status = { ...common, isFollowed: () => common.isFollowed() && (holder.isOpening || !leader.isAway) };
  const api = createApi(
    {
      relations: relationSource(database.catalog),
      zones: zoneSource(database.zones),
      shapes: viewedShapes(view, clock),
      logs: viewedLogs(view),
      status,
      language,
      subsets: noSubsets(language),
      explain: noExplanations(language),
      lastProcessedLsn: () => undefined, // Of the other instance nobody knows: each shape tells what it holds itself.
    },
    apiSettings(configuration),
    clock,
    random,
  );
  const refused = () => Promise.resolve(notReady(STANDING_BY));
  return { ...api, explainShape: refused, readTransaction: refused };
}

function causeOf({ runtime, troubles, world: { clock } }: StandbyResources, holder: StorageHolder, leader: Leader) {
  const conditions = () => (runtime.refOf('@status-monitor')?.getSnapshot() as { context: ServiceConditions } | undefined)?.context;
  return async (isTrusted: boolean): Promise<string> => {
    const held = await leader.holder();
    const missing = CONDITIONS.filter((condition) => typeof conditions()?.[condition] !== 'string');
    return standbyCause(
      {
        directory: holder.current,
        isOpening: holder.isOpening,
        session: typeof held === 'object' ? held : undefined,
        pools: missing.includes('pools') ? troubles.of('pools') : undefined,
        nowMs: clock.nowMs(),
      },
      isTrusted,
    );
  };
}
