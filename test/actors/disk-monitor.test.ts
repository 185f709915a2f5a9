/** The disk is tried with back-off while it refuses, and the status monitor and the journal hear of both ends. */
import { expect, test } from 'vitest';
import { diskMonitor } from '../../src/actors/disk-monitor.ts';
import { walk } from '../support/actors/lone-machine.ts';

const self = 'disk-monitor#1';
const error = { code: 'ENOSPC', meaning: 'ENOSPC: no space is left on the device', message: 'cannot write /log: ENOSPC' };
const refused = { type: 'disk.refused', error };
const retry = { type: 'timeout.retry' };
const noted = (retryInMs: number) => ({
  type: 'send',
  params: { to: '@journal', event: { type: 'note', level: 'error', what: 'storage.refused', error, retryInMs } },
});

test('what the disk refuses is told, and tried again', () => {
  const { value, asked } = walk(diskMonitor, { self }, refused);

  expect({ value, asked }).toEqual({
    value: 'waiting',
    asked: [
      { type: 'cancelTimer', params: { name: 'proven' } },
      { type: 'send', params: { to: '@status-monitor', event: { type: 'condition.lost', condition: 'storage' } } },
      noted(50),
      { type: 'startTimer', params: { name: 'retry', delayMs: 50 } },
    ],
  });
});

test('it is tried less and less often, every ten seconds in the end', () => {
  const often = Array.from({ length: 12 }, () => [retry, refused]).flat();
  const { value, asked } = walk(diskMonitor, { self }, refused, ...often);

  expect({ value, asked }).toEqual({
    value: 'waiting',
    asked: [noted(10_000), { type: 'startTimer', params: { name: 'retry', delayMs: 10_000 } }],
  });
});

test('a disk that takes everything again is vouched for, and once it has for a while the next refusal is tried soon', () => {
  const over = walk(diskMonitor, { self }, refused, retry, { type: 'disk.took' });
  const { asked } = walk(diskMonitor, { self }, refused, retry, refused, retry, { type: 'disk.took' }, { type: 'timeout.proven' }, refused);

  expect({ value: over.value, asked: over.asked.map(({ type }) => type), soon: asked.at(-1) }).toEqual({
    value: 'taking',
    asked: ['send', 'call', 'startTimer', 'send'],
    soon: { type: 'startTimer', params: { name: 'retry', delayMs: 50 } },
  });
});

test.each([
  ['while it watches', []],
  ['while it tries', [refused, retry]],
])('a port that is gone %s is tried again too', (when, before) => {
  const failed = { type: when === 'while it watches' ? 'watch.failed' : 'trial.failed', to: '@disk', request: 'any', reason: 'noproc' };

  expect(walk(diskMonitor, { self }, ...before, failed).value).toBe('waiting');
});
