/** The room that bodies take: counted while their requests are not over, and given back exactly once. */
import { afterEach, expect, test } from 'vitest';
import { BODY_LIMITS, BodyIntake } from '../../src/http/bodies/body-intake.ts';
import { Exchange } from '../../src/http/exchange.ts';
import { targetOf } from '../../src/http/routes.ts';
import { incomingRequest, type IncomingRequest } from '../support/http/incoming-request.ts';
import { ManualClock } from '../support/manual-clock.ts';

const opened: IncomingRequest[] = [];

async function incoming(): Promise<{ exchange: Exchange; from: IncomingRequest }> {
  const from = await incomingRequest();
  opened.push(from);
  return { exchange: new Exchange('id', from.request, targetOf('POST', '/v1/shape')), from };
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((each) => each.close()));
});

test('a body takes room until its request is over', async () => {
  const intake = new BodyIntake(new ManualClock(), BODY_LIMITS);
  const { exchange, from } = await incoming();
  const received = intake.receive(exchange);
  from.write('{}');
  from.end();
  const [body, whileServed] = [await received, intake.heldBytes];
  exchange.end();
  expect([body, whileServed, intake.heldBytes]).toEqual([{ bytes: Buffer.from('{}') }, 2, 0]);
});

test('a body that gave way gives its room back once, also when its request ends later', async () => {
  const intake = new BodyIntake(new ManualClock(), { ...BODY_LIMITS, totalBytesMax: 6 });
  const [first, second] = [await incoming(), await incoming()];
  const large = intake.receive(first.exchange);
  first.from.write('12345');
  first.from.end();
  await large;
  const small = intake.receive(second.exchange);
  second.from.write('12');
  second.from.end();
  await small;
  const [afterwards, reason] = [intake.heldBytes, first.exchange.signal.aborted];
  first.exchange.end();
  expect([afterwards, reason, intake.heldBytes]).toEqual([2, true, 2]);
});

test('a body that has come is not among those on their way any more', async () => {
  const intake = new BodyIntake(new ManualClock(), { ...BODY_LIMITS, arrivingMax: 1 });
  const [first, second] = [await incoming(), await incoming()];
  const there = intake.receive(first.exchange);
  first.from.end();
  await there;
  const later = intake.receive(second.exchange);
  second.from.end();
  expect([await later, first.exchange.signal.aborted]).toEqual([{ bytes: Buffer.alloc(0) }, false]);
});

const ENDS = [{ when: 'before its body is asked for' }, { when: 'while its body comes' }];

test.each(ENDS)('a request that ends $when holds no room', async ({ when }) => {
  const intake = new BodyIntake(new ManualClock(), { ...BODY_LIMITS, arrivingMax: 1 });
  const [{ exchange, from }, next] = [await incoming(), await incoming()];
  if (when.startsWith('before')) exchange.end();
  const gone = intake.receive(exchange);
  exchange.end();
  from.write('12345');
  from.end();
  const outcome = await gone;
  const later = intake.receive(next.exchange);
  next.from.write('{}');
  next.from.end();

  expect([outcome, await later, intake.heldBytes]).toEqual([undefined, { bytes: Buffer.from('{}') }, 2]);
});
