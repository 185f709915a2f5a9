import { expect, test } from 'vitest';
import { transactionWay } from '../../src/observer/messages/transaction-way.ts';
import { Recorder } from '../../src/observer/recording/recorder.ts';
import type { Address, Message } from '../../src/otp/process.ts';
import { choosingScheduler } from '../../src/otp/schedulers/choosing-scheduler.ts';
import { puppetSpec } from '../support/otp/puppet.ts';
import { World } from '../support/otp/world.ts';

/** A collector and the Consumers of two shapes, who say to each other what they are told to. */
async function recorded() {
  const world = new World(choosingScheduler(() => 0));
  const collector = await world.start(puppetSpec({ name: '@collector' }), 'collector');
  const [one, other] = [await world.start(puppetSpec({ name: '@one' }), 'one'), await world.start(puppetSpec({ name: '@other' }), 'other')];
  const pids = { one, other };
  const recorder = new Recorder(world.runtime, world.clock);
  const say = (from: Address, to: Address, event: Message): void => {
    world.tell(from, { type: 'send', params: { to, event } });
    world.runtime.drain();
  };
  const extended = (through: number, lsn: string): void => say('@collector', collector, { type: 'log.extended', through, lsn });
  const bring = (shape: keyof typeof pids, through: number): void => {
    say('@collector', pids[shape], { type: 'batch', through, replyTo: 'reply-1' });
    say(`@${shape}`, collector, { type: 'batch.taken' });
  };
  const wayOf = (asked: { xid?: string; lsn?: string }) => {
    const { view } = transactionWay(recorder, { xid: asked.xid, lsn: asked.lsn as never });
    return view.stages.map(({ stage, handle }) => (handle === null ? stage : `${stage} ${handle}`));
  };
  return { recorder, extended, bring, wayOf };
}

test('the way of a transaction tells no stage of the next one, which goes to another shape or to the same', async () => {
  const { recorder, extended, bring, wayOf } = await recorded();
  recorder.look();

  recorder.noteReceived(7 as never, '100' as never);
  extended(10, '100');
  bring('one', 10);
  recorder.noteReceived(8 as never, '200' as never);
  extended(20, '200');
  bring('other', 20);
  bring('one', 20);

  expect({ first: wayOf({ xid: '7' }), next: wayOf({ lsn: '200' }) }).toEqual({
    first: ['received', 'durable', 'routed one', 'taken one'],
    next: ['received', 'durable', 'routed other', 'taken other', 'routed one', 'taken one'],
  });
});

test('of a transaction from before the recording nothing is told, for what is recorded is of others', async () => {
  const { recorder, extended, bring, wayOf } = await recorded();
  recorder.look();

  extended(20, '200');
  bring('one', 20);
  extended(30, '300');
  bring('other', 30);

  expect([wayOf({ lsn: '100' }), wayOf({ lsn: '200' }), wayOf({ lsn: '250' })]).toEqual([
    [],
    ['durable', 'routed one', 'taken one'],
    ['durable', 'routed other', 'taken other'],
  ]);
});
