/** The programs of the README that use the package, as they stand there, in a project that has it and what they import. */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

const REPOSITORY = join(import.meta.dirname, '../..');
const run = promisify(execFile);
const LINKED = ['xstate', '@types/node'];
const shown = [...readFileSync(join(REPOSITORY, 'README.md'), 'utf8').matchAll(/```[jt]s\n([\s\S]*?)```/g)].map(([, text = '']) => text);
const programs = shown.filter((text) => text.includes("from 'armature"));
const ofProcesses = programs.find((text) => text.includes("'armature/otp'")) ?? '';
let project: string;

beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), 'armature-user-'));
  mkdirSync(join(project, 'node_modules'));
  symlinkSync(REPOSITORY, join(project, 'node_modules/armature'));
  for (const name of LINKED) {
    mkdirSync(dirname(join(project, 'node_modules', name)), { recursive: true });
    symlinkSync(join(REPOSITORY, 'node_modules', name), join(project, 'node_modules', name));
  }
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
});

afterAll(() => rmSync(project, { recursive: true, force: true }));

test('the program of the process layer runs, crash included', async () => {
  writeFileSync(join(project, 'program.js'), ofProcesses);

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

test('the types of the package are enough for strict TypeScript, in each program and the copied example', async () => {
  writeFileSync(
    join(project, 'typed.ts'),
    `import { createRuntime, effects, task, via, type ChildSpec, type EffectParams, type MachineSpec, type Pid } from 'armature/otp';
     import { setup } from 'xstate';
     const machine = setup({ types: { events: {} as { type: 'job.done'; value: unknown } }, actions: { ...effects } }).createMachine({
       id: 'asker', entry: { type: 'async', params: { template: 'job', as: 'job' } }, on: { 'job.done': {} },
     });
     const spawns = { job: () => task((signal) => signal.aborted) };
     const spec: MachineSpec = { machine, name: via('desks', 1), spawns, hibernateAfterMs: 10 };
     export const child: ChildSpec = { id: 'asker', start: () => spec, restart: 'transient' };
     export const params: EffectParams['call'] = { to: '@asker', request: { type: 'ask' }, timeoutMs: 10 };
     export const started: Promise<Pid> = createRuntime().start(spec, { id: 'asker', timeoutMs: 10 });
     // @ts-expect-error An exit has a reason that is one.
     createRuntime().exit('@asker', 'because');
    `,
  );
  const files = programs.map((text, index) => {
    writeFileSync(join(project, `program-${index}.ts`), text);
    return `program-${index}.ts`;
  });
  cpSync(join(REPOSITORY, 'examples/supervised-counter'), join(project, 'example'), { recursive: true });
  const strict = ['--strict', '--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess', '--noEmit', '--skipLibCheck'];
  const language = ['--target', 'es2022', '--lib', 'es2023,dom', '--module', 'nodenext', '--allowImportingTsExtensions'];

  const compiler = join(REPOSITORY, 'node_modules/.bin/tsc');
  const { stdout } = await run(compiler, [...strict, ...language, 'typed.ts', ...files, 'example/main.ts'], { cwd: project });

  expect({ stdout, programs: files.length }).toEqual({ stdout: '', programs: 2 });
});
