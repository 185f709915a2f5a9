/** What the program says of its start: to a person at a terminal, and to a script. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PaperScreen } from '../support/commands/paper-screen.ts';
import { createDatabase, streamIdOf, type TestDatabase } from '../support/postgres/postgres.ts';
import { enterProcess } from '../support/service/running-processes.ts';

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
let directory: string;
let database: TestDatabase;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'armature-start-'));
  database = await createDatabase();
});

afterAll(async () => {
  await database.drop();
  rmSync(directory, { recursive: true, force: true });
});

interface Said {
  readonly out: string;
  readonly err: string;
  readonly code: number | null;
}

interface Event {
  readonly event: string;
  readonly url: string;
  readonly storage: string;
}

type AsCommand = (command: readonly string[]) => readonly string[];

/** Runs until it has printed `text`, and ends it as Ctrl-C does. @param asCommand how the program is run, from its words. */
async function run(
  words: readonly string[],
  text: RegExp,
  asCommand: AsCommand = (command) => command,
  signals: readonly NodeJS.Signals[] = ['SIGTERM'],
): Promise<Said> {
  const flags = ['--insecure', '--host=127.0.0.1', '--port=0', '--storage=memory', '--cleanup-replication-slots-on-shutdown'];
  const [program = '', ...args] = asCommand([process.execPath, CLI, ...words, ...flags]);
  const env = { PATH: process.env['PATH'], DATABASE_URL: database.url, ARMATURE_REPLICATION_STREAM_ID: streamIdOf(database.url) };
  const child = spawn(program, args, { env, cwd: directory, stdio: ['pipe', 'pipe', 'pipe'] });
  enterProcess(child);
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => (out += String(chunk)));
  child.stderr.on('data', (chunk) => (err += String(chunk)));
  const exited = once(child, 'exit');
  const printed = (): Promise<unknown> => Promise.race([once(child.stdout, 'data'), once(child.stderr, 'data'), exited]);
  while (!text.test(out + err) && child.exitCode === null) await printed();
  for (const signal of signals) child.kill(signal);
  await exited;
  return { out, err, code: child.exitCode };
}

test('at a terminal the sentence comes first, by itself, and the log behind it, in words', async () => {
  const atTerminal: AsCommand = (command) => [
    'script', '--quiet', '--flush', '--return', '--command', `exec ${command.map((word) => `'${word}'`).join(' ')}`, '/dev/null',
  ];

  const { out } = await run(['start'], /service\.active/, atTerminal);

  const screen = new PaperScreen(80);
  screen.write(out);
  const [sentence = '', shapes = '', observer = '', ...log] = screen.lines;
  const url = /http:\/\/127\.0\.0\.1:\d+/.exec(sentence)?.[0] ?? '';
  expect({ sentence, shapes, observer, others: log.filter((line) => line !== '' && !/^\d\d:\d\d:\d\d [a-z]+ /.test(line)) }).toEqual({
    sentence: `Armature is ready at ${url}. Ctrl-C stops it.`,
    shapes: `  Shapes     ${url}/v1/shape`,
    observer: `  Observer   ${url}/_observer`,
    others: [],
  });
});

test('a script reads that it has started, that it is ready, and nothing else', async () => {
  const { out, err, code } = await run(['start', '--json'], /"ready"/);

  const told = out.trimEnd().split('\n').map((line) => JSON.parse(line) as Event);
  const logged = err.trimEnd().split('\n').map((line) => (JSON.parse(line) as { msg: string }).msg);
  const url = expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) as string;
  expect({ told, isActive: logged.includes('service.active'), code }).toEqual({
    told: ['started', 'ready'].map((event) => expect.objectContaining({ event, storage: 'memory', url }) as Event),
    isActive: true,
    code: 0,
  });
});

test('a script whose reader has gone loses nothing but what it would have read', async () => {
  const withHead: AsCommand = (command) => [
    'sh', '-c', 'mkfifo "$0" && { head -n 1 <"$0" & } && exec "$@" >"$0"', join(directory, 'fifo'), ...command,
  ];

  const { out, err, code } = await run(['start', '--json'], /service\.active/, withHead);

  const told = out.trimEnd().split('\n').length;
  expect({ told, isDrained: err.includes('root.ended'), code }).toEqual({ told: 1, isDrained: true, code: 0 });
});

test('who interrupts twice does not wait', async () => {
  const { code } = await run(['start', '--json'], /root\.started/, undefined, ['SIGINT', 'SIGTERM']);

  expect(code).toBe(130);
});

test('who interrupts twice at a terminal reads what was held back until then', async () => {
  const silent = createServer().listen(0, '127.0.0.1'); // A start that asks it does not come to an end.
  await once(silent, 'listening');
  const databaseUrl = `postgresql://user:password@127.0.0.1:${(silent.address() as AddressInfo).port}/none`;
  const flags = ['--insecure', '--host=127.0.0.1', '--port=0', '--storage-dir=held'];
  const command = `exec '${process.execPath}' '${CLI}' start ${flags.join(' ')}`;
  const child = spawn('script', ['--quiet', '--flush', '--return', '--command', command, '/dev/null'], {
    env: { PATH: process.env['PATH'], DATABASE_URL: databaseUrl }, cwd: directory, stdio: ['pipe', 'pipe', 'inherit'],
  });
  enterProcess(child);

  let out = '';
  const [CTRL_C, waited] = ['\x03', [/\r/, /once more to end at once/]];
  for await (const chunk of child.stdout) {
    out += String(chunk);
    if (waited[0]?.test(out) !== true) continue;
    waited.shift();
    child.stdin.write(CTRL_C);
  }
  silent.close();

  expect(out).toMatch(/once more to end at once[^]* info storage\.opening directory=/);
});

test('what is wrong goes to stderr, and stdout stays empty', async () => {
  const { out, err, code } = await run(['start', '--json', '--long-poll-timeout=never'], /never/);

  expect({ out, err, code }).toEqual({ out: '', err: expect.stringMatching(/^armature: --long-poll-timeout must be a duration/), code: 2 });
});

test.each([
  { words: ['--version'], has: ['version'] },
  { words: ['help'], has: ['commands', 'exitCodes'] },
  { words: ['doctor', '--help'], has: ['commands', 'exitCodes'] },
  { words: ['completion', 'fish'], has: ['shell', 'script'] },
])('$words are one line of JSON too', async ({ words, has }) => {
  const child = spawn(process.execPath, [CLI, ...words, '--json'], { stdio: ['ignore', 'pipe', 'inherit'] });
  enterProcess(child);
  let out = '';
  for await (const chunk of child.stdout) out += String(chunk);

  expect([Object.keys(JSON.parse(out) as object), out.trimEnd().includes('\n')]).toEqual([has, false]);
});
