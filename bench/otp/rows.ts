/** The rows of the table, and the bounds that the process layer is held to. */
import { median } from './cpu.ts';
import type { BenchOptions } from './options.ts';
import type { Figure, Row } from './report.ts';
import { inChild, inTurn, type Measured } from './rounds.ts';
import type { WorkloadName } from './workloads.ts';

/** One line or several that are measured together. */
export interface Section {
  readonly what: string;
  readonly rows: (options: BenchOptions) => Promise<readonly Row[]>;
}

export const sections: readonly Section[] = [
  { what: 'message', rows: messages },
  { what: 'lifetime', rows: lifetimes },
  { what: 'tree', rows: trees },
  { what: 'hibernation', rows: hibernation },
  { what: 'trace', rows: trace },
];

const micros = (value: number): Figure => ({ value, unit: 'µs' });
const times = (value: number, base: number): Figure => ({ value: value / base, unit: '×' });

async function messages({ rounds, share }: BenchOptions): Promise<readonly Row[]> {
  const [ours = NaN, bare = NaN] = await inTurn(rounds, [sized('sendMessages', 20_000, share), sized('sendToMessages', 20_000, share)]);
  return [
    {
      what: 'message between two 5-state machines: send, bare sendTo',
      measured: micros(ours),
      against: micros(bare),
      result: times(ours, bare),
      max: 1.2,
    },
  ];
}

async function lifetimes({ rounds, share }: BenchOptions): Promise<readonly Row[]> {
  const names = ['processLifetimes', 'actorLifetimes', 'supervisedLifetimes'] as const;
  const [ours = NaN, bare = NaN, supervised = NaN] = await inTurn(rounds, names.map((name) => sized(name, 2_000, share)));
  return [
    {
      what: 'start and stop of a process, bare createActor',
      measured: micros(ours),
      against: micros(bare),
      result: times(ours, bare),
      max: 2,
    },
    {
      what: '  asked of a dynamic supervisor, answered twice',
      measured: micros(supervised),
      against: micros(bare),
      result: times(supervised, bare),
    },
  ];
}

async function trees({ rounds, share }: BenchOptions): Promise<readonly Row[]> {
  const dynamic = await treeRows('stopDynamicTree', 'dynamic', rounds, share);
  const ordered = await treeRows('stopStaticTree', 'one by one', rounds, share);
  return [...dynamic, ...ordered];
}

async function treeRows(workload: WorkloadName, how: string, rounds: number, share: number): Promise<readonly Row[]> {
  const sizes = [10_000, 20_000, 40_000].map((count) => ({ ...sized(workload, count, share), batches: 2 }));
  const [small = NaN, middle = NaN, large = NaN] = (await inTurn(rounds, sizes)).map(
    (each, index) => (each * (sizes[index]?.count ?? NaN)) / 1000,
  );
  const row = (count: number, measured: number, base: number): Row => ({
    what: `stop of ${count} children, ${how}: twice as many as before`,
    measured: { value: measured, unit: 'ms' },
    against: { value: base, unit: 'ms' },
    result: times(measured, base),
  });
  return [{ ...row(sizes[1]?.count ?? 0, middle, small), max: 2.3 }, row(sizes[2]?.count ?? 0, large, middle)];
}

async function hibernation({ rounds, share }: BenchOptions): Promise<readonly Row[]> {
  const weighed = { ...sized('hibernatedBytes', 100_000, share), batches: 1 };
  // A weight is the same each time.
  const [bytes = NaN, supervised = NaN] = await inTurn(1, [weighed, { ...weighed, workload: 'supervisedHibernatedBytes' }]);
  const [wake = NaN] = await inTurn(rounds, [{ ...sized('wakeHibernated', 20_000, share), batches: 3 }]);
  const weight = (what: string, each: number): Row => ({
    what: `${weighed.count} processes that hibernate, ${what}`,
    measured: { value: each, unit: 'B' },
    result: { value: (each * weighed.count) / 1e6, unit: 'MB' },
  });
  return [
    { ...weight('spawned', bytes), max: 20 },
    weight('of a dynamic supervisor', supervised),
    { what: 'wake, one event, hibernate', measured: micros(wake), result: micros(wake), max: 60 },
  ];
}

async function trace({ share }: BenchOptions): Promise<readonly Row[]> {
  const figures = await inChild({ workload: 'traceCost', batches: Math.max(1, Math.round(400 * share)), count: 2_000 });
  const [without = [], never = [], forgotten = []] = [0, 1, 2].map((play) => figures.filter((_, index) => index % 3 === play));
  const row = (what: string, measured: readonly number[], against: readonly number[]): Row => ({
    what,
    measured: micros(median(measured)),
    against: micros(median(against)),
    result: { value: (median(measured.map((figure, round) => figure / (against[round] ?? NaN))) - 1) * 100, unit: '%' },
    max: 3,
  });
  return [
    row('message with the trace off, a build that cannot trace', never, without),
    row('message after a listener has left, before one had come', forgotten, never),
  ];
}

function sized(workload: WorkloadName, count: number, share: number): Measured {
  return { workload, batches: 5, count: Math.max(1, Math.round(count * share)) };
}
