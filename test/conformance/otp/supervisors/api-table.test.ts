/** What a supervisor answers about a child that runs, is down, is being restarted or is not there: each cell of the table. */
import { describe, expect, test } from 'vitest';
import type { Address, Message } from '../../../../src/otp/process.ts';
import { FAILS_FOR_EVER, Family } from '../../../support/otp/family.ts';
import { Nursery } from '../../../support/otp/nursery.ts';

const REQUESTS = ['startChild', 'terminateChild', 'restartChild', 'deleteChild', 'getChildSpec', 'whichChild'] as const;
const STATES = ['running', 'down', 'restarting', 'unknown'] as const;
type Request = (typeof REQUESTS)[number];
type State = (typeof STATES)[number];

const SPEC = { type: 'child.spec', spec: { id: 'a', restart: 'permanent', shutdown: 5_000, significant: false, type: 'worker' } };
const TERMINATED = { type: 'child.terminated', id: 'a' };

const which = (status: string, pid: string | undefined) => ({ type: 'child', child: { id: 'a', pid, status, type: 'worker' } });
const refused = (reason: string, pid?: string) => ({ type: 'child.refused', id: 'a', reason, ...(pid === undefined ? {} : { pid }) });

const ANSWERS: Readonly<Record<Request, Readonly<Record<State, unknown>>>> = {
  startChild: {
    running: refused('already_started', 'sup/a#3'),
    down: refused('already_present'),
    restarting: refused('already_present'),
    unknown: { type: 'child.started', id: 'a', pid: 'sup/a#3' },
  },
  terminateChild: { running: TERMINATED, down: TERMINATED, restarting: TERMINATED, unknown: refused('not_found') },
  restartChild: {
    running: refused('running'),
    down: { type: 'child.started', id: 'a', pid: 'sup/a#4' },
    restarting: refused('restarting'),
    unknown: refused('not_found'),
  },
  deleteChild: {
    running: refused('running'),
    down: { type: 'child.deleted', id: 'a' },
    restarting: refused('restarting'),
    unknown: refused('not_found'),
  },
  getChildSpec: { running: SPEC, down: SPEC, restarting: SPEC, unknown: refused('not_found') },
  whichChild: {
    running: which('up', 'sup/a#3'),
    down: which('down', undefined),
    restarting: which('restarting', undefined),
    unknown: refused('not_found'),
  },
};

describe('static', () => {
  const cells = REQUESTS.flatMap((request) => STATES.map((state) => ({ request, state })));

  test.each(cells)('S5-073 S5-100 S5-103 $request, $state', async ({ request, state }) => {
    const family = await familyIn(state);

    const answer = await family.ask(request === 'startChild' ? startOf('a') : { type: request, id: 'a' });

    expect(answer).toEqual(ANSWERS[request][state]);
  });

  test('S5-101 terminateChild wants an id: by a pid nobody is found', async () => {
    const family = await familyIn('running');

    expect(await family.ask({ type: 'terminateChild', pid: family.child('a') })).toEqual({ type: 'child.refused', reason: 'not_found' });
  });
});

describe('dynamic, by pid', () => {
  const cells = [
    ['terminateChild', 'running', TERMINATED],
    ['terminateChild', 'down', { type: 'child.refused', reason: 'not_found' }],
    ['terminateChild', 'restarting', TERMINATED],
    ['terminateChild', 'unknown', { type: 'child.refused', reason: 'not_found' }],
    ['getChildSpec', 'running', SPEC],
    ['getChildSpec', 'down', { type: 'child.refused', reason: 'not_found' }],
    ['getChildSpec', 'restarting', SPEC],
    ['getChildSpec', 'unknown', { type: 'child.refused', reason: 'not_found' }],
    ['whichChild', 'running', which('up', 'nursery/a#3')],
    ['whichChild', 'down', { type: 'child.refused', reason: 'not_found' }],
    ['whichChild', 'restarting', which('restarting', undefined)],
    ['whichChild', 'unknown', { type: 'child.refused', reason: 'not_found' }],
    ...STATES.flatMap((state) =>
      (['restartChild', 'deleteChild'] as const).map((request) => [request, state, { type: 'child.refused', reason: 'dynamic' }] as const),
    ),
  ] as const;

  test.each(cells)('S5-002 S5-076 S5-078 S6-021 %s, %s (a pid that has ended: not found, as in Elixir)', async (request, state, answer) => {
    const { nursery, pid } = await nurseryIn(state);

    expect(await nursery.ask({ type: request, pid })).toEqual(answer);
  });

  test('S5-002 an id is as good as a pid here', async () => {
    const nursery = await Nursery.start();
    await nursery.add('a');

    const answers = [
      await nursery.ask({ type: 'getChildSpec', id: 'a' }),
      await nursery.ask({ type: 'terminateChild', id: 'a' }),
      await nursery.ask({ type: 'terminateChild', id: 'a' }),
    ];

    expect(answers).toEqual([SPEC, TERMINATED, refused('not_found')]);
  });
});

function startOf(id: string): Message {
  return { type: 'startChild', template: 'puppet', args: { type: 'args', id, plan: {} } };
}

async function familyIn(state: State): Promise<Family> {
  const a = { a: { starts: state === 'restarting' ? FAILS_FOR_EVER : [] } };
  const family = await Family.start({ other: {}, ...(state === 'unknown' ? {} : a) }, { maxRestarts: 1_000_000 });
  if (state === 'down') await family.ask({ type: 'terminateChild', id: 'a' });
  if (state === 'restarting') family.crashInLoop('a');
  return family;
}

/** With the pid that the child a has, or had before its restart failed; `unknown`: of somebody who is no child. */
async function nurseryIn(state: State): Promise<{ readonly nursery: Nursery; readonly pid: Address }> {
  const nursery = await Nursery.start({ maxRestarts: 1_000_000 });
  if (state === 'unknown') return { nursery, pid: await nursery.world.puppet('stranger') };
  await nursery.addNameless();
  await nursery.add('a', { starts: state === 'restarting' ? FAILS_FOR_EVER : [] });
  const pid = nursery.world.runtime.whereis('@a') ?? '@nobody';
  if (state === 'down') await nursery.ask({ type: 'terminateChild', id: 'a' });
  if (state === 'restarting') nursery.crashInLoop('a');
  return { nursery, pid };
}
