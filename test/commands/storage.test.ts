/** `armature storage` as it is run, on directories of the real disk. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openStorage } from '../../src/storage/open-storage.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { runTool } from '../support/commands/run-tool.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { handleOf, shapeOf } from '../support/shapes.ts';
import { anotherSource, appendLines, grow, lsn, snapshotOf } from '../support/storage/stored-samples.ts';
import { removeDirectory, temporaryDirectory } from '../support/storage/temporary-directory.ts';

/** It moves the cursor and is no end of a table. */
const HOSTILE = '<script>\u001b[2J\n';
let root: string;
let running: Storage;

beforeAll(async () => {
  root = temporaryDirectory();
  await (await written('stopped')).close();
  await (await written('damaged')).close();
  await (await written('begun')).close();
  running = await written('running');
  await running.shapes.checkpoint();
  const [pack = ''] = readdirSync(`${root}/damaged/packs`);
  const bytes = readFileSync(`${root}/damaged/packs/${pack}`);
  bytes[3] = (bytes[3] ?? 0) ^ 1;
  writeFileSync(`${root}/damaged/packs/${pack}`, bytes);
  writeFileSync(`${root}/begun/format`, '1\n');
});

afterAll(async () => {
  await running.close();
  removeDirectory(root);
});

async function written(name: string): Promise<Storage> {
  const storage = await openStorage({ directory: `${root}/${name}`, clock: new ManualClock(), chunkBytesMax: 30 });
  storage.log.restart(anotherSource, lsn(5));
  const inner = storage.shapes.create(handleOf(1), shapeOf({ where: { column: 'title', equals: HOSTILE } }));
  const outer = storage.shapes.create(handleOf(2), shapeOf({}), [handleOf(1)]);
  await snapshotOf(inner, ['"a row of some length"', '"another one"', '"and one more"']);
  await snapshotOf(outer, ['"row"']);
  storage.shapes.advance(await grow(storage, 10));
  appendLines(inner, 10, ['"an operation"', '"another operation"']);
  return storage;
}

test.each(['stopped', 'running'])('inspect shows what is stored, on a directory that is %s', async (name) => {
  const { code, printed } = await runTool(['storage', 'inspect', `${root}/${name}`]);

  const lines = printed.split('\n');
  expect({ code, isPlain: !printed.includes('\u001b'), stream: lines[1], shapes: lines[5] }).toEqual({
    code: 0,
    isPlain: true,
    stream: 'stream      slot another of database items (system 7, timeline 1), held up to 0/5, the last transaction at 0/A',
    shapes: 'shapes      2',
  });
  expect(lines[0]).toContain(name === 'running' ? `, in use by process ${process.pid} on ` : ', in use by nobody');
  expect(lines[8]).toMatch(/^1-\d+ +public\.items +title = '<script>\\u\{1b\}\[2J\\u\{a\}' +10_2 +\w+ +\d+ B +2 +\d+ B +[23]$/);
});

test('inspect gives a script one line of JSON with every shape', async () => {
  const { code, printed } = await runTool(['storage', 'inspect', `${root}/stopped`, '--json']);

  const told = JSON.parse(printed) as { shapes: unknown };
  expect({ code, lines: printed.split('\n').length, told }).toMatchObject({
    code: 0,
    lines: 2,
    told: {
      lock: null,
      damages: [],
      unused: [],
      log: { segments: 1, begin: 0, stream: { source: anotherSource, heldLsn: '5', lastCommitLsn: '10' } },
      disk: {
        snapshots: { files: 0 }, packs: { files: 1 }, lines: { files: 0 }, indexes: { files: 0 }, moved: { files: 0 }, other: { files: 0 },
      },
      shapes: [
        { handle: handleOf(1), table: 'public.items', where: `title = '${HOSTILE}'`, lines: { count: 2 }, dependsOn: [] },
        { handle: handleOf(2), where: null, lines: { count: 0, bytes: 0 }, dependsOn: [handleOf(1)] },
      ],
    },
  });
});

test('inspect lists the largest shapes when it may not list all', async () => {
  const { printed } = await runTool(['storage', 'inspect', `${root}/stopped`, '--limit=1']);

  expect(printed.split('\n').slice(-3)).toEqual([
    expect.stringContaining(handleOf(1)),
    '1 more: --limit says how many are listed, and --json has all',
    '',
  ]);
});

test.each(['stopped', 'running'])('verify finds nothing on a directory that is %s', async (name) => {
  const { code, printed } = await runTool(['storage', 'verify', `${root}/${name}`]);

  const says = expect.stringMatching(/^Everything holds: .+ were verified, of the log and 2 shapes\.\n$/);
  expect({ code, printed }).toEqual({ code: 0, printed: says });
});

test('verify says of damage where it is and what follows', async () => {
  const { code, printed } = await runTool(['storage', 'verify', `${root}/damaged`]);
  const asJson = await runTool(['storage', 'verify', `${root}/damaged`, '--json']);

  const claim = /^DAMAGE {2}The log of shape 1-1 is corrupt: entry 0 of \S+\.pack does not hold\. The shape ends when /;
  expect({ code, printed, json: JSON.parse(asJson.printed) as unknown }).toEqual({
    code: 3,
    printed: expect.stringMatching(claim),
    json: expect.objectContaining({ holds: false, damages: [expect.objectContaining({ consequence: 'shapeCondemned' })] }),
  });
});

test('backup makes a copy of a directory that is in use, verified, and says what it is good for', async () => {
  const { code, printed } = await runTool(['storage', 'backup', `${root}/running`, `${root}/copies/today/`]);
  const copy = await runTool(['storage', 'inspect', `${root}/copies/today`, '--json']);

  const { lock, shapes } = JSON.parse(copy.printed) as { lock: unknown; shapes: readonly { handle: string }[] };
  expect({ code, printed, lock, handles: shapes.map(({ handle }) => handle) }).toEqual({
    code: 0,
    printed: expect.stringMatching(/holds 2 shapes, .+, verified\.\nIt holds the stream of slot another up to 0\/5\. .+ start over/),
    lock: null,
    handles: [handleOf(1), handleOf(2)],
  });
});

test.each([
  [['verify', 'nowhere'], 1, /nowhere is no storage directory of Armature: it has no file named format$/],
  [['inspect', 'begun'], 1, /has format 1, this version of Armature writes format \d+\. Use the version that wrote it/],
  [['backup', 'begun', 'there'], 1, /has format 1/],
  [['backup', 'stopped', 'running'], 1, /running is not empty: name another target, or remove it$/],
  [['backup', 'damaged', 'there'], 1, /^The copy does not hold, and neither does the storage, perhaps: verify that\. The log of shape/],
  [['backup', 'stopped'], 2, /^Write it as: armature storage backup DIRECTORY TARGET/],
  [['verify', 'stopped', 'there'], 2, /^Only "armature storage backup" takes a second directory$/],
  [['inspect', 'stopped', '--limit=0'], 2, /^--limit must be a whole number/],
])('%j is refused in a sentence', async ([action = '', ...names], expected, sentence) => {
  const paths = names.map((name) => (name.startsWith('--') ? name : `${root}/${name}`));

  const { code, printed, complaints } = await runTool(['storage', action, ...paths]);

  expect({ code, printed, complaints }).toEqual({ code: expected, printed: '', complaints: [expect.stringMatching(sentence)] });
});
