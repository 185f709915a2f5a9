/** `--inspect` on the running service: whoever reads the stream can draw its machines, and sees a hand-over step by step. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { InspectionClient } from '../support/service/inspection-client.ts';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';
import { freePort } from '../support/service/service-process.ts';
import { ShapeFollower } from '../support/service/shape-follower.ts';

let database: TestDatabase;
let service: ServiceInProcess;
let client: InspectionClient;

beforeAll(async () => {
  database = await createDatabase();
  await database.query('CREATE TABLE items (id integer PRIMARY KEY, size integer); INSERT INTO items VALUES (1, 10)');
  const port = await freePort();
  service = await startServiceInProcess({ databaseUrl: database.url, flags: { inspect: true, 'inspect-port': String(port) } });
  client = new InspectionClient(`http://127.0.0.1:${port}`);
});

afterAll(async () => {
  await service.remove();
  await database.drop();
});

test('the official receiver finds both machines, and the events of one hand-over in order', async () => {
  await client.until((event) => event.type === '@xstate.actor');
  const { handle = '' } = await new ShapeFollower(service.shapeUrl, { table: 'items' }).catchUp();
  const args = { handle, column: 'size', consumer: service.runtime.whereis(`@consumer/${handle}`), dependant: '@consumers' };
  await service.runtime.call('@consumers', { type: 'startChild', template: 'materializer', args });
  await service.runtime.call(`@materializer/${handle}/size`, { type: 'currentValues' });
  const [consumer = '', materializer = ''] = [
    service.runtime.whereis(`@consumer/${handle}`),
    service.runtime.whereis(`@materializer/${handle}/size`),
  ];

  await database.query('INSERT INTO items VALUES (2, 20)');
  await client.untilDelivered(consumer, 'appended.done');

  const story = client.story().map((line) => line.replaceAll(materializer, 'materializer').replaceAll(consumer, 'consumer'));
  const between = story.filter((line) => /^(materializer → consumer|consumer → materializer) /.test(line));
  const definitions = [consumer, materializer].map((name) => client.definitionOf(name));
  expect({
    between: [...new Set(between)], // What is postponed is told again when it is delivered.
    machines: definitions.map(({ id }) => id),
    states: definitions.map(({ states }) => Object.keys(states ?? {})),
  }).toEqual({
    between: [
      'materializer → consumer awaitSnapshotStart',
      'consumer → materializer snapshot.isStarted',
      'materializer → consumer subscribeMaterializer',
      'consumer → materializer consumer.subscribed',
      'consumer → materializer takeAppended',
      'materializer → consumer appended.done',
    ],
    machines: ['consumer', 'materializer'],
    states: [
      expect.arrayContaining(['running', 'closed']),
      expect.arrayContaining(['awaitingSnapshot', 'subscribing', 'replaying', 'catchingUp', 'live']),
    ],
  });
});
