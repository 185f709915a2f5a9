import { describe, expect, test } from 'vitest';
import { ChildPlan } from '../../../src/otp/supervision/child-plan.ts';
import { ChildTable, type ChildChange } from '../../../src/otp/supervision/child-table.ts';
import { DynamicChildTable } from '../../../src/otp/supervision/dynamic-child-table.ts';
import type { Message, Pid, ReplyTo } from '../../../src/otp/process.ts';
import { childSpec } from '../../support/otp/family.ts';

const pid = (id: string) => `sup/${id}#1` as Pid;
const started: readonly ChildChange[] = [
  { type: 'planAll' },
  { type: 'nextToStart' },
  { type: 'spawned', id: 'a', process: pid('a'), isSupervisor: false },
  { type: 'started', process: pid('a') },
  { type: 'spawned', id: 'b', process: pid('b'), isSupervisor: false },
];

function startedTable(): ChildTable {
  const table = new ChildTable({ strategy: 'rest_for_one', children: [childSpec('a'), childSpec('b', { restart: 'temporary' })] });
  for (const change of started) table.apply(change);
  return table;
}

test('equal tables have equal keys, and a copy goes its own way', () => {
  const [table, twin] = [startedTable(), startedTable()];
  const copy = table.clone();
  const keys = [table.key(), twin.key(), copy.key()];

  copy.apply({ type: 'exitedWhileStarting', process: pid('b'), reason: 'killed' });

  expect({
    same: new Set(keys).size,
    table: table.key() === keys[0],
    copy: copy.key() === keys[0],
    b: table.rows.ofId('b')?.status,
  }).toEqual({
    same: 1,
    table: true,
    copy: false,
    b: 'starting',
  });
});

test('a copy keeps what the table knows of exits, plans and restarts', () => {
  const table = startedTable();
  table.apply({ type: 'exitedWhileStarting', process: pid('a'), reason: 'killed' });
  const copy = table.clone();

  const goOn = (one: ChildTable) => [
    one.apply({ type: 'started', process: pid('b') }),
    one.apply({ type: 'nextKept' }),
    one.apply({ type: 'exited', process: pid('a'), reason: 'killed', nowMs: 0 }),
    one.apply({ type: 'nextToStop' }),
  ];
  const told = goOn(copy);

  expect({ told, original: goOn(table) }).toEqual({
    told: [
      { type: 'children.started' },
      { type: 'child.kept', process: pid('a'), reason: 'killed' },
      { type: 'restart.planned', id: 'a' },
      { type: 'child.toStop', process: pid('b'), shutdown: 5_000 },
    ],
    original: told,
  });
});

test('dynamic children are copied likewise', () => {
  const table = new DynamicChildTable({ templates: { x: () => childSpec('x') }, maxChildren: 1 });
  table.apply({ type: 'startChild', template: 'x', args: { type: 'args' }, replyTo: 'caller!1' as ReplyTo });
  table.apply({ type: 'spawned', id: 'x', process: pid('x'), isSupervisor: false });
  const copy = table.clone();
  const sameKey = copy.key() === table.key();

  const told = copy.apply({ type: 'started', process: pid('x') });

  expect({ sameKey, told, original: table.rows.ofId('x')?.status }).toEqual({
    sameKey: true,
    told: { type: 'requests.answered', answers: [{ to: 'caller!1', event: { type: 'child.started', id: 'x', pid: pid('x') } }] },
    original: 'starting',
  });
});

test.each([
  ['how often a child was spawned', { type: 'spawned', id: 'x', process: pid('x'), isSupervisor: false }, 'temporary'],
  ['how it is restarted', undefined, 'transient'],
] as const)('dynamic tables that differ in %s alone have different keys', (_, again, restart) => {
  const templates = { a: () => childSpec('x', { restart: 'temporary' }), b: () => childSpec('x', { restart }) };
  const made = (template: string) => {
    const table = new DynamicChildTable({ templates });
    table.apply({ type: 'startChild', template, args: { type: 'x' } });
    table.apply({ type: 'spawned', id: 'x', process: pid('x'), isSupervisor: false });
    return table;
  };
  const [one, other] = [made('a'), made('b')];
  if (again !== undefined) other.apply(again);

  expect(one.key()).not.toBe(other.key());
});

describe('a copy in the middle of anything goes on like the original', () => {
  const templates = { more: ({ id }: Message) => childSpec(String(id)) };
  const busy = () => {
    const table = new ChildTable({
      strategy: 'one_for_one',
      maxRestarts: 1,
      children: [childSpec('a', { restart: 'temporary' }), childSpec('b')],
      templates,
    });
    for (const change of startedButIgnored) table.apply(change);
    return table;
  };
  /** The first has nothing to do and is forgotten. */
  const startedButIgnored: readonly ChildChange[] = [
    { type: 'planAll' },
    { type: 'nextToStart' },
    { type: 'spawned', id: 'a', process: pid('a'), isSupervisor: false },
    { type: 'ignored', process: pid('a') },
    { type: 'spawned', id: 'b', process: pid('b'), isSupervisor: false },
  ];
  const asked = (id: string): readonly ChildChange[] => [
    { type: 'startChild', template: 'more', args: { type: 'args', id }, replyTo: `caller!${id}` as ReplyTo },
    { type: 'nextToStart' },
    { type: 'spawned', id, process: pid(id), isSupervisor: false },
    { type: 'started', process: pid(id) },
    { type: 'nextKept' },
  ];
  const life: readonly ChildChange[] = [
    { type: 'started', process: pid('b') },
    { type: 'nextKept' },
    ...asked('c'),
    ...asked('d'),
    { type: 'exited', process: pid('b'), reason: 'killed', nowMs: 0 },
    { type: 'nextToStop' },
    { type: 'exited', process: pid('c'), reason: 'killed', nowMs: 0 },
  ];

  test.each(Array.from({ length: life.length + 1 }, (_, index) => index))('after %d changes', (count) => {
    const table = busy();
    for (const change of life.slice(0, count)) table.apply(change);
    const copy = table.clone();
    const rest = life.slice(count);
    const goOn = (one: ChildTable) => [
      one.key(),
      ...rest.flatMap((change) => [one.apply(change), one.key()]),
      [...one.rows.all()].map(({ id, order }) => [id, order]),
    ];

    expect(goOn(copy)).toEqual(goOn(table));
  });
});

test('what is told of another child than the awaited one changes nothing', () => {
  const table = startedTable();
  const before = table.key();
  const told = (['started', 'ignored'] as const).map((type) => table.apply({ type, process: pid('a') }));

  expect({ told, isSame: table.key() === before }).toEqual({ told: [undefined, undefined], isSame: true });
});

test('at rest nothing is planned, whatever has come before', () => {
  const table = startedTable();
  table.apply({ type: 'started', process: pid('b') });
  table.apply({ type: 'nextKept' });

  expect(table.key()).toContain(JSON.stringify(new ChildPlan().key()));
});

test('a copy of dynamic children knows them by the processes that they had, and their restarts', () => {
  const table = new DynamicChildTable({ templates: { x: ({ id }) => childSpec(String(id)) }, maxRestarts: 1 });
  for (const id of ['x', 'y']) {
    table.apply({ type: 'startChild', template: 'x', args: { type: 'args', id } });
    table.apply({ type: 'spawned', id, process: pid(id), isSupervisor: false });
    table.apply({ type: 'started', process: pid(id) });
  }
  table.apply({ type: 'exited', process: pid('x'), reason: 'killed', nowMs: 0 });
  const copy = table.clone();
  const sameKey = copy.key() === table.key();
  const found = copy.apply({ type: 'whichChild', pid: pid('x'), replyTo: 'caller!1' as ReplyTo });

  expect({ sameKey, found, exhausted: copy.apply({ type: 'exited', process: pid('y'), reason: 'killed', nowMs: 0 }) }).toMatchObject({
    sameKey: true,
    found: { answers: [{ event: { type: 'child', child: { id: 'x' } } }] },
    exhausted: { type: 'restarts.exhausted' },
  });
});
