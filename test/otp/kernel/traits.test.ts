/** Processes of one kind share what they have in common; what differs in anything is a kind of its own. */
import { expect, test } from 'vitest';
import { replayScheduler } from '../../../src/otp/schedulers/choosing-scheduler.ts';
import { ProcessKernel } from '../../../src/otp/kernel/kernel.ts';
import type { MachineSpec } from '../../../src/otp/process.ts';
import { TraitsTable } from '../../../src/otp/kernel/traits.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { puppetSpec } from '../../support/otp/puppet.ts';

const table = () => new TraitsTable(new ProcessKernel(new ManualClock(), replayScheduler()));

test('two processes of one kind have the same traits', () => {
  const traits = table();

  expect(traits.of(puppetSpec({ trapExit: true }), 10)).toBe(traits.of(puppetSpec({ trapExit: true }), 10));
});

test.each<Partial<MachineSpec>>([
  { spawns: {} },
  { trapExit: true },
  { mailboxMax: 7 },
  { mailboxOverflow: 'drop_oldest' },
  { hibernateAfterMs: 7 },
])('of two that differ by %j each has its own', (difference) => {
  const traits = table();

  expect([{}, difference, {}].map((options) => traits.of(puppetSpec(options)))).toMatchObject([
    {},
    difference,
    { trapExit: false, mailboxMax: 100_000, mailboxOverflow: 'crash' },
  ]);
});

test('of two that may take differently long to stop each has its own', () => {
  const traits = table();

  expect([10, 20, undefined].map((shutdown) => traits.of(puppetSpec(), shutdown).shutdown)).toEqual([10, 20, 5_000]);
});

test('a port traps nothing, may hold as much as a machine, and has as long to stop', () => {
  const port = { open: () => ({ requests: {} }) };

  expect(table().of(port)).toMatchObject({ trapExit: false, mailboxMax: 100_000, mailboxOverflow: 'crash', shutdown: 5_000 });
});
