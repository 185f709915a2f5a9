/** A log that nobody reads. */
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { BoundedLines } from '../../../src/commands/serving/bounded-lines.ts';
import { ManualClock } from '../../support/manual-clock.ts';

test('what nobody reads waits up to a bound; behind it lines are dropped, and counted for who reads again', async () => {
  const pipe = new PassThrough();
  const lines = new BoundedLines(pipe, new ManualClock());
  const line = `${'x'.repeat(1024 * 1024 - 1)}\n`;

  for (let count = 0; count < 20; count += 1) lines.write(line);
  const waiting = pipe.writableLength;
  let read = '';
  pipe.on('data', (bytes) => (read += String(bytes)));
  await once(pipe, 'drain');
  for (const text of ['one\n', 'two\n']) lines.write(text);
  pipe.end();
  await once(pipe, 'end');

  const whole = read.split('\n').filter((text) => text.startsWith('x')).length;
  const [told = '', ...others] = read.split('\n').filter((text) => !text.startsWith('x'));
  expect({ waiting, whole, told: JSON.parse(told) as unknown, others }).toEqual({
    waiting: 8 * 1024 * 1024,
    whole: 8,
    told: { level: 'warn', time: expect.stringMatching(/Z$/) as string, count: 12, msg: 'log.dropped' },
    others: ['one', 'two', ''],
  });
});
