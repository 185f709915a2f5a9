/** The demo as a newcomer runs it: it brings its own Postgres, keeps its data, and leaves no process behind however it ends. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { InspectionClient } from '../support/service/inspection-client.ts';
import { processesOn } from '../support/processes.ts';
import { readShape } from '../support/service/shape-follower.ts';

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
let directory = '';
const started: ChildProcess[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'armature-demo-'));
});

afterEach(async () => {
  for (const child of started.splice(0)) if (child.exitCode === null && child.signalCode === null) await end(child, 'SIGKILL');
  await nothingLeft();
  rmSync(directory, { recursive: true, force: true });
});

/** @returns what has been printed, whenever it is asked. */
function startDemo(...flags: string[]): { child: ChildProcess; prints(text: string): Promise<string> } {
  const child = spawn(process.execPath, [CLI, 'demo', '--port', '0', '--log-level', 'warn', ...flags], {
    cwd: directory,
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true, // A process group, as a terminal gives to what it runs.
  });
  started.push(child);
  let printed = '';
  child.stdout?.on('data', (chunk) => (printed += String(chunk)));
  return {
    child,
    async prints(text) {
      while (!printed.includes(text)) await once(child.stdout ?? child, 'data');
      return printed;
    },
  };
}

/** Resolves once it listens, with where. */
async function untilServing(demo: ReturnType<typeof startDemo>): Promise<string> {
  const printed = await demo.prints('Ctrl-C stops everything');
  return /http:\S+\/v1\/shape/.exec(printed)?.[0] ?? '';
}

/** To the whole group, as Ctrl-C does. @returns how it ended. */
async function end(child: ChildProcess, signal: 'SIGINT' | 'SIGKILL'): Promise<number | string | null> {
  const ended = once(child, 'exit');
  process.kill(signal === 'SIGINT' ? -(child.pid ?? 0) : child.pid ?? 0, signal);
  await ended;
  return child.exitCode ?? child.signalCode;
}

/** The machine of a process, as the inspection stream tells it. */
async function machineOf(url: string, path: string): Promise<string | undefined> {
  const client = new InspectionClient(url);
  await client.until((event) => event.type === '@xstate.actor' && event.name.startsWith(path));
  return client.definitionOf(client.actors.find(({ name }) => name.startsWith(path))?.name ?? '').id;
}

async function nothingLeft(): Promise<void> {
  await expect.poll(() => processesOn(directory)).toEqual([]);
}

test('it shows its page, a second start finds the data, and no end leaves a process: neither Ctrl-C nor kill -9', async () => {
  const first = startDemo();
  const url = await untilServing(first);
  const serving = await readShape(url, { table: 'issues', offset: '-1' });
  const script = await fetch(new URL('/_observer/observer.js', url));
  const [interrupted, left] = [await end(first.child, 'SIGINT'), processesOn(directory)];

  const second = startDemo();
  const again = await readShape(await untilServing(second), { table: 'issues', offset: '-1' });
  const killed = await end(second.child, 'SIGKILL');
  await nothingLeft();

  const third = startDemo('--inspect', '--inspect-port', '0');
  const atLast = await readShape(await untilServing(third), { table: 'issues', offset: '-1' });
  const watched = await machineOf(
    /inspection protocol too, at (http:\S+?)\. /.exec(await third.prints('inspection protocol'))?.[1] ?? '',
    `stack/shapes/consumers/${atLast.handle}`,
  );
  const exit = await end(third.child, 'SIGINT');
  const handles = [again.handle, atLast.handle];
  expect({ script: script.status, interrupted, left, killed, exit, watched, handles, rows: serving.messages.length }).toEqual({
    script: 200,
    interrupted: 0,
    left: [],
    killed: 'SIGKILL',
    exit: 0,
    watched: 'consumer',
    handles: [serving.handle, serving.handle],
    rows: 361,
  });
});

test('Ctrl-C during the first start leaves nothing behind and blames nobody', async () => {
  const demo = startDemo();
  await demo.prints('Creating a Postgres cluster');
  await expect.poll(() => processesOn(directory).filter((command) => command.includes('initdb')).length).toBeGreaterThan(0);

  const exit = await end(demo.child, 'SIGINT');

  expect({ exit, left: processesOn(directory) }).toEqual({ exit: 0, left: [] });
});
