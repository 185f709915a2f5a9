/** The observer on the running service: what it shows is so, follows what happens, and leads from Postgres to the client. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DeathsView } from '../../src/observer/views/deaths.ts';
import type { MessagesView } from '../../src/observer/views/messages.ts';
import type { PlotsView } from '../../src/observer/views/plots.ts';
import type { PopulationsView, PopulationView } from '../../src/observer/views/populations.ts';
import type { PostgresView } from '../../src/observer/views/postgres.ts';
import type { ProcessesView, ProcessView } from '../../src/observer/views/processes.ts';
import type { ScenarioView } from '../../src/observer/views/scenario.ts';
import type { ShapesView, ShapeView } from '../../src/observer/views/shapes.ts';
import type { TreeNode, TreeView } from '../../src/observer/views/tree.ts';
import type { Pid } from '../../src/otp/process.ts';
import { ObserverClient } from '../support/observer/observer-client.ts';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';
import { ShapeFollower } from '../support/service/shape-follower.ts';

const HOSTILE = `<script>alert("1")</script>`;
const LIVE = 'running.(snapshot.complete | ingest.live)';
const HOSTILE_FILTER = `title <> '</script><img src=x onerror=alert(1)>'`;

let database: TestDatabase;
let service: ServiceInProcess;
let observer: ObserverClient;

beforeAll(async () => {
  database = await createDatabase();
  await database.query(`
    CREATE TABLE parents (id integer PRIMARY KEY, active boolean);
    CREATE TABLE items (id integer PRIMARY KEY, parent integer, title text);
    CREATE TABLE "${HOSTILE.replaceAll('"', '""')}" (id integer PRIMARY KEY, title text);
    INSERT INTO parents VALUES (1, true), (2, false);
    INSERT INTO items SELECT n, n % 3, 'title' FROM generate_series(1, 30) AS n`);
  service = await startServiceInProcess({ databaseUrl: database.url });
  observer = new ObserverClient(service.url);
});

afterAll(async () => {
  await service.remove();
  await database.drop();
});

async function shapeOf(params: Readonly<Record<string, string>>): Promise<ShapeFollower & { handle: string }> {
  const follower = await new ShapeFollower(service.shapeUrl, params).catchUp();
  return Object.assign(follower, { handle: follower.handle ?? '' });
}

function countOf(nodes: readonly TreeNode[]): number {
  return nodes.reduce((sum, node) => sum + (node.type === 'population' ? node.count : 1 + countOf(node.children)), 0);
}

function livingCount(): number {
  return Array.from(service.runtime.processes()).length;
}

test('the numbers of tree, populations and search add up to all that live', async () => {
  for (let id = 1; id <= 25; id += 1) await shapeOf({ table: 'items', where: `id = ${id}` });

  const isQuiet = (view: PopulationsView): boolean => view.populations.every(({ kind }) => kind !== 'snapshotter');
  const { populations } = await observer.until<PopulationsView>('populations', isQuiet);
  const tree = await observer.form<TreeView>('tree');
  const { total, matched } = await observer.form<ProcessesView>('processes?kind=consumer&limit=1');

  const living = livingCount();
  expect({
    tree: [tree.processes, countOf(tree.roots)],
    populations: populations.reduce((sum, { count }) => sum + count, 0),
    states: populations.every(({ byState, count }) => Object.values(byState).reduce((sum, each) => sum + each, 0) === count),
    total,
    consumers: matched,
  }).toEqual({ tree: [living, living], populations: living, states: true, total: living, consumers: 25 });
});

test('a crash is seen as it happens: the tree has the next process, and a card says what ended the last and what is left', async () => {
  const before = service.runtime.whereis('@checkpointer') as Pid;
  const isNext = (tree: string): boolean => !tree.includes(before) && tree.includes('"stack/storage/checkpointer#');
  const seen = observer.event(['tree'], (event) => 'view' in event && isNext(JSON.stringify(event.view)));
  service.runtime.exit(before, 'kill');
  const tree = (await seen) as { view: TreeView };
  const after = service.runtime.whereis('@checkpointer');

  const { faults, deaths } = await observer.form<DeathsView>('deaths');
  const card = deaths.find(({ pid }) => pid === before);
  expect({
    counts: [tree.view.processes, countOf(tree.view.roots)],
    shows: JSON.stringify(tree.view).includes(`"${String(after)}"`),
    faults: faults > 0,
    reason: card?.reason,
    isFault: card?.isFault,
    stateBefore: card?.stateBefore,
    supervisor: card?.supervisor?.kind,
    decision: [card?.decision.type, card?.decision.restartedAs, card?.decision.intensity?.left],
    recorded: card?.areEventsRecorded,
  }).toEqual({
    counts: [livingCount(), livingCount()],
    shows: true,
    faults: true,
    reason: { text: 'killed', error: null },
    isFault: true,
    stateBefore: 'waiting',
    supervisor: 'supervisor',
    decision: ['restarted', after, 2],
    recorded: false,
  });
});

test('of a crash that is recorded the card has the error, the event under way and the last ones before it', async () => {
  const { handle } = await shapeOf({ table: 'parents' });
  await observer.form<MessagesView>('messages');
  await database.query('INSERT INTO parents VALUES (3, true)');
  await observer.until<ProcessView>(`process?pid=@consumer/${handle}`, ({ events }) => events.length > 0);
  const pid = service.runtime.whereis(`@consumer/${handle}`) as Pid;

  service.runtime.send(pid, { type: 'nobodyKnowsThis' });

  const { deaths } = await observer.until<DeathsView>('deaths', (view) => view.deaths.some((death) => death.pid === pid));
  const card = deaths.find((death) => death.pid === pid);
  expect({
    error: card?.reason.error?.name,
    lastEvent: card?.lastEvent,
    lastEvents: card?.lastEvents.slice(0, 1).map(({ type }) => type),
    recorded: card?.areEventsRecorded,
    decision: card?.decision.type,
    context: card?.context?.includes(handle),
  }).toEqual({
    error: 'UnhandledEventError',
    lastEvent: 'nobodyKnowsThis',
    lastEvents: ['nobodyKnowsThis'],
    recorded: true,
    decision: 'left',
    context: true,
  });
});

test('a process is shown with its state for a chart, its supervisors, and its transitions as they happen', async () => {
  const { handle } = await shapeOf({ table: 'items', where: 'id = 1' });
  await observer.form<ProcessView>(`process?pid=@consumer/${handle}`);
  await database.query(`UPDATE items SET title = 'moved' WHERE id = 1`);

  const isBack = ({ transitions, state }: ProcessView): boolean => transitions.length >= 2 && state === LIVE && transitions[0]?.to === LIVE;
  const view = await observer.until<ProcessView>(`process?pid=@consumer/${handle}`, isBack);
  const population = await observer.form<PopulationView>('population?kind=consumer');

  expect({
    state: [view.state, view.stateValue],
    ancestors: view.ancestors.map(({ kind }) => kind),
    shape: view.shape,
    tables: view.tables,
    back: view.transitions[0]?.to,
    edges: population.edges.some(({ from, to }) => from !== null && from !== to),
    counted: Object.values(population.byState).reduce((sum, count) => sum + count, 0) === population.count,
  }).toEqual({
    state: [LIVE, { running: { snapshot: 'complete', ingest: 'live' } }],
    ancestors: ['supervisor', 'supervisor', 'dynamic-supervisor'],
    shape: handle,
    tables: ['log', 'materializers', 'awaitingStart'],
    back: LIVE,
    edges: true,
    counted: true,
  });
});

test('a transaction is followed from Postgres to the request that waited for it', async () => {
  const follower = await shapeOf({ table: 'items', where: 'id = 2' });
  await observer.form<MessagesView>('messages');
  const waiting = follower.poll();
  await observer.until<ShapeView>(`shape?handle=${follower.handle}`, ({ clients }) => clients === 1);
  const change = `WITH changed AS (UPDATE items SET title = 'followed' WHERE id = 2 RETURNING id)`;
  const [{ xid }] = (await database.query(`${change} SELECT pg_current_xact_id()::text AS xid FROM changed`)) as [{ xid: string }];
  await waiting;

  const { transaction, steps, lanes } = await observer.form<MessagesView>(`messages?xid=${xid}&limit=5000`);
  const pinned = steps.flatMap((step) => (step.step === 'message' && step.isPinned ? [step.type] : []));
  expect({
    xid: transaction?.xid,
    stages: transaction?.stages.map(({ stage, handle }) => [stage, handle]),
    pinned,
    inOrder: steps.every(({ n }, index) => n > (steps[index - 1]?.n ?? -1)),
    lanes: lanes.some(({ kind }) => kind === 'consumer'),
  }).toEqual({
    xid,
    stages: [
      ['received', null],
      ['durable', null],
      ['routed', follower.handle],
      ['published', follower.handle],
      ['answered', follower.handle],
      ['taken', follower.handle],
    ],
    pinned: ['log.extended', 'batch', 'batch.taken'],
    inOrder: true,
    lanes: true,
  });
});

test('a window is a file of turns, in which roles have names, with words for what is not replayed of it', async () => {
  const { turns, roles, notes, format } = await observer.form<ScenarioView>('scenario?process=@shape-log-collector');

  expect({
    format,
    notes: notes.length,
    deliver: turns.some((turn) => 'deliver' in turn && turn.deliver === 'log.extended' && turn.to === '@shape-log-collector'),
    roles: new Set(roles.map(({ role }) => role)).size === roles.length,
  }).toEqual({ format: 'armature.window/2', notes: 2, deliver: true, roles: true });
});

test('a shape is shown with its rows, as they come and go, and with the lines that were made for it', async () => {
  const { handle } = await shapeOf({ table: 'items', where: 'id > 100' });
  await database.query(`INSERT INTO items SELECT n, 1, '"headers":{"operation":"delete' FROM generate_series(101, 150) AS n`);
  await database.query('UPDATE items SET id = id + 1000 WHERE id BETWEEN 101 AND 105');
  await database.query('DELETE FROM items WHERE id BETWEEN 106 AND 115');

  const { rows, work } = await observer.until<ShapeView>(`shape?handle=${handle}`, (view) => view.rows === 40);
  const { series } = await observer.until<PlotsView>('plots', (view) => {
    return view.series.some(({ name, values }) => name === 'lines' && values.some((value) => (value ?? 0) > 0));
  });
  await database.query('DELETE FROM items WHERE id > 100');

  expect({
    rows,
    lines: work.lines,
    isMuch: work.bytes > 70 * 100,
    hasShare: (work.share ?? 0) > 0,
    plots: series.map(({ name }) => name),
  }).toEqual({
    rows: 40,
    lines: 50 + 2 * 5 + 10,
    isMuch: true,
    hasShare: true,
    plots: expect.arrayContaining(['lines', 'lineBytes']) as unknown,
  });
});

test('shapes are shown with what they are, their clients, and what they depend on', async () => {
  const { handle } = await shapeOf({ table: 'items', where: 'parent IN (SELECT id FROM parents WHERE active)' });
  const { rows, matched } = await observer.until<ShapesView>('shapes?search=select&sort=bytes', (view) => view.rows[0]?.bytes !== null);
  const view = await observer.form<ShapeView>(`shape?handle=${handle}`);
  const inner = view.graph.nodes.find((node) => node.handle !== handle);

  expect({
    matched,
    row: rows.map(({ table, where, snapshot, isInner, bytes }) => [table, where, snapshot, isInner, (bytes ?? 0) > 0]),
    graph: [inner?.table, inner?.where, view.graph.edges],
    moves: view.bufferedMoves,
    consumer: view.consumer?.kind,
    pins: view.pinsLog,
  }).toEqual({
    matched: 1,
    row: [['public.items', 'parent IN (SELECT id FROM parents WHERE active)', 'complete', false, true]],
    graph: ['public.parents', 'active', [{ from: handle, to: inner?.handle, column: 'id' }]],
    moves: 0,
    consumer: 'consumer',
    pins: false,
  });
});

test('names and filters of anybody go out as JSON, which no browser takes for markup', async () => {
  const { handle } = await shapeOf({ table: `"${HOSTILE.replaceAll('"', '""')}"`, where: HOSTILE_FILTER });

  const answer = await observer.raw('GET', `/_observer/api/shape?handle=${handle}`);
  const view = JSON.parse(answer.text) as ShapeView;
  expect({
    type: answer.headers['content-type'],
    nosniff: answer.headers['x-content-type-options'],
    names: [view.table, view.where],
  }).toEqual({
    type: 'application/json; charset=utf-8',
    nosniff: 'nosniff',
    names: [`public."${HOSTILE.replaceAll('"', '""')}"`, HOSTILE_FILTER],
  });
});

test('of Postgres it shows slot, LSNs, publication, pools and who holds the lock', async () => {
  const { slot, lsns, publication, pools, lock, error, database: { name } } = await observer.form<PostgresView>('postgres');

  expect({
    database: database.url.endsWith(name),
    slot: [slot.isActive, typeof slot.retainedBytes],
    lsns: Object.values(lsns).map((lsn) => /^[0-9A-F]+\/[0-9A-F]+$/.test(lsn ?? '')),
    publishes: publication.tables?.includes('public.items'),
    pools: pools.map((pool) => [pool.name, pool.isUp]),
    lock: [lock.state, lock.holder?.applicationName, lock.holder?.isOurs],
    error,
  }).toEqual({
    database: true,
    slot: [true, 'number'],
    lsns: [true, true, true, true, true],
    publishes: true,
    pools: [['admin', true], ['snapshots', true], ['moves', true], ['subsets', true]],
    lock: ['held', 'armature lock', true],
    error: null,
  });
});

test('plots have one value for each second and series', async () => {
  const { seconds, series } = await observer.until<PlotsView>('plots?minutes=1', (view) => view.seconds.length >= 2);

  const memory = series.find(({ name }) => name === 'rssBytes');
  expect([series.every(({ values }) => values.length === seconds.length), memory?.values[0]]).toEqual([true, expect.any(Number)]);
});
