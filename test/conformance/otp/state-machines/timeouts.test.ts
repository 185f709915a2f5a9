/**
 * gen_statem's three kinds of time-outs are one effect here: a timer ends with the next event, with the state, or with its
 * name alone. Its time is relative and finite: who has a deadline takes the difference, who wants no end cancels.
 */
import { expect, test } from 'vitest';
import type { Message } from '../../../../src/otp/process.ts';
import { Watched, type TimerParams } from '../support/timekeeper.ts';

const eventTimer = (delayMs: number, content?: unknown): TimerParams => ({ name: 'event', delayMs, until: 'nextEvent', content });
const stateTimer = (delayMs: number, content?: unknown): TimerParams => ({ name: 'state', delayMs, until: 'stateChange', content });
const named = (name: string, delayMs: number, content?: unknown): TimerParams => ({ name, delayMs, content });
const stay = (timers: readonly TimerParams[], then: readonly Message[] = []): Message => ({ type: 'stay', timers, then });
const begin = (timers: readonly TimerParams[] = [], then: readonly Message[] = []): Message => ({ type: 'begin', timers, then });
const note = (n: number): Message => ({ type: `note.${n}` });
const later = (n: number): Message => ({ type: `later.${n}` });

test('S3-016 an event time-out comes once, with its content, when nothing happened before', async () => {
  const watched = await Watched.start();

  watched.arrive(stay([eventTimer(100, { n: 1 })]));
  watched.advance(100);

  expect(watched.logAfterAnHour).toEqual(['idle stay', 'idle timeout.event {"n":1}']);
});

test.each<[string, readonly Message[], readonly string[]]>([
  ['a message', [stay([eventTimer(100)]), note(1)], ['idle stay', 'idle note.1']],
  ['a continued event', [stay([eventTimer(100)], [note(1)])], ['idle stay', 'idle note.1']],
  ['a postponed event that comes again', [later(1), begin([eventTimer(100)])], ['idle begin', 'busy later.1']],
])('S3-016 an event time-out is cancelled by any event: %s', async (_, messages, log) => {
  const watched = await Watched.start();

  watched.arrive(...messages);

  expect(watched.logAfterAnHour).toEqual(log);
});

test('S3-016 another time-out is an event, too, and cancels it', async () => {
  const watched = await Watched.start();

  watched.arrive(stay([eventTimer(100), named('other', 50)]));

  expect(watched.logAfterAnHour).toEqual(['idle stay', 'idle timeout.other']);
});

test.each<[string, readonly Message[], readonly string[]]>([
  ['a continued event', [stay([eventTimer(0)], [note(1)])], ['idle stay', 'idle note.1']],
  ['a postponed event that comes again', [later(1), begin([eventTimer(0)])], ['idle begin', 'busy later.1']],
])('S3-017 an event time-out of zero never comes beside %s of the same transition', async (_, messages, log) => {
  const watched = await Watched.start();

  watched.arrive(...messages);

  expect(watched.logAfterAnHour).toEqual(log);
});

test('S3-018 a state time-out outlives events', async () => {
  const watched = await Watched.start();

  watched.arrive(stay([stateTimer(100, 'late')]), note(1), note(2));

  expect(watched.logAfterAnHour).toEqual(['idle stay', 'idle note.1', 'idle note.2', 'idle timeout.state "late"']);
});

test('S3-018 a state time-out ends with its state, and does not come back with it', async () => {
  const watched = await Watched.start();

  watched.arrive(stay([stateTimer(100)]), begin(), { type: 'rest' });

  expect(watched.logAfterAnHour).toEqual(['idle stay', 'idle begin', 'busy rest']);
});

test('S3-018 a state time-out that is set on the way to a state belongs to that state', async () => {
  const watched = await Watched.start();

  watched.arrive(begin([stateTimer(100)]));

  expect(watched.logAfterAnHour).toEqual(['idle begin', 'busy timeout.state']);
});

test('S3-019 a state time-out of zero comes after the continued and the postponed events, before messages', async () => {
  const watched = await Watched.start();

  watched.arrive(later(1), begin([stateTimer(0)], [note(1), note(2)]), note(3));

  expect(watched.log).toEqual(['idle begin', 'busy note.1', 'busy note.2', 'busy later.1', 'busy timeout.state', 'busy note.3']);
});

test('S3-020 time-outs of zero come in the order in which they were set', async () => {
  const watched = await Watched.start();

  watched.arrive(stay([named('b', 0), stateTimer(0), named('a', 0)]), note(1));

  expect(watched.log).toEqual(['idle stay', 'idle timeout.b', 'idle timeout.state', 'idle timeout.a', 'idle note.1']);
});

test('S3-020 a state time-out of zero that is on its way cancels an event time-out of zero', async () => {
  const watched = await Watched.start();

  watched.arrive(stay([stateTimer(0), eventTimer(0)]));

  expect(watched.logAfterAnHour).toEqual(['idle stay', 'idle timeout.state']);
});

test.each<[string, readonly TimerParams[], string]>([
  ['a named one', [named('t', 50, 'old'), named('t', 100, 'new')], 'timeout.t "new"'],
  ['a named one of zero', [named('t', 0, 'old'), named('t', 100, 'new')], 'timeout.t "new"'],
  ['a state time-out of zero', [stateTimer(0, 'old'), stateTimer(100, 'new')], 'timeout.state "new"'],
  ['an event time-out of zero', [eventTimer(0, 'old'), eventTimer(100, 'new')], 'timeout.event "new"'],
])('S3-021 a timer that is set again replaces the old one, which never comes: %s', async (_, timers, event) => {
  const watched = await Watched.start();

  watched.arrive(stay(timers));
  const before = watched.log;
  const after = watched.logAfterAnHour;

  expect({ before, after }).toEqual({ before: ['idle stay'], after: ['idle stay', `idle ${event}`] });
});

test('S3-022 named time-outs know nothing of one another, of events or of states', async () => {
  const watched = await Watched.start();

  watched.arrive(stay([named('slow', 200), named('quick', 100)]), note(1), begin());

  expect(watched.logAfterAnHour).toEqual(['idle stay', 'idle note.1', 'idle begin', 'busy timeout.quick', 'busy timeout.slow']);
});

test('S3-023 a cancelled time-out never comes, of zero neither, and cancelling one that does not run is no fault', async () => {
  const watched = await Watched.start();

  watched.arrive(
    stay(
      [named('t', 100), named('zero', 0)],
      [
        { type: 'cancel', name: 't' },
        { type: 'cancel', name: 'zero' },
        { type: 'cancel', name: 'never' },
      ],
    ),
  );

  expect(watched.logAfterAnHour).toEqual(['idle stay']);
});

test('S3-024 an update changes the content and not the time', async () => {
  const watched = await Watched.start();

  watched.arrive(stay([named('t', 100, 'old')]));
  watched.advance(60);
  watched.arrive({ type: 'update', name: 't', content: 'new' });
  watched.advance(39);
  const before = watched.log;
  watched.advance(1);

  expect({ before, after: watched.log }).toEqual({ before: ['idle stay'], after: ['idle stay', 'idle timeout.t "new"'] });
});

test('S3-024 an update of a timer that does not run sets it to zero', async () => {
  const watched = await Watched.start();

  watched.arrive({ type: 'update', name: 't', content: 'new' }, note(1));

  expect(watched.log).toEqual(['idle timeout.t "new"', 'idle note.1']);
});

test('S3-025 an update after the time has passed and before the delivery still changes the content', async () => {
  const watched = await Watched.start();

  watched.arrive(stay([named('t', 100, 'old')]));
  watched.world.runtime.send(watched.pid, { type: 'update', name: 't', content: 'new' });
  watched.world.clock.advance(100);
  watched.world.runtime.drain();

  expect(watched.logAfterAnHour).toEqual(['idle stay', 'idle timeout.t "new"']);
});

test('S3-027 what is known of a process tells its running timers with their content', async () => {
  const watched = await Watched.start();

  watched.arrive(stay([named('t', 100, { n: 1 }), stateTimer(200, 'late')]));
  watched.advance(40);
  const timers = watched.world.runtime.processInfo(watched.pid)?.timers;

  expect(timers).toEqual([
    { name: 't', leftMs: 60, content: { n: 1 } },
    { name: 'state', leftMs: 160, content: 'late' },
  ]);
});
