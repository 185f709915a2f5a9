/** The sentence that says why the service is not active, and what of it is for everybody. */
import { expect, test } from 'vitest';
import type { JournalNote } from '../../src/actors/journal.ts';
import { healthCause, type CauseSource } from '../../src/telemetry/health-cause.ts';
import { ServiceTroubles } from '../../src/telemetry/service-troubles.ts';
import { ManualClock } from '../support/manual-clock.ts';

const QUIET: CauseSource = {
  missing: [], trouble: () => undefined, nowMs: 0, asleepSinceMicros: undefined, missedSinceMicros: undefined,
  slot: 'electric_slot_default', slow: undefined,
  holder: undefined, replication: 'streaming', slotAwaits: [],
  restored: () => ({ count: 3, of: 10 }),
};
const HOLDER = { pid: 42, application: 'armature "lock"', address: '10.0.0.7', since: new Date(0) };
const GOES_ON = 'this one goes on when that has ended';

const UNANSWERED = 'an answer of Postgres is waited for';
const UNTOLD = 'the lock is waited for: another instance holds the lock, as a rule';

const refused = (what: string, message: string, retryInMs: number): JournalNote => {
  return { type: 'note', level: 'warn', what, error: { code: 'x', message }, retryInMs };
};

test.each<[string, Partial<CauseSource>, string | undefined, string | undefined]>([
  ['nothing', {}, undefined, undefined],
  [
    'nobody who uses the database', { missing: ['lock', 'replication', 'pools'], asleepSinceMicros: 0 },
    'the connections to Postgres are closed since 1970-01-01T00:00:00.000Z, because nobody used it; ' +
      'the next request for a shape opens them',
    'the connections to Postgres are closed since 1970-01-01T00:00:00.000Z, because nobody used it; ' +
      'the next request for a shape opens them',
  ],
  [
    'what happened while nobody used the database', { missedSinceMicros: 0 },
    'what was changed since 1970-01-01T00:00:00.000Z, while the connections to Postgres were closed, is being followed; ' +
      'requests are refused until then',
    undefined,
  ],
  [
    'the connections that somebody waits for', { missing: ['pools'], missedSinceMicros: 0 },
    'the connections to Postgres are being opened', undefined,
  ],
  [
    'a sync that takes long', { slow: { operation: 'sync', path: '/data/log/1.log', forMs: 7_900 } },
    'the disk is slow: it has been at one sync of /data/log/1.log for 7 s; nothing is lost, and what is new comes late',
    'the disk is slow: it has been at one sync for 7 s; nothing is lost, and what is new comes late',
  ],
  [
    'a disk that is yet to be asked', { missing: ['storage'] },
    'it is being found out whether the disk takes what is to be stored', undefined,
  ],
  [
    'the lock', { missing: ['lock', 'replication'], holder: HOLDER },
    'another instance holds the lock of electric_slot_default: process 42 of Postgres, application "armature \\"lock\\"", from 10.0.0.7, ' +
      `connected since 1970-01-01T00:00:00.000Z; ${GOES_ON}`,
    `another instance holds the lock; ${GOES_ON}`,
  ],
  [
    'the lock of a session that our role may not see',
    { missing: ['lock'], holder: { pid: 42, application: undefined, address: undefined, since: undefined } },
    `another instance holds the lock of electric_slot_default: process 42 of Postgres; ${GOES_ON}`,
    `another instance holds the lock; ${GOES_ON}`,
  ],
  [
    'the lock, which a session has that we have lost', { missing: ['lock'], holder: HOLDER, isHolderOurs: true },
    'a session that this service has lost still holds the lock of electric_slot_default: process 42 of Postgres, ' +
      `application "armature \\"lock\\"", from 10.0.0.7, connected since 1970-01-01T00:00:00.000Z; ${GOES_ON}`,
    `a session that this service has lost still holds the lock; ${GOES_ON}`,
  ],
  ['the lock, of which Postgres does not say', { missing: ['lock'] }, UNTOLD, undefined],
  ['a lock that is free', { missing: ['lock'], holder: 'nobody' }, 'Postgres is being asked for the lock', undefined],
  ['a stream', { missing: ['replication'], replication: 'starting' }, 'the replication stream is being started', undefined],
  [
    'a slot', { missing: ['replication'], replication: 'creatingSlot' },
    'a new replication slot is being made: Postgres makes it when every transaction has ended that was open before, ' +
      'prepared ones among them',
    undefined,
  ],
  [
    'a slot, and who for', { missing: ['replication'], replication: 'creatingSlot', slotAwaits: ['process 7', 'process 8'] },
    'a new replication slot is being made: Postgres makes it when every transaction has ended that was open before, ' +
      'prepared ones among them; it waits for process 7; for process 8',
    'a new replication slot is being made: Postgres makes it when every transaction has ended that was open before, ' +
      'prepared ones among them',
  ],
  ['pools', { missing: ['pools', 'shapes'] }, 'the connections to Postgres are being opened', undefined],
  ['shapes', { missing: ['shapes'] }, 'stored shapes are being brought back: 3 of 10', undefined],
])('waits for %s', (_, source, full, forAll) => {
  const told = [true, false].map((isTrusted) => healthCause({ ...QUIET, ...source }, isTrusted));

  expect(told).toEqual([full, forAll ?? full]);
});

test('a trouble is told from its first failure on, with the last error and the next attempt, until it is over', () => {
  const clock = new ManualClock(0);
  const troubles = new ServiceTroubles(clock);
  const tell = (isTrusted: boolean) => {
    const source = { missing: ['lock', 'pools'] as const, trouble: troubles.of.bind(troubles), nowMs: clock.nowMs() };
    return healthCause({ ...QUIET, ...source }, isTrusted);
  };

  troubles.note(refused('pools.down', 'connect ECONNREFUSED 10.0.0.7:5432', 100));
  clock.advance(1_000);
  troubles.note(refused('pools.down', 'password authentication failed, password=S3cret', 2_500));
  const [full, forAll] = [tell(true), tell(false)];
  clock.advance(5_000);
  const late = tell(false);
  troubles.note({ type: 'note', level: 'info', what: 'pools.up' });

  const since = 'Postgres does not answer queries since 1970-01-01T00:00:00.000Z';
  expect([full, forAll, late, tell(true)]).toEqual([
    `${since}: password authentication failed, password=[redacted]; the next attempt is in 3 s`,
    `${since}; the next attempt is in 3 s`,
    `${since}; an attempt is under way`,
    UNANSWERED,
  ]);
});

test('of a disk that refuses everybody is told what it means, and where it was only who may know', () => {
  const troubles = new ServiceTroubles(new ManualClock(0));
  const error = { code: 'ENOSPC', meaning: 'ENOSPC: no space is left on the device', message: 'cannot write /data/log/0.log: ENOSPC' };
  troubles.note({ type: 'note', level: 'error', what: 'storage.refused', error, retryInMs: 800 });
  const source = { ...QUIET, missing: ['storage', 'pools'] as const, trouble: troubles.of.bind(troubles) };

  const since = 'the disk refuses what is to be stored since 1970-01-01T00:00:00.000Z: ENOSPC: no space is left on the device';
  const next = 'the next attempt is in 1 s';
  expect([healthCause(source, true), healthCause(source, false)]).toEqual([
    `${since}; cannot write /data/log/0.log: ENOSPC; ${next}`,
    `${since}; ${next}`,
  ]);
});

test('a trouble of which an error was told comes before one that has none', () => {
  const troubles = new ServiceTroubles(new ManualClock(0));
  troubles.note({ type: 'note', level: 'warn', what: 'lock.lost' });
  troubles.note(refused('pools.down', 'gone', 100));

  expect(healthCause({ ...QUIET, missing: ['lock', 'pools'], trouble: troubles.of.bind(troubles) }, true)).toBe(
    'Postgres does not answer queries since 1970-01-01T00:00:00.000Z: gone; the next attempt is in 1 s',
  );
});

test('whoever holds the lock is told before what once kept us from asking for it', () => {
  const troubles = new ServiceTroubles(new ManualClock(0));
  troubles.note({ type: 'note', level: 'warn', what: 'lock.lost' });
  troubles.note(refused('lock.refused', 'connect ECONNREFUSED', 100));

  expect(healthCause({ ...QUIET, missing: ['lock', 'replication'], holder: HOLDER, trouble: troubles.of.bind(troubles) }, false)).toBe(
    `another instance holds the lock; ${GOES_ON}`,
  );
});

test('a pooler that lends no session is told while all else works, until it does', () => {
  const troubles = new ServiceTroubles(new ManualClock(0));
  troubles.note({ type: 'note', level: 'warn', what: 'sessions.withheld' });
  const tell = (): string | undefined => healthCause({ ...QUIET, trouble: troubles.of.bind(troubles) }, false);
  const withheld = tell();
  troubles.note({ type: 'note', level: 'info', what: 'sessions.lent' });

  expect([withheld, tell()]).toEqual([
    'the pooler lends no session since 1970-01-01T00:00:00.000Z: it is paused, or all of its sessions are at work; ' +
      'new shapes are refused until it does',
    undefined,
  ]);
});

test('what stands in the way of what works is no cause', () => {
  const troubles = new ServiceTroubles(new ManualClock(0));
  troubles.note(refused('replication.ended', 'gone', 100));

  expect(healthCause({ ...QUIET, missing: ['shapes'], trouble: troubles.of.bind(troubles) }, true)).toBe(
    'stored shapes are being brought back: 3 of 10',
  );
});
