import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { OutgrownLogs, type GrowingShape, type OutgrownPorts } from '../../src/actors/expiry/outgrown-logs.ts';
import { ShapeLimits, type LimitedShape, type LimitsPorts } from '../../src/actors/expiry/shape-limits.ts';
import { LinkValues } from '../../src/actors/link-values.ts';
import { MemberForm } from '../../src/actors/member-form.ts';
import {
  PublishedRelations,
  type PublicationPorts,
  type PublishedRelationsChange,
} from '../../src/actors/publication/published-relations.ts';
import { RequestBacklog, type RequestBacklogChange } from '../../src/actors/request-backlog.ts';
import { Subscribers, type SubscribersChange } from '../../src/actors/subscribers.ts';
import { Copies, type Fork } from '../../src/base/fork.ts';
import type { EntryPlace } from '../../src/model/log-entry.ts';
import type { LogOffset } from '../../src/model/log-offset.ts';
import type { PublishedRelation } from '../../src/model/relation.ts';
import type { PlacedRow } from '../../src/model/row-values.ts';
import type { Handle } from '../../src/model/shape.ts';
import type { Pid, ReplyTo } from '../../src/otp/process.ts';
import { ShapeBlocks } from '../../src/storage/shapes/shape-blocks.ts';
import { FOLLOWER, followerPorts } from '../support/actors/follower-ports.ts';
import { committed, deleted, inserted, updated } from '../support/actors/placed-rows.ts';
import { Nowhere, tableContract, type World } from '../support/otp/table-contract.ts';
import { handleOf } from '../support/shapes.ts';

const apply = <Change>(table: { apply(change: Change): unknown }, change: Change): unknown => table.apply(change);
const replyTo = fc.constantFrom('call#1', 'call#2').map((text) => text as ReplyTo);

tableContract('RequestBacklog', {
  world: () => new Nowhere(),
  table: () => new RequestBacklog(),
  steps: fc.oneof(
    fc.constantFrom('a', 'b').map((type): RequestBacklogChange => ({ keep: { type } })),
    fc.constant<RequestBacklogChange>('next'),
  ),
  play: apply,
});

const pid = fc.constantFrom('one#1', 'two#2', 'three#3').map((text) => text as Pid);

tableContract('Subscribers', {
  world: () => new Nowhere(),
  table: () => new Subscribers(),
  steps: fc.oneof<fc.Arbitrary<SubscribersChange>[]>(fc.record({ add: pid }), fc.record({ remove: pid })),
  play: apply,
});

/** Blocks of a shape's log, that somebody has read for its follower. */
class ReadBlocks implements World<ReadBlocks> {
  constructor(
    readonly blocks = new ShapeBlocks(),
    private read = '',
  ) {}

  put(after: EntryPlace, through: EntryPlace, rows: readonly PlacedRow[]): void {
    this.blocks.put(FOLLOWER, { after, through }, rows);
    this.read = JSON.stringify([after, through, rows]);
  }

  clone(fork: Fork): ReadBlocks {
    return new ReadBlocks(this.blocks.clone(fork), this.read);
  }

  key(): string {
    return this.read;
  }
}

const key = fc.constantFrom('a', 'b', 'c');
const value = fc.constantFrom('1', '2', '3', null);
const row = fc.oneof(
  fc.tuple(key, value).map(([name, text]) => inserted(name, text)),
  fc.tuple(key, value).map(([name, text]) => updated(name, text)),
  key.map(deleted),
);

const BOUNDS = { valuesMax: 1, historyValuesMax: 2, keptMovesMin: 2 };

tableContract('LinkValues', {
  world: () => new ReadBlocks(),
  // Without a primary key rows may be alike, and some moves are kept: so there is more to copy.
  table: ({ blocks }) => {
    const ports = followerPorts(blocks, () => '1_0' as LogOffset, undefined, false);
    return new LinkValues('value', ports, new MemberForm([(text) => text]), BOUNDS);
  },
  steps: fc.oneof(
    fc.record({
      through: fc.record({ offset: fc.constantFrom('0_inf', '1_0', '2_0').map((text) => text as LogOffset), bytes: fc.constantFrom(0, 9) }),
      rows: fc.array(row, { maxLength: 2 }),
      isOpen: fc.boolean(),
      does: fc.constantFrom('read', 'take', 'readAndTake' as const),
    }),
    fc.constant('list' as const),
  ),
  play(table, step, world) {
    if (step === 'list') return table.apply(step);
    const { through, rows, isOpen, does } = step;
    const after = table.place;
    if (does !== 'take') world.put(after, through, committed('7', rows, isOpen ? 'open' : undefined));
    return does === 'read' ? undefined : table.apply({ block: { after, through } });
  },
});

/** Who was told of tables that are published no more. */
class LostRelations implements World<LostRelations>, PublicationPorts {
  private readonly copies = new Copies<LostRelations>();

  constructor(private readonly names: string[] = []) {}

  lost({ name }: PublishedRelation): void {
    this.names.push(name);
  }

  isStored(): boolean {
    return true;
  }

  clone(fork: Fork): LostRelations {
    return this.copies.of(fork, () => new LostRelations([...this.names]));
  }

  key(): string {
    return this.names.join();
  }
}

const items: PublishedRelation = { oid: 1, schema: 'public', name: 'items' };
const lists: PublishedRelation = { oid: 2, schema: 'public', name: 'lists' };
const relation = fc.constantFrom(items, lists);
/** A shape is on one table for ever. */
const shape = fc.constantFrom(1, 2, 3).map((index) => ({ handle: handleOf(index), relation: index === 1 ? items : lists }));
const error = { code: 'lock_timeout', message: 'no' };
const faults = ['isDropped', 'isNotPublished', 'hasLeft', 'isNotFull', 'isUnwritable', 'isUntold'] as const;
const fault = fc.record({ relation, fault: fc.constantFrom(...faults) });
const turns = fc.array(fc.record({ relation, beforeMicros: fc.constantFrom(1, 2) }), { maxLength: 1 });

tableContract('PublishedRelations', {
  world: () => new LostRelations(),
  table: (ports) => new PublishedRelations(ports),
  steps: fc.oneof<fc.Arbitrary<PublishedRelationsChange>[]>(
    fc.tuple(shape, replyTo).map(([one, call]) => ({ type: 'need', ...one, replyTo: call })),
    shape.map((one) => ({ type: 'retain', ...one })),
    fc.tuple(shape, fc.constantFrom('asked', 'replicaIdentity')).map(([{ handle }, why]) => ({ type: 'release', handle, why })),
    fc.constantFrom<PublishedRelationsChange>({ type: 'doubt' }, { type: 'next' }, { type: 'next' }),
    fc.tuple(fc.array(fault, { maxLength: 2 }), turns).map(([faults, turned]) => ({ type: 'reviewed', faults, turns: turned })),
    fc.tuple(fc.array(relation, { maxLength: 2 }), turns).map(([added, turned]) => ({ type: 'altered', added, turns: turned })),
    relation.map(({ oid }) => ({ type: 'doubtTables', oids: [oid] })),
    fc.constantFrom('refused', 'unavailable').map((type) => ({ type, error })),
  ),
  play: apply,
});

/** Shapes that are made, read and deleted, in a time that goes on. */
class LimitedShapes implements World<LimitedShapes>, LimitsPorts {
  private readonly copies = new Copies<LimitedShapes>();

  constructor(
    private readonly readMs = new Map<Handle, number>(),
    private atMs = 0,
  ) {}

  read(handle: Handle): void {
    this.atMs += 1;
    this.readMs.set(handle, this.atMs);
  }

  canEnd(): boolean {
    return true;
  }

  /** What onlookers are told is no part of the world. */
  noteLook(): void {}

  *shapes(): Iterable<LimitedShape> {
    for (const handle of this.readMs.keys()) yield { handle, dependsOn: [], storedBytes: 10, snapshot: { state: 'complete' } };
  }

  lastReadMs(handle: Handle): number {
    return this.readMs.get(handle) ?? 0;
  }

  nowMs(): number {
    return this.atMs;
  }

  clone(fork: Fork): LimitedShapes {
    return this.copies.of(fork, () => new LimitedShapes(new Map(this.readMs), this.atMs));
  }

  key(): string {
    return JSON.stringify([...this.readMs, this.atMs]);
  }
}

/** Shapes of which the second one takes values from the first, and whose logs grow. */
class GrowingShapes implements World<GrowingShapes>, OutgrownPorts {
  private readonly copies = new Copies<GrowingShapes>();

  constructor(private readonly lineBytes = [0, 0, 0]) {}

  grow(index: number): void {
    this.lineBytes[index] = (this.lineBytes[index] ?? 0) + 10;
  }

  shapes(): GrowingShape[] {
    const plain = { snapshotBytes: 1, snapshot: { state: 'complete' } };
    return this.lineBytes.map((lineBytes, index) => {
      return { ...plain, handle: handleOf(index + 1), dependsOn: index === 1 ? [handleOf(1)] : [], lineBytes };
    });
  }

  roomBytes(): number {
    return Infinity;
  }

  clone(fork: Fork): GrowingShapes {
    return this.copies.of(fork, () => new GrowingShapes([...this.lineBytes]));
  }

  key(): string {
    return this.lineBytes.join();
  }
}

tableContract('OutgrownLogs', {
  world: () => new GrowingShapes(),
  table: (world) => new OutgrownLogs(15, world),
  steps: fc.oneof(fc.constantFrom(0, 1, 2), fc.constant('look' as const)),
  play: (table, step, world) => (step === 'look' ? table.apply() : world.grow(step)),
});

tableContract('ShapeLimits', {
  world: () => new LimitedShapes(),
  table: (world) => new ShapeLimits({ shapesMax: 2, bytesMax: 25, inUseMs: 1 }, world),
  steps: fc.oneof(fc.constantFrom(1, 2, 3).map(handleOf), fc.constant('look' as const)),
  play(table, step, world) {
    if (step === 'look') return table.apply();
    return world.read(step);
  },
});

test('every table of the source is held to the contract', () => {
  const held = textsIn('../../test/').flatMap((text) => [...text.matchAll(/^tableContract\('(\w+)'/gm)].map(([, name]) => name));
  const tables = textsIn('../../src/').flatMap((text) => [...text.matchAll(TABLE)].map(([, name]) => name));

  expect(held.sort()).toEqual(tables.sort());
});

const TABLE = /^export class (\w+)(?: extends SupervisionTable<.*>| implements (?:Recipients)?Table<.*>(?:, \w+)?) \{$/gm;

function textsIn(folder: string): readonly string[] {
  const root = new URL(folder, import.meta.url);
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((fileName) => fileName.endsWith('.ts'));
  return files.map((fileName) => readFileSync(new URL(fileName, root), 'utf8'));
}
