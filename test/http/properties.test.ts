/** Whatever a client sends, it gets an answer that it can read: never a fault of ours, never silence. */
import fc from 'fast-check';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { itemLine } from '../support/api-world.ts';
import { startHttpWorld, type HttpWorld } from '../support/http-world.ts';

let world: HttpWorld;
let handle: string;

beforeAll(async () => {
  world = await startHttpWorld({ rows: [itemLine('1', 'a')], settings: { longPollTimeoutMs: 20 } });
  const response = await world.shape('table=items&offset=-1');
  await response.text();
  handle = response.headers.get('electric-handle') ?? '';
  world.append(handle, 100, itemLine('2', 'b'));
});

afterAll(() => world.close());

/** Text that is likely to matter, and text that is not. */
const value = fc.oneof(
  fc.constantFrom('', ' ', 'items', 'public.items', '"items"', '-1', 'now', '0_0', '0_inf', '0_7', '100_0', '100_1', '18446744073709551615_9', 'true', 'false',
    'full', 'changes_only', 'id', 'id,value', '"id"', 'id,', "value='a'", "nope='a'", '\0', '%', '__proto__', '[]'),
  fc.constant('HANDLE'),
  fc.string({ unit: 'binary', maxLength: 20 }),
);
const name = fc.oneof(
  fc.constantFrom('table', 'offset', 'handle', 'live', 'live_sse', 'experimental_live_sse', 'cursor', 'where', 'params', 'params[1]', 'params[x][y]', 'params[]',
    'columns', 'queryable_columns', 'replica', 'log', 'subset__where', 'experimental_compaction', '__proto__', '__proto__[x]', 'constructor'),
  fc.string({ unit: 'binary', maxLength: 8 }),
);
const likely = fc.record({ table: fc.constant('items'), offset: value, handle: value }).map((known): [string, string][] => Object.entries(known));
const query = fc.tuple(fc.oneof(likely, fc.constant([])), fc.array(fc.tuple(name, value), { maxLength: 6 })).map(([known, more]) => [...known, ...more]);

const ANSWERS = [200, 202, 304, 400, 404, 405, 409, 413];

/** Moves time until the answer is there: a wait that has no end would never be over. */
async function answered(response: Promise<Response>): Promise<{ status: number; hasElectricHeaders: boolean }> {
  let answer: Response | undefined;
  const settled = response.then(async (arrived) => {
    await arrived.text();
    answer = arrived;
  });
  await world.until(() => {
    world.clock.advance(20);
    return answer !== undefined;
  });
  await settled;
  const headers = answer?.headers;
  return {
    status: answer?.status ?? 0,
    hasElectricHeaders: ['electric-handle', 'electric-offset'].every((each) => headers?.has(each) ?? false),
  };
}

test('a query of any kind is answered, and a 200 has what clients demand', async () => {
  await fc.assert(
    fc.asyncProperty(query, fc.constantFrom('GET', 'HEAD', 'POST', 'DELETE'), fc.option(fc.json(), { nil: undefined }), async (pairs, method, body) => {
      const search = new URLSearchParams(pairs.map(([key, text]): [string, string] => [key, text === 'HANDLE' ? handle : text]));
      const init = method === 'POST' && body !== undefined ? { method, body } : { method };
      const { status, hasElectricHeaders } = await answered(world.shape(search.toString(), init));
      return ANSWERS.includes(status) && (status !== 200 || hasElectricHeaders);
    }),
    { numRuns: 600 },
  );
  await world.until(() => world.api.load().initial + world.api.load().existing === 0);
  expect([world.failures, world.api.load()]).toEqual([[], { initial: 0, existing: 0, parked: 0 }]);
});

test('bytes that are no HTTP end the connection and nothing else', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 60 }), fc.boolean(), async (bytes, startsWell) => {
      const socket = connect(world.port, '127.0.0.1');
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.on('error', () => {});
      socket.resume();
      if (startsWell) socket.write('GET /v1/health?');
      socket.end(bytes);
      await closed;
    }),
    { numRuns: 100 },
  );
  expect([(await world.get('/v1/health')).status, world.failures]).toEqual([200, []]);
});
