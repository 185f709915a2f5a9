import { expect, test } from 'vitest';
import type { InspectionEvent } from 'xstate';
import { supervisor } from '../../src/otp/supervision/supervisor.ts';
import { puppetSpec } from '../support/otp/puppet.ts';
import { World } from '../support/otp/world.ts';

const child = (id: string) => ({ id, start: () => puppetSpec({ name: `@${id}` }) });

async function inspectedFamily() {
  const world = new World();
  const pid = await world.start(
    supervisor({
      strategy: 'one_for_one',
      children: [child('a'), child('b'), { id: 'port', start: () => ({ open: () => ({ requests: {} }) }) }],
    }),
    'sup',
  );
  const events: InspectionEvent[] = [];
  const stop = world.runtime.inspect((event) => events.push(event));
  return { world, pid, events, stop };
}

function idOf(actor: unknown): string | undefined {
  return typeof actor === 'object' && actor !== null ? String(Reflect.get(actor, 'id')) : undefined;
}

test('shows those who live already with their parents', async () => {
  const { events } = await inspectedFamily();

  expect(events.map(({ actorRef }) => [idOf(actorRef), idOf(Reflect.get(actorRef, '_parent'))])).toEqual([
    ['node', undefined],
    ['sup#1', 'node'],
    ['sup/a#2', 'sup#1'],
    ['sup/b#3', 'sup#1'],
    ['sup/port#4', 'sup#1'],
  ]);
});

test('shows deliveries with their senders, and the states after them', async () => {
  const { world, events } = await inspectedFamily();
  const before = events.length;

  world.tell('@a', { type: 'send', params: { to: '@b', event: { type: 'sleep' } } });

  const shown = events.slice(before).flatMap((event) => {
    if (event.type === '@xstate.event') return [`${idOf(event.sourceRef) ?? 'outside'} → ${idOf(event.actorRef)} ${event.event.type}`];
    return event.type === '@xstate.snapshot' ? [`${idOf(event.actorRef)} is ${JSON.stringify(Reflect.get(event.snapshot, 'value'))}`] : [];
  });
  expect(shown).toEqual(['outside → sup/a#2 do', 'sup/a#2 is "awake"', 'sup/a#2 → sup/b#3 sleep', 'sup/b#3 is "asleep"']);
});

test('shows what a port is sent as well', async () => {
  const { world, events } = await inspectedFamily();
  const port = world.runtime.tree()[0]?.children[2]?.pid ?? '@none';
  world.send(port, { type: 'nonsense' });

  expect(events.flatMap((event) => (event.type === '@xstate.event' && idOf(event.actorRef) === port ? [event.event.type] : []))).toContain(
    'nonsense',
  );
});

test('shows one that wakes below its supervisor again', async () => {
  const { world } = await inspectedFamily();
  world.tell('@a', { type: 'hibernate', params: undefined });
  world.send('@a', { type: 'sleep' });
  const woken = world.runtime.refOf('@a');

  expect(idOf(Reflect.get(woken ?? {}, '_parent'))).toBe('sup#1');
});

test('says nothing more once it is ended', async () => {
  const { world, events, stop } = await inspectedFamily();
  const before = events.length;

  stop();
  world.send('@a', { type: 'sleep' });

  expect(events.length).toBe(before);
});
