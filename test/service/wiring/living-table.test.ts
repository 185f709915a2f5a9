/** What requests read is the table of the process that lives: nothing of one that has died, and none of another kind. */
import { expect, test } from 'vitest';
import { setup } from 'xstate';
import { LogProgress } from '../../../src/actors/collector/log-progress.ts';
import { Subscribers } from '../../../src/actors/subscribers.ts';
import { createRuntime } from '../../../src/otp/runtime.ts';
import { replayScheduler } from '../../../src/otp/schedulers/choosing-scheduler.ts';
import { livingTable } from '../../../src/service/wiring/living-table.ts';

const machine = setup({}).createMachine({});

test('the table of a named process is read until the process ends, and by the next one anew', async () => {
  const runtime = createRuntime({ scheduler: replayScheduler() });
  const start = async (subscribers: Subscribers) => {
    const started = runtime.start({ machine, name: '@owner', tables: () => ({ subscribers }) }, { id: 'owner' });
    runtime.drain();
    return await started;
  };
  const read = () => livingTable(runtime, '@owner', 'subscribers', Subscribers);
  const [first, second] = [new Subscribers(), new Subscribers()];

  await start(first);
  const found = [read(), livingTable(runtime, '@owner', 'subscribers', LogProgress), livingTable(runtime, '@owner', 'other', Subscribers)];
  runtime.exit('@owner', 'kill');
  runtime.drain();
  const afterwards = read();
  await start(second);

  expect([...found, afterwards, read()]).toEqual([first, undefined, undefined, undefined, second]);
});
