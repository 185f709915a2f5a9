/** A program with a provider of traces: a change can be followed from Postgres to the answer that brings it. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { trace } from '@opentelemetry/api';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor, type ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';
import { ShapeFollower } from '../support/service/shape-follower.ts';

const REPOSITORY = join(import.meta.dirname, '../..');
const exporter = new InMemorySpanExporter();
let database: TestDatabase;
let service: ServiceInProcess;

beforeAll(async () => {
  database = await createDatabase();
  await database.query('CREATE TABLE items (id integer PRIMARY KEY)');
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
  service = await startServiceInProcess({ databaseUrl: database.url, flags: { 'prometheus-port': '0' } });
});

afterAll(async () => {
  await service.remove();
  trace.disable();
  await database.drop();
});

/** The spans of this name, once there are so many. */
async function spans(name: string, count: number): Promise<readonly ReadableSpan[]> {
  const found = (): readonly ReadableSpan[] => exporter.getFinishedSpans().filter((span) => span.name === name);
  await expect.poll(() => found().length).toBe(count);
  return found();
}

test('the live answer is linked to the transaction that it brings, whose way is one trace', async () => {
  const follower = await new ShapeFollower(service.shapeUrl, { table: 'items' }).catchUp();
  const polled = follower.poll();
  await database.query('INSERT INTO items VALUES (1)');
  await polled;

  const [transaction] = await spans('armature.transaction', 1);
  const requests = await spans('GET /v1/shape', 3);
  const [snapshot] = await spans('armature.snapshot', 1);
  const stages = exporter.getFinishedSpans().filter(({ name }) => name.startsWith('armature.transaction.'));
  const live = requests.find(({ attributes }) => attributes['armature.request.live'] === true);
  expect({
    lsn: transaction?.attributes['armature.transaction.lsn'],
    operations: transaction?.attributes['armature.transaction.operations'],
    stages: stages.map((stage) => [stage.name, stage.spanContext().traceId === transaction?.spanContext().traceId]),
    links: live?.links.map(({ context }) => context.spanId),
    offset: live?.attributes['armature.shape.offset'],
    snapshot: snapshot?.attributes['armature.shape.handle'],
  }).toEqual({
    lsn: follower.offset.split('_')[0],
    operations: 1,
    stages: ['received', 'durable', 'routed', 'shown'].map((stage) => [`armature.transaction.${stage}`, true]),
    links: [transaction?.spanContext().spanId],
    offset: follower.offset,
    snapshot: follower.handle,
  });
});

test('what is built has a copy of the interface of its own, and finds the provider of the program around it', async () => {
  const program = `
    import { trace } from '@opentelemetry/api';
    import { startService } from './dist/index.js';
    const named = [];
    trace.setGlobalTracerProvider({ getTracer: (name) => named.push(name) });
    const options = { databaseUrl: process.argv[1], storage: 'memory', logger: 'silent', listen: false };
    const service = await startService(options);
    await service.stop();
    console.log(JSON.stringify(named));`;

  const words = ['--input-type=module', '--eval', program, database.url];
  const { stdout } = await promisify(execFile)(process.execPath, words, { cwd: REPOSITORY });

  expect(JSON.parse(stdout)).toEqual(['armature']);
});
