/** Ten thousand real processes, most of which hibernate: they are looked through without waking one, in a small part of a second. */
import { setup } from 'xstate';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { processesView, type ProcessesAsked } from '../../src/observer/processes/process-search.ts';
import { treeView } from '../../src/observer/processes/tree-view.ts';
import { effects } from '../../src/otp/effects.ts';
import type { Message } from '../../src/otp/process.ts';
import { createRuntime, type Runtime } from '../../src/otp/runtime.ts';
import { dynamicSupervisor } from '../../src/otp/supervision/dynamic-supervisor.ts';

const COUNT = 10_000;
const CPU_MS_MAX = 100;
const ASKED: ProcessesAsked = {
  search: undefined, kind: undefined, state: undefined, sort: 'name', order: undefined, limit: 100, after: 0,
};

const sleeper = setup({ actions: effects }).createMachine({
  id: 'sleeper',
  initial: 'idle',
  states: { idle: { on: { nap: { target: 'asleep' } } }, asleep: { entry: { type: 'hibernate', params: undefined } } },
});

let runtime: Runtime;

beforeAll(async () => {
  runtime = createRuntime();
  const template = ({ id }: Message) => ({
    id: String(id),
    restart: 'temporary' as const,
    start: () => ({ machine: sleeper, name: `@sleeper/${String(id)}` as const }),
  });
  await runtime.start(dynamicSupervisor({ name: '@sleepers', templates: { sleeper: template } }), { id: 'stack' });
  const ids = Array.from({ length: COUNT }, (_, index) => `${index}-${index * 7919}`);
  await Promise.all(ids.map((id) => runtime.call('@sleepers', { type: 'startChild', template: 'sleeper', args: { type: 'args', id } })));
  for (const id of ids.slice(5)) runtime.send(`@sleeper/${id}`, { type: 'nap' });
  await runtime.call('@sleepers', { type: 'countChildren' });
});

afterAll(() => runtime.stop('@sleepers'));

function search(asked: Partial<ProcessesAsked>) {
  return processesView(runtime.processes(), { ...ASKED, ...asked }, (atMs) => atMs);
}

/** Of this process alone, whatever else the machine does. The first time is that of a program that has not run yet. */
function cpuMs(act: () => unknown): number {
  const times = [1, 2, 3].map(() => {
    const before = process.cpuUsage();
    act();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  });
  return Math.min(...times);
}

test('one of ten thousand is found by a part of its name, without waking one of them', () => {
  const { total, matched, rows } = search({ search: '4242-33' });
  const asleep = Array.from(runtime.processes()).filter(({ hibernates }) => hibernates).length;

  expect([total, matched, rows.map(({ id, state, hibernates }) => [id, state, hibernates]), asleep]).toEqual([
    COUNT + 1, 1, [['4242-33592398', 'asleep', true]], COUNT - 5,
  ]);
});

test('pages show each once, and the numbers add up', () => {
  const pids: string[] = [];
  let after = 0;
  for (let next: string | null = '0'; next !== null; after = Number(next)) {
    const view: ReturnType<typeof search> = search({ kind: 'sleeper', state: 'asleep', limit: 1_000, after });
    pids.push(...view.rows.map(({ pid }) => pid));
    next = view.next;
  }

  expect([pids.length, new Set(pids).size]).toEqual([COUNT - 5, COUNT - 5]);
});

test('a tree of ten thousand is a few nodes, whose numbers add up', () => {
  const { processes, roots } = treeView(runtime.processes(), (atMs) => atMs);

  expect([processes, roots]).toEqual([
    COUNT + 1,
    [
      expect.objectContaining({
        kind: 'dynamic-supervisor',
        childCount: COUNT,
        children: [
          expect.objectContaining({ type: 'population', kind: 'sleeper', count: COUNT, byState: { asleep: COUNT - 5, idle: 5 } }),
        ],
      }),
    ],
  ]);
});

test(`ten thousand are searched, sorted and folded within ${CPU_MS_MAX} ms of the processor`, () => {
  const times = {
    search: cpuMs(() => search({ search: '4242' })),
    sort: cpuMs(() => search({ sort: 'state' })),
    tree: cpuMs(() => treeView(runtime.processes(), (atMs) => atMs)),
  };

  expect(Object.values(times).filter((ms) => ms > CPU_MS_MAX)).toEqual([]);
});
