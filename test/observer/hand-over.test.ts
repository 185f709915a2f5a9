import { expect, onTestFinished, test } from 'vitest';
import { startInspectionServer } from '../../src/observer/inspection-server.ts';
import { NAMES, HandOverWorld } from '../support/hand-over/hand-over-world.ts';
import { InspectionClient } from '../support/service/inspection-client.ts';

const CONSUMER = 'consumers/consumer#12';
const MATERIALIZER = 'consumers/materializer#14';

/** One shape, watched from the start: a row is committed, a Materializer subscribes, another row is committed. */
async function watchHandOver(): Promise<InspectionClient> {
  const world = new HandOverWorld(() => 0);
  const { runtime } = world;
  const server = await startInspectionServer({ runtime, port: 0 });
  onTestFinished(() => server.close());
  const client = new InspectionClient(server.url);
  await client.until((event) => event.type === '@xstate.actor');
  await world.begin();
  world.createShape();
  for (const happen of [
    () => runtime.send(NAMES.consumers, { type: 'startChild', template: 'consumer', args: {} }),
    () => commit(world, 0, '7'),
    () => runtime.send(NAMES.consumers, { type: 'startChild', template: 'materializer', args: {} }),
    () => commit(world, 1, '8'),
    () => runtime.send('@shape-cache', { type: 'confirmHandle' }),
  ]) {
    happen();
    do await world.settle();
    while (runtime.drain() > 0);
  }
  await client.untilDelivered('directory#8', 'confirmHandle');
  return client;
}

function commit({ runtime }: HandOverWorld, index: number, value: string): void {
  runtime.send('@writer', { type: 'begin' });
  runtime.send('@writer', { type: 'commit', index, wishes: [{ row: index, value, remove: false }] });
  runtime.send('@writer', { type: 'show', index });
}

test('a reader of the stream sees the Consumer hand over to the Materializer, step by step', async () => {
  const client = await watchHandOver();

  const story = client.story().filter((line) => line.startsWith(MATERIALIZER) || line.includes(`→ ${MATERIALIZER}`));
  expect(story.map((line) => line.replaceAll(MATERIALIZER, 'materializer').replaceAll(CONSUMER, 'consumer'))).toEqual([
    'materializer is "awaitingSnapshot"',
    'consumers#11 → materializer xstate.init',
    'materializer → consumer awaitSnapshotStart',
    'materializer → consumers#11 STARTED',
    'consumer → materializer snapshot.isStarted',
    'materializer is "subscribing"',
    'materializer → consumer subscribeMaterializer',
    'consumer → materializer consumer.subscribed',
    'materializer is {"replaying":"reading"}',
    'materializer → shape-reader#2 readBlock',
    'shape-reader#2 → materializer history.blockRead',
    'materializer → materializer values.applied',
    'materializer → shape-reader#2 readBlock',
    'shape-reader#2 → materializer history.blockRead',
    'materializer → materializer values.applied',
    'materializer is {"live":"waiting"}',
    'consumer → materializer takeAppended',
    'materializer is {"live":{"following":"reading"}}',
    'materializer → shape-reader#2 readBlock',
    'shape-reader#2 → materializer history.blockRead',
    'materializer → materializer values.applied',
    'materializer is {"live":"waiting"}',
    'materializer → consumer appended.done',
  ]);
});

test('the machines of both can be drawn from the stream alone', async () => {
  const client = await watchHandOver();

  const [consumer, materializer] = [CONSUMER, MATERIALIZER].map((name) => client.definitionOf(name));
  expect({
    consumer: { id: consumer?.id, states: Object.keys(consumer?.states ?? {}) },
    materializer: { id: materializer?.id, states: Object.keys(materializer?.states ?? {}) },
    deepest: JSON.stringify(consumer).includes('"block.loaded":{"target":"taking"'),
  }).toMatchObject({
    consumer: { id: 'consumer', states: ['running', 'refusing', 'draining', 'closed'] },
    materializer: {
      id: 'materializer',
      states: expect.arrayContaining(['awaitingSnapshot', 'subscribing', 'replaying', 'catchingUp', 'live']) as unknown,
    },
    deepest: true,
  });
});
