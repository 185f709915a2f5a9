/** What is held for a request is given back at its end, whenever it was taken. */
import { afterEach, expect, test } from 'vitest';
import { Exchange } from '../../src/http/exchange.ts';
import { targetOf } from '../../src/http/routes.ts';
import { incomingRequest, type IncomingRequest } from '../support/http/incoming-request.ts';

let incoming: IncomingRequest;

afterEach(() => incoming.close());

test('once, at the end; and at once, when the end has been', async () => {
  incoming = await incomingRequest();
  const exchange = new Exchange('id', incoming.request, targetOf('POST', '/v1/shape'), new URLSearchParams());
  const released: string[] = [];
  exchange.whenOver(() => released.push('early'));
  const before = [...released];
  exchange.end();
  exchange.whenOver(() => released.push('late'));
  expect({ before, released, isAborted: exchange.signal.aborted }).toEqual({ before: [], released: ['early', 'late'], isAborted: true });
});
