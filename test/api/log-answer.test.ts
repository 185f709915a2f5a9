/** The answer to a client that holds what it would get. */
import { expect, test } from 'vitest';
import { isRefusal } from '../../src/api/refusal.ts';
import type { ShapeResponse } from '../../src/api/shape-response.ts';
import { invariant } from '../../src/base/invariant.ts';
import { createWorld, itemLine, type World } from '../support/http/api-world.ts';

async function read(world: World, ifNoneMatch?: string): Promise<ShapeResponse> {
  const permit = world.api.admit(undefined);
  invariant(!isRefusal(permit), 'nobody else asks');
  return world.api.readShape({ parameters: { table: 'items', offset: '-1' }, ifNoneMatch, permit, signal: new AbortController().signal });
}

test('has the tag of what it holds, and no body is read for it', async () => {
  const world = createWorld({ rows: [itemLine('1', 'a')] });
  const first = await read(world);
  const etag = 'etag' in first ? first.etag : '';
  expect(await read(world, etag)).toMatchObject({ kind: 'log', status: 304, etag, body: [] });
});
