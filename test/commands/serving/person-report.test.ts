/** A start at a terminal: one line while it goes on, then one sentence, and only then the log. */
import { expect, test } from 'vitest';
import { PersonReport } from '../../../src/commands/serving/person-report.ts';
import { startedOf } from '../../../src/commands/serving/start-report.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { PaperScreen } from '../../support/commands/paper-screen.ts';

const SENTENCE = 'Armature is ready at http://127.0.0.1:3000. Ctrl-C stops it.';
const SHAPES = '  Shapes     http://127.0.0.1:3000/v1/shape';
const LISTENS = 'Armature listens at http://127.0.0.1:3000, and is not ready yet:';
const CAUSE = 'another instance holds the lock';

function begin(told: Partial<Parameters<typeof startedOf>[0]> = {}) {
  const clock = new ManualClock();
  const screen = new PaperScreen(100);
  const report = new PersonReport(screen, clock);
  const places = { url: 'http://0.0.0.0:3000', observerUrl: undefined, metricsUrl: undefined, inspectionUrl: undefined };
  const started = startedOf({ ...places, cause: () => Promise.resolve(CAUSE), ...told }, 'memory', 7, undefined);
  return { clock, screen, report, started };
}

/** The answer to why it is not ready comes a moment later. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
}

test('the sentence stands alone, with the log behind it', () => {
  const { screen, report, started } = begin();

  report.step({ what: 'storage' });
  report.logLines.write('01:02:03 info storage.opened\n');
  report.started(started);
  report.ready(started);
  report.logLines.write('01:02:04 info service.active\n');

  expect(screen.lines).toEqual([SENTENCE, SHAPES, '01:02:03 info storage.opened', '01:02:04 info service.active', '']);
});

test('one line says what is done, how much of it, and for how long', () => {
  const { clock, screen, report } = begin();

  report.step({ what: 'storage' });
  const first = screen.lines;
  report.step({ what: 'log', done: 3, of: 8 });
  const second = screen.lines;
  clock.advance(2_500);
  const third = screen.lines;
  report.step({ what: 'shapes', done: 5_000, of: 10_000 });

  expect([first, second, third, screen.lines]).toEqual([
    ['Opening the storage …'],
    ['Reading the log [########------------] 3 of 8 segments …'],
    ['Reading the log [########------------] 3 of 8 segments … 2 s'],
    ['Bringing stored shapes back [##########----------] 5,000 of 10,000 …'],
  ]);
});

test('it is not written more often than somebody can read, and never over the edge', () => {
  const { clock, screen, report } = begin();
  screen.columns = 20;
  report.step({ what: 'shapes', done: 0, of: 10_000 });
  const before = screen.writes;

  for (let done = 100; done <= 5_000; done += 100) report.step({ what: 'shapes', done, of: 10_000 });
  const between = screen.writes;
  clock.advance(100);
  report.step({ what: 'shapes', done: 5_100, of: 10_000 });

  expect({ between: between - before, after: screen.writes - before, lines: screen.lines }).toEqual({
    between: 0,
    after: 1,
    lines: ['Bringing stored sha'],
  });
});

test('when it listens and nothing goes on it says why, and lets the log go', async () => {
  const { clock, screen, report, started } = begin();
  report.logLines.write('01:02:03 info pools.up\n');
  report.started(started);

  clock.advance(2_999);
  report.step({ what: 'shapes', done: 1, of: 2 });
  clock.advance(2_999);
  await settle();
  const patient = screen.lines;
  clock.advance(1);
  await settle();
  const told = screen.lines;
  report.step({ what: 'shapes', done: 2, of: 2 });
  report.ready(started);

  expect({ patient, told, after: screen.lines.slice(told.length - 1) }).toEqual({
    patient: [expect.stringContaining('Bringing stored shapes back')],
    told: [`${LISTENS} ${CAUSE}. Ctrl-C stops it.`, '01:02:03 info pools.up', ''],
    after: [SENTENCE, SHAPES, ''],
  });
});

test('a service that became ready while it was asked why it is not is not blamed', async () => {
  const { clock, screen, report, started } = begin({ cause: () => Promise.resolve(undefined) });
  report.started(started);

  clock.advance(3_000);
  await settle();
  report.ready(started);

  expect(screen.lines).toEqual([SENTENCE, SHAPES, '']);
});

test('what others have named moves nothing on the screen', async () => {
  const { clock, screen, report, started } = begin({ cause: () => Promise.resolve('held by \u001b[2J') });
  report.started(started);

  clock.advance(3_000);
  await settle();

  expect(screen.lines[0]).toBe(`${LISTENS} held by \\u{1b}[2J. Ctrl-C stops it.`);
});

test('of a start that failed only warnings are left: the sentence that follows says why', () => {
  const { screen, report } = begin();
  report.step({ what: 'database' });
  for (const line of ['info storage.opened', 'warn Files of shape 1-1 are missing', 'error process.crashed']) {
    report.logLines.write(`01:02:03 ${line}\n`);
  }

  report.failed();

  expect(screen.lines).toEqual(['01:02:03 warn Files of shape 1-1 are missing', '']);
});

test('a start that says more than can be held is not one to be quiet about', () => {
  const { screen, report } = begin();

  for (let count = 0; count < 1_001; count += 1) report.logLines.write(`line ${count}\n`);

  expect([screen.lines.length, screen.lines[0], screen.lines.at(-2)]).toEqual([1_002, 'line 0', 'line 1000']);
});

test('who inspects is told what he will see and whose it is, our observer first', () => {
  const { screen, report, started } = begin({
    observerUrl: 'http://0.0.0.0:3000/_observer',
    inspectionUrl: 'http://127.0.0.1:3001',
  });

  report.started(started);
  report.ready(started);

  const text = screen.lines.join('\n');
  expect({
    places: screen.lines.slice(0, 3),
    isFirst: text.indexOf('/_observer: look there first') < text.indexOf('http://127.0.0.1:3001'),
    isTold: text.includes('a page of stately.ai, not ours'),
    isShort: screen.lines.every((line) => line.length <= 120),
  }).toEqual({ places: [SENTENCE, SHAPES, '  Observer   http://127.0.0.1:3000/_observer'], isFirst: true, isTold: true, isShort: true });
});
