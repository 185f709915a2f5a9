/**
 * What `npm start` does first: it builds what has changed. At a terminal one line says so for as long as it takes; elsewhere there is a
 * line when it begins and one when it is over. What the compiler says is shown when the build has failed.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { systemClock } from '../../src/base/clock.ts';
import { ProgressLine } from '../../src/commands/progress-line.ts';

const WHAT = 'Building what has changed since the last build (some ten seconds the first time)';
const { stdout, stderr } = process;

const begunMs = systemClock.nowMs();
const screen = { write: (text: string) => void stdout.write(text), columns: stdout.columns };
const line = stdout.isTTY ? new ProgressLine(screen, systemClock) : undefined;
if (line === undefined) stdout.write(`${WHAT}\n`);
else line.show(WHAT);

const build = spawn('npm', ['run', '--silent', 'build'], {
  cwd: join(import.meta.dirname, '../..'),
  stdio: ['ignore', 'pipe', 'pipe'],
  shell: process.platform === 'win32', // There npm is a script.
});
let said = '';
build.stdout.on('data', (chunk) => (said += String(chunk)));
build.stderr.on('data', (chunk) => (said += String(chunk)));
const [code] = (await once(build, 'close')) as [number | null];

line?.clear();
if (code !== 0) stderr.write(said);
else if (line === undefined) stdout.write(`Built in ${Math.round((systemClock.nowMs() - begunMs) / 1000)} s\n`);
process.exitCode = code ?? 1;
