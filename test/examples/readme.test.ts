/** What the README shows of the process layer is run as it stands there, by a project that has only the package and xstate. */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

const REPOSITORY = join(import.meta.dirname, '../..');
const run = promisify(execFile);
const [, program = ''] = /```js\n([\s\S]*?)```/.exec(readFileSync(join(REPOSITORY, 'README.md'), 'utf8')) ?? [];
let project: string;

beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), 'armature-user-'));
  mkdirSync(join(project, 'node_modules'));
  symlinkSync(REPOSITORY, join(project, 'node_modules/armature'));
  symlinkSync(join(REPOSITORY, 'node_modules/xstate'), join(project, 'node_modules/xstate'));
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
});

afterAll(() => rmSync(project, { recursive: true, force: true }));

test('the program of the README runs, crash included', async () => {
  writeFileSync(join(project, 'program.js'), program);

  const { stdout, stderr } = await run(process.execPath, ['program.js'], { cwd: project });

  expect({ stdout: stdout.trimEnd().split('\n'), stderr }).toEqual({
    stdout: [
      "{ type: 'greeting', text: 'Hello, Ada!' }",
      "'curse' to @greeter got no answer: UnhandledEventError: machine 'greeter' in state '{}' has no transition for event 'curse'",
      '{', "  type: 'children.counted',", '  specs: 1,', '  active: 1,', '  supervisors: 0,', '  workers: 1', '}',
      "{ type: 'greeting', text: 'Hello, Grace!' }",
    ],
    stderr: '',
  });
});

test('the types of the package are enough for strict TypeScript: for the program of the README as it stands, and for the copied example', { timeout: 60_000 }, async () => {
  writeFileSync(
    join(project, 'typed.ts'),
    `import { createRuntime, effects, task, via, type ChildSpec, type EffectParams, type MachineSpec, type Pid } from 'armature/otp';
     import { setup } from 'xstate';
     const machine = setup({ types: { events: {} as { type: 'job.done'; value: unknown } }, actions: { ...effects } }).createMachine({
       id: 'asker', entry: { type: 'async', params: { template: 'job', as: 'job' } }, on: { 'job.done': {} },
     });
     const spec: MachineSpec = { machine, name: via('desks', 1), spawns: { job: () => task((signal) => signal.aborted) }, hibernateAfterMs: 10 };
     export const child: ChildSpec = { id: 'asker', start: () => spec, restart: 'transient' };
     export const params: EffectParams['call'] = { to: '@asker', request: { type: 'ask' }, timeoutMs: 10 };
     export const started: Promise<Pid> = createRuntime().start(spec, { id: 'asker', timeoutMs: 10 });
     // @ts-expect-error An exit has a reason that is one.
     createRuntime().exit('@asker', 'because');
    `,
  );
  writeFileSync(join(project, 'program.ts'), program);
  cpSync(join(REPOSITORY, 'examples/supervised-counter'), join(project, 'example'), { recursive: true });
  const strict = ['--allowImportingTsExtensions', '--strict', '--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess', '--noEmit', '--skipLibCheck', '--target', 'es2022', '--lib', 'es2023,dom'];

  const { stdout } = await run(join(REPOSITORY, 'node_modules/.bin/tsc'), [...strict, '--module', 'nodenext', '--moduleResolution', 'nodenext', 'typed.ts', 'program.ts', 'example/main.ts'], { cwd: project });

  expect(stdout).toBe('');
});
