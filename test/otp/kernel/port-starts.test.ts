/** A port between its birth and its being open: it may be held still, told to stop, or killed. */
import { expect, test } from 'vitest';
import type { Message, PortHandle, PortSpec, Pid } from '../../../src/otp/process.ts';
import { World } from '../../support/otp/world.ts';

interface Opening {
  readonly spec: PortSpec;
  readonly log: string[];
  readonly open: (how?: 'ignore') => void;
}

/** A port that opens when the test lets it. */
function opening(): Opening {
  const log: string[] = [];
  const casts = { note: ({ what = 'noted' }: Message) => void log.push(String(what)) };
  const handle: PortHandle = { requests: {}, casts, close: () => void log.push('closed') };
  let open: Opening['open'] = () => undefined;
  const opened = new Promise<PortHandle | 'ignore'>((resolve) => (open = (how) => resolve(how ?? handle)));
  return { spec: { open: () => opened }, log, open: (how) => open(how) };
}

/** Born, and not begun before the test drains. */
function born(world: World, spec: PortSpec): { readonly pid: Pid; readonly outcome: Promise<unknown> } {
  const outcome = world.runtime.start(spec, { id: 'port' }).catch((error: unknown) => error);
  return { pid: world.runtime.tree().at(-1)?.pid ?? ('none#0' as Pid), outcome };
}

test('told to stop while it opens, it ends when it has opened and closed again, for the first reason that it was told', async () => {
  const world = new World();
  const { spec, log, open } = opening();
  const { pid, outcome } = born(world, spec);
  world.runtime.drain();
  world.exit(pid, 'shutdown');
  world.exit(pid, { shutdown: 'again' });
  const before = { alive: world.isAlive(pid), log: [...log] };
  open();
  await world.settle();

  expect({ before, log, outcome: await outcome }).toMatchObject({
    before: { alive: true, log: [] },
    log: ['closed'],
    outcome: { reason: 'shutdown' },
  });
});

test('told to stop before it finds that there is nothing to do, it ends as told', async () => {
  const world = new World();
  const { spec, open } = opening();
  const { pid, outcome } = born(world, spec);
  world.runtime.drain();
  world.exit(pid, 'shutdown');
  open('ignore');
  await world.settle();

  expect({ outcome: await outcome, reason: world.reasonOf(pid) }).toMatchObject({ outcome: { reason: 'shutdown' }, reason: 'shutdown' });
});

test('killed while it opens, it closes what it has opened, and is told as killed', async () => {
  const world = new World();
  const { spec, log, open } = opening();
  const { pid, outcome } = born(world, spec);
  world.runtime.drain();
  world.exit(pid, 'kill');
  open();
  await world.settle();

  expect({ log, outcome: await outcome }).toMatchObject({ log: ['closed'], outcome: { reason: 'killed' } });
});

test('ended while it is held still before its birth, it is never opened', async () => {
  const world = new World();
  const { spec } = opening();
  const { pid, outcome } = born(world, spec);
  world.runtime.suspend(pid);
  world.runtime.send(pid, { type: 'note' });
  const stranger = await world.puppet('stranger');
  world.tell(stranger, { type: 'exit', params: { process: pid, reason: 'shutdown' } });

  expect(await outcome).toMatchObject({ reason: 'shutdown' });
});

test('what had to wait until it was open waits no more', async () => {
  const world = new World();
  const { spec, log, open } = opening();
  const { pid } = born(world, spec);
  world.send(pid, { type: 'note' });
  const before = world.runtime.processInfo(pid)?.mailboxLength;
  open();
  await world.settle();

  expect({ before, after: world.runtime.processInfo(pid)?.mailboxLength, log }).toEqual({ before: 1, after: 0, log: ['noted'] });
});

test('held still while it opens, it goes on with what came before that, and then with what came since', async () => {
  const world = new World();
  const { spec, log, open } = opening();
  const { pid } = born(world, spec);
  world.send(pid, { type: 'note', what: 'before' });
  world.runtime.suspend(pid);
  world.send(pid, { type: 'note', what: 'since' });
  open();
  await world.settle();
  const held = [...log];
  world.runtime.resume(pid);
  world.runtime.drain();

  expect({ held, log }).toEqual({ held: [], log: ['before', 'since'] });
});
