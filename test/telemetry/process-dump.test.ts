/** The dump as text: what an operator reads, and that it stays short. */
import { expect, test } from 'vitest';
import type { ProcessFigures } from '../../src/otp/kernel/process-summary.ts';
import type { Pid } from '../../src/otp/process.ts';
import type { ProcessTree } from '../../src/otp/tree.ts';
import { processDump, type Dumped } from '../../src/telemetry/process-dump.ts';

const MEBIBYTE = 1024 * 1024;
const QUIET = { state: 'live', hibernates: false, mailboxLength: 0, handled: 3, restarts: 0 };

/** A process, and those below it. */
function tree(pid: string, children: readonly ProcessTree[] = [], state: unknown = 'running'): ProcessTree {
  const path = pid.slice(0, pid.lastIndexOf('#'));
  const id = path.replace(/^stack\/(shapes\/(consumers\/)?)?/, '');
  return { id, pid: pid as Pid, name: undefined, state, children };
}

function dumped(consumers: readonly ProcessFigures[], rest: Partial<Dumped> = {}): Dumped {
  const below = consumers.map(({ pid, state }) => tree(pid, [], state));
  return {
    version: '1.2.3', now: new Date(0), upSeconds: 61, status: 'active', lateMs: 1.25,
    program: {
      cpuSeconds: 2, residentBytes: 100 * MEBIBYTE, heapUsedBytes: 20 * MEBIBYTE, heapTotalBytes: 40 * MEBIBYTE, externalBytes: MEBIBYTE,
    },
    tree: [tree('stack#1', [tree('stack/http#2', [], 'open'), tree('stack/shapes#3', [tree('stack/shapes/consumers#4', below)])])],
    processes: consumers, deaths: [], deathCount: 0,
    ...rest,
  };
}

function consumer(number: number, figures: Partial<ProcessFigures> = {}): ProcessFigures {
  return { ...QUIET, pid: `stack/shapes/consumers/1-${number}#${number + 10}` as Pid, ...figures };
}

test('shows the tree with states and mailboxes, who has the longest one, and who died of what', () => {
  const waiting = consumer(1, { state: { run: { ingest: 'taking' }, snapshot: 'done' }, mailboxLength: 7, restarts: 2 });
  const death = { process: 'stack/http#2' as Pid, why: 'TypeError: postgres://user:S3cret@host\nlost', atMicros: 1_000_000 };

  const text = processDump(dumped([waiting, consumer(2, { hibernates: true })], { deaths: [death], deathCount: 9 }));

  expect(text).toBe(`Armature 1.2.3, active, 1970-01-01T00:00:00.000Z, up 61 s, 2.0 s of processor time
memory: 100.0 MiB resident, heap 20.0 MiB of 40.0 MiB, outside of it 1.0 MiB
event loop: 1.3 ms late

stack#1: running, 0 handled
├─ http#2: open, 0 handled
└─ shapes#3: running, 0 handled
   └─ consumers#4: running, 0 handled
      ├─ 1-1#11: run.ingest.taking snapshot.done, 7 waiting, 3 handled, restarted 2 times
      └─ 1-2#12: live, hibernates, 3 handled

longest mailboxes:
  7  stack/shapes/consumers/1-1#11  run.ingest.taking snapshot.done

deaths: 9 since the start, the last of them:
  1970-01-01T00:00:01.000Z  stack/http#2  "TypeError: postgres://user:[redacted]@host\\nlost"
`);
});

test('ten thousand shapes are one line, and the longest mailboxes ten', () => {
  const numbers = Array.from({ length: 10_000 }).keys();
  const consumers = Array.from(numbers, (number) => consumer(number, { hibernates: number > 100, mailboxLength: number % 3 }));

  const lines = processDump(dumped(consumers)).split('\n');

  expect([lines.length, lines.find((line) => line.includes('×'))?.trim()]).toEqual([
    24, '└─ 10000 × consumer: 10000 live, 9899 hibernate, 9999 waiting, at most 2, 30000 handled',
  ]);
});

test('many states of one kind are not all listed', () => {
  const consumers = Array.from({ length: 40 }, (_, number) => consumer(number, { state: `state${number % 20}` }));

  const line = processDump(dumped(consumers)).split('\n').find((each) => each.includes('×'));

  expect(line).toContain('| 12 other states, ');
});

test('the name of a column cannot move the cursor of a terminal', () => {
  const hostile: ProcessFigures = { ...QUIET, pid: 'stack/shapes/consumers/materializer/1-1/\u001b[2J\n\u009b#9' as Pid, mailboxLength: 1 };

  const text = processDump(dumped([hostile]));

  expect([/[^\P{C}\n]/u.test(text), text.split('\n').length]).toEqual([false, 15]);
});
