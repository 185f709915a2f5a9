/** Forms: what the observer shows, by name: each looks at the sources once and makes its form of that. */
import type { Clock } from '../base/clock.ts';
import type { Handle } from '../model/shape.ts';
import { lsnFromPostgres, type Lsn } from '../model/lsn.ts';
import type { Address } from '../otp/process.ts';
import { chartView } from './charts/chart-view.ts';
import { messagesView } from './messages/messages-view.ts';
import { scenarioView } from './messages/scenario-view.ts';
import { InvalidParameterError, type Parameters } from './pages/parameters.ts';
import { NotThereError, Topics } from './pages/topics.ts';
import { MINUTES_MAX, type Plots } from './plots/plots.ts';
import { populationView } from './processes/population-view.ts';
import { populationsOf } from './processes/process-rows.ts';
import { processesView, PROCESS_SORTS } from './processes/process-search.ts';
import { linkTo, processView } from './processes/process-view.ts';
import { treeView } from './processes/tree-view.ts';
import type { Deaths } from './recording/deaths.ts';
import type { Recorder } from './recording/recorder.ts';
import type { RowCounts } from './shapes/row-counts.ts';
import { pinnedBy, type SeenShapes } from './shapes/shape-rows.ts';
import { shapesView, SHAPE_SORTS } from './shapes/shape-search.ts';
import { shapeView } from './shapes/shape-view.ts';
import type { ShapeWorks } from './shapes/shape-works.ts';
import type { ObserverSources } from './sources.ts';
import type { ChartView } from './views/chart.ts';
import type { DeathsView } from './views/deaths.ts';
import type { MessagesView } from './views/messages.ts';
import type { PlotsView } from './views/plots.ts';
import type { PopulationsView, PopulationView } from './views/populations.ts';
import type { PostgresView } from './views/postgres.ts';
import type { ProcessesView, ProcessView } from './views/processes.ts';
import type { ScenarioView } from './views/scenario.ts';
import type { ServiceView } from './views/service.ts';
import type { ShapesView, ShapeView } from './views/shapes.ts';
import type { TreeView } from './views/tree.ts';

export interface Kept {
  readonly recorder: Recorder;
  readonly deaths: Deaths;
  readonly plots: Plots;
  readonly works: ShapeWorks;
  readonly rowCounts: RowCounts;
}

const ORDERS = ['asc', 'desc', 'natural'] as const;
const PROCESSES_MAX = 100;
const STEPS = 500;
const STEPS_MAX = 5_000;
const DEATHS = 50;
/** What leads to Postgres, in the order of the tree. */
const CONNECTIONS = ['@connection-lock', '@replication-client', '@replication', '@connection-pools', '@pools', '@publication'] as const;
const EPOCH = { least: 0, most: 8.64e15 };

export class Forms {
  /** Those that a stream can follow. */
  readonly topics: Topics;
  private readonly clock: Clock;
  private readonly beganMs: number;

  constructor(
    private readonly sources: ObserverSources,
    private readonly options: { readonly canEnd: boolean },
    private readonly kept: Kept,
  ) {
    this.clock = sources.clock;
    this.beganMs = this.atMs;
    this.topics = new Topics(
      {
        service: () => this.service(),
        tree: () => this.tree(),
        populations: () => this.populations(),
        deaths: () => this.deaths({ limit: DEATHS, after: 0 }),
        plots: () => this.plots(MINUTES_MAX),
        'process:': (pid) => this.process(pid),
        'population:': (kind) => this.population(kind),
        'shape:': (handle) => this.shape(handle),
      },
      this.clock,
    );
  }

  async service(): Promise<ServiceView> {
    const { service, runtime, shapes } = this.sources;
    const whyNotActive = (await service.whyNotActive()) ?? null;
    return {
      atMs: this.atMs,
      version: service.version,
      sinceMs: this.beganMs,
      level: service.level(),
      whyNotActive,
      canEnd: this.options.canEnd,
      processes: runtime.load().processes,
      shapes: countOf(shapes.all()),
      deaths: this.kept.deaths.total,
      recording: this.kept.recorder.view(),
    };
  }

  tree(): TreeView {
    return { atMs: this.atMs, ...treeView(this.sources.runtime.processes(), this.epochMs) };
  }

  processes(parameters: Parameters): ProcessesView {
    const asked = {
      search: parameters.text('search'),
      kind: parameters.text('kind'),
      state: parameters.text('state'),
      sort: parameters.oneOf('sort', PROCESS_SORTS, 'mailbox'),
      order: orderOf(parameters),
      ...parameters.page(),
    };
    return { atMs: this.atMs, ...processesView(this.sources.runtime.processes(), asked, this.epochMs) };
  }

  process(pid: string): ProcessView {
    const view = processView(this.sources.runtime, this.kept.recorder, pid as Address, this.clock.nowMs());
    if (view === undefined) throw new NotThereError('unknown_process', 'There is no such process, or not any more.');
    return view;
  }

  populations(): PopulationsView {
    return { atMs: this.atMs, populations: populationsOf(this.sources.runtime.processes()) };
  }

  population(kind: string): PopulationView {
    const view = populationView(this.sources.runtime.processes(), this.kept.recorder, kind, this.clock.nowMs());
    if (view === undefined) throw new NotThereError('unknown_kind', 'There is no process of this kind at present.');
    return { atMs: this.atMs, ...view };
  }

  chart(machine: string): ChartView {
    return chartView(this.sources.runtime, (path) => this.sources.file(path), machine);
  }

  deaths(asked: { readonly limit: number; readonly after: number }): DeathsView {
    return { atMs: this.atMs, ...this.kept.deaths.view(asked) };
  }

  messages(parameters: Parameters): MessagesView {
    const asked = {
      ...this.window(parameters),
      xid: parameters.text('xid'),
      lsn: lsnOf(parameters),
      stepsMax: parameters.number('limit', { least: 1, most: STEPS_MAX }) ?? STEPS,
    };
    return { atMs: this.atMs, ...messagesView(this.sources.runtime, this.kept.recorder, asked, this.clock.nowMs()) };
  }

  scenario(parameters: Parameters): ScenarioView {
    const { runtime, service } = this.sources;
    const asked = { ...this.window(parameters), turnsMax: STEPS_MAX };
    return scenarioView(service.version, runtime, this.kept.recorder, asked, this.clock.nowMs());
  }

  shapes(parameters: Parameters): ShapesView {
    const asked = {
      search: parameters.text('search'),
      sort: parameters.oneOf('sort', SHAPE_SORTS, 'table'),
      order: orderOf(parameters),
      ...parameters.page(),
    };
    return { atMs: this.atMs, ...shapesView(this.seenShapes, asked) };
  }

  shape(handle: string): ShapeView {
    const view = shapeView(this.seenShapes, this.kept.recorder, handle as Handle);
    if (view === undefined) throw new NotThereError('unknown_shape', 'There is no shape of this handle, or not any more.');
    return { atMs: this.atMs, ...view };
  }

  /** What the slot retains is a number of Postgres's, which is asked while somebody looks. */
  async plots(minutes: number): Promise<PlotsView> {
    await this.sources.postgres.lookAtRetained();
    return { atMs: this.atMs, ...this.kept.plots.view(minutes) };
  }

  async postgres(): Promise<PostgresView> {
    const { runtime, postgres } = this.sources;
    const { holder, ...view } = await postgres.view();
    const state = linkTo(runtime, '@connection-lock').state ?? 'away';
    return {
      atMs: this.atMs,
      ...view,
      connections: CONNECTIONS.map((name) => linkTo(runtime, name)),
      lock: { state, holder: holder && { ...holder, isOurs: state === 'held' } },
      pinnedBy: pinnedBy(this.sources.shapes),
    };
  }

  private get seenShapes(): SeenShapes {
    const { shapes, runtime } = this.sources;
    const { works, rowCounts } = this.kept;
    return { shapes, runtime, works, rowCounts };
  }

  private window(parameters: Parameters) {
    return {
      fromMs: parameters.number('from', EPOCH),
      toMs: parameters.number('to', EPOCH),
      processes: parameters.texts('process', PROCESSES_MAX),
    };
  }

  private get atMs(): number {
    return Math.round(this.clock.epochMicros() / 1000);
  }

  private get epochMs(): (atMs: number) => number {
    const shiftMs = this.clock.epochMicros() / 1000 - this.clock.nowMs();
    return (atMs) => Math.round(atMs + shiftMs);
  }
}

function orderOf(parameters: Parameters): 'asc' | 'desc' | undefined {
  const order = parameters.oneOf('order', ORDERS, 'natural');
  return order === 'natural' ? undefined : order;
}

/** In Postgres's notation, or as clients know it. */
function lsnOf(parameters: Parameters): Lsn | undefined {
  const text = parameters.text('lsn');
  if (text === undefined) return undefined;
  if (/^\d{1,20}$/.test(text)) return text as Lsn;
  if (/^[0-9A-Fa-f]{1,8}\/[0-9A-Fa-f]{1,8}$/.test(text)) return lsnFromPostgres(text);
  throw new InvalidParameterError('"lsn" is an LSN, as in 16/B374D848');
}

function countOf(items: Iterable<unknown>): number {
  let count = 0;
  for (const _ of items) count += 1;
  return count;
}
