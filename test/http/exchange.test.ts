/** What is held for a request is given back at its end, whenever it was taken. */
import { afterEach, expect, test } from 'vitest';
import { Exchange } from '../../src/http/exchange.ts';
import { targetOf } from '../../src/http/routes.ts';
import { incomingRequest, type IncomingRequest } from '../support/http/incoming-request.ts';

let incoming: IncomingRequest;
const QUERIES = ['', 'live', 'live=', 'live=%20', 'live=false', 'live=true', 'live=1'];

afterEach(() => incoming.close());

test('once, at the end; and at once, when the end has been', async () => {
  incoming = await incomingRequest();
  const exchange = new Exchange('id', incoming.request, targetOf('POST', '/v1/shape'));
  const released: string[] = [];
  exchange.whenOver({ release: () => released.push('early') });
  exchange.whenOver({ release: () => released.push('second') });
  exchange.whenOver({ release: () => released.push('third') });
  const before = [...released];
  exchange.end();
  exchange.whenOver({ release: () => released.push('late') });
  expect({ before, released, isAborted: exchange.signal.aborted }).toEqual({
    before: [], released: ['early', 'second', 'third', 'late'], isAborted: true,
  });
});

test('who follows it is told the answer and the end, and never what was asked', async () => {
  incoming = await incomingRequest();
  const told: unknown[] = [];
  const exchange = new Exchange('id', incoming.request, targetOf('GET', '/v1/shape?secret=x'));

  exchange.follow({
    begun: ({ route, isLive }) => {
      told.push({ route, isLive });
      return { answered: (status, headers) => told.push({ status, headers }), over: () => told.push('over') };
    },
  });
  exchange.answered({ status: 200, headers: ['etag', '"1"'] });
  exchange.end();

  expect(told).toEqual([{ route: 'readShape', isLive: false }, { status: 200, headers: ['etag', '"1"'] }, 'over']);
});

test('it is live by the rule of the protocol', async () => {
  incoming = await incomingRequest();
  const live = QUERIES.filter((query) => {
    let isLive = false;
    const exchange = new Exchange('id', incoming.request, targetOf('GET', `/v1/shape?${query}`));
    exchange.follow({
      begun(request) {
        ({ isLive } = request);
        return undefined;
      },
    });
    return isLive;
  });

  expect(live).toEqual(['live=true', 'live=1']);
});
