/** A logger of the program's own gets each line; one that fails ends nothing, and loses no line. */
import { expect, test } from 'vitest';
import { forwardingLogger } from '../../src/telemetry/forwarding-logger.ts';

type Write = (fields: object, message: string) => void;

const loggerOf = (write: Write) => ({ level: 'info', trace: write, debug: write, info: write, warn: write, error: write, fatal: write });

test('each line is given to it at once', () => {
  const given: unknown[] = [];

  forwardingLogger(loggerOf((fields, message) => void given.push([fields, message]))).info({ handle: '1-1' }, 'shape.started');

  expect(given).toEqual([[{ handle: '1-1' }, 'shape.started']]);
});

test.each<{ what: string; write: unknown }>([
  { what: 'throws', write: () => { throw new Error('the disk is full'); } },
  { what: 'rejects', write: () => Promise.reject(new Error('the disk is full')) },
  { what: 'lacks a level', write: undefined },
])('one that $what ends nobody, and its line is written elsewhere', async ({ write }) => {
  const written = new Promise<string>((resolve) => {
    const logger = forwardingLogger(loggerOf(write as Write), { write: resolve });
    logger.error({ requestId: 'a' }, 'a request failed, password=hunter2');
  });

  expect(JSON.parse(await written)).toEqual({
    level: 'error',
    time: expect.any(String),
    requestId: 'a',
    msg: expect.not.stringContaining('hunter2'),
  });
});
