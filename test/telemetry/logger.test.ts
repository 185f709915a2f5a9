import { expect, test } from 'vitest';
import { humanLines } from '../../src/telemetry/human-lines.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { keptLog } from '../support/storage/log-lines.ts';

test('writes one JSON line: when, how grave, what, and nothing of the machine', () => {
  const written: string[] = [];
  const logger = createLogger({
    level: 'info',
    destination: { write: (line) => void written.push(line) },
    clock: { epochMicros: () => 1_500_000 },
  });

  logger.info({ handle: '1-1' }, 'shape.started');
  logger.debug('too much');

  expect(written).toEqual(['{"level":"info","time":"1970-01-01T00:00:01.500Z","handle":"1-1","msg":"shape.started"}\n']);
});

test('strikes secrets out wherever they are given', () => {
  const { logger, lines } = keptLog('info');

  logger
    .child({ url: 'postgres://ada:hunter2@db/app' })
    .warn({ request: { query: { API_Secret: 'hunter2' } } }, 'sent %s', 'token=hunter2');
  logger.error(new Error('password=hunter2'));

  expect({ text: JSON.stringify(lines()).includes('hunter2'), messages: lines().map(({ msg }) => msg) }).toEqual({
    text: false,
    messages: ['sent token=[redacted]', 'password=[redacted]'],
  });
});

test('an error alone is a line with `err`', () => {
  const { logger, lines } = keptLog('info');

  logger.error(Object.assign(new RangeError('no'), { stack: 'at here', code: 'X' }));

  expect(lines()).toEqual([{ level: 'error', err: { type: 'RangeError', message: 'no', stack: 'at here', code: 'X' }, msg: 'no' }]);
});

test('a person at a terminal reads words', () => {
  const read: string[] = [];
  const destination = humanLines({ write: (line) => void read.push(line) });
  const logger = createLogger({ level: 'info', destination, clock: { epochMicros: () => 3_723_000_000 } });

  logger.warn({ error: { code: '53300', message: 'too many clients' }, retryInMs: 100 }, 'replication.refused');

  expect(read).toEqual(['01:02:03 warn replication.refused error.code=53300 error.message="too many clients" retryInMs=100\n']);
});
