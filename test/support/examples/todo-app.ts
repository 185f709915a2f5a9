/** The todo app as a process of its own, as `npm run example` starts it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { enterProcess } from '../service/running-processes.ts';

const REPOSITORY = join(import.meta.dirname, '../../..');

export interface TodoApp {
  readonly url: string;
  /** Of its own service; undefined where another one was named. */
  readonly observerUrl: string | undefined;
  /** As Ctrl-C does. Resolves with the exit code. */
  stop(): Promise<number | null>;
}

/**
 * @param directory where it keeps what it makes, below `.armature`.
 * @returns it, once it says where it is.
 */
export async function startTodoApp(directory: string, ...flags: readonly string[]): Promise<TodoApp> {
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), join(REPOSITORY, 'examples/todo/main.ts'), ...flags], {
    cwd: directory,
    env: { PATH: process.env['PATH'], TSX_TSCONFIG_PATH: join(REPOSITORY, 'tsconfig.dist.json') },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  enterProcess(child);
  let observerUrl: string | undefined;
  for await (const line of createInterface(child.stdout)) {
    observerUrl ??= / at (http:\S+\/_observer\S*)$/.exec(line)?.[1];
    const [, url] = / at (http:\S+): /.exec(line) ?? [];
    if (url !== undefined) return { url, observerUrl, stop: () => stop(child) };
  }
  throw new Error(`the example does not start: ${String(child.stderr.read())}`);
}

async function stop(child: ChildProcess): Promise<number | null> {
  child.stdout?.resume();
  child.kill('SIGINT');
  await once(child, 'exit');
  return child.exitCode;
}
