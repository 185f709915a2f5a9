/** Shapes that were made for others alone: who reads one asks for it, and nobody is led to one who has not. */
import { beforeEach, expect, test } from 'vitest';
import { isRefusal } from '../../src/api/refusal.ts';
import type { ShapeResponse } from '../../src/api/shape-response.ts';
import { invariant } from '../../src/base/invariant.ts';
import type { ShapeDefinition } from '../../src/model/shape.ts';
import { createWorld, type World } from '../support/http/api-world.ts';

let world: World;

beforeEach(() => {
  world = createWorld();
});

async function read(): Promise<ShapeResponse> {
  const permit = world.api.admit(undefined);
  invariant(!isRefusal(permit), 'nobody else asks');
  const parameters = { table: 'items', offset: '-1' };
  return world.api.readShape({ parameters, ifNoneMatch: undefined, permit, signal: new AbortController().signal });
}

/** What is asked for by `read`, as it was defined for a reader before. */
async function definitionOf(): Promise<ShapeDefinition> {
  world.directory.snapshots = 'held';
  const reading = read();
  await expect.poll(() => world.directory.pending().length).toBe(1);
  const [handle] = world.directory.pending();
  const definition = handle && world.directory.definitionOf(handle);
  invariant(handle !== undefined && definition !== undefined, 'a shape was made for the reader');
  await world.directory.start(handle, { outcome: 'gone' });
  await reading;
  return definition;
}

test('the first reader of one asks for it', async () => {
  const definition = await definitionOf();
  world.directory.snapshots = { outcome: 'started' };
  const handle = world.directory.createUnrequested(definition);
  const isUnrequested = world.directory.unrequested.size;
  const answer = await read();

  expect({ isUnrequested, answer, asked: world.directory.unrequested.size, found: world.directory.find(definition) }).toMatchObject({
    isUnrequested: 1, answer: { status: 200 }, asked: 0, found: handle,
  });
});

test('a reader whose shape ends before its first row is not led to one', async () => {
  const definition = await definitionOf();
  const reading = read();
  await expect.poll(() => world.directory.pending().length).toBe(1);
  const [first] = world.directory.pending();
  invariant(first !== undefined, 'a shape was made for the reader');
  const ended = world.directory.start(first, { outcome: 'gone' });
  const other = world.directory.createUnrequested(definition);
  await ended;
  const answer = await reading;

  expect([answer, JSON.stringify(answer).includes(String(other))]).toMatchObject([{ status: 409 }, false]);
});
