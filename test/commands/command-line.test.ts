/** What the program understands, and how it says what it does not. */
import { expect, test } from 'vitest';
import { parseCommandLine } from '../../src/commands/command-line.ts';
import { COMMANDS } from '../../src/commands/commands.ts';
import { commandHelp, helpText } from '../../src/commands/help.ts';
import { SETTINGS, variableOf, type Setting } from '../../src/settings/settings.ts';

/** The command by its name alone. */
function parsed(words: readonly string[]): object {
  const { command, ...rest } = { command: undefined, ...parseCommandLine(words, COMMANDS) };
  return command === undefined ? rest : { ...rest, command: command.name };
}

test.each([
  [['start'], { run: 'service', command: 'start', flags: {} }],
  [['demo', '--inspect'], { run: 'service', command: 'demo', flags: { inspect: true } }],
  [['start', '--port', '4000', '--insecure'], { run: 'service', command: 'start', flags: { port: '4000', insecure: true } }],
  [['start', '--port=4000', '--insecure=false'], { run: 'service', command: 'start', flags: { port: '4000', insecure: 'false' } }],
  [['start', '--secret=a=b\nc'], { run: 'service', command: 'start', flags: { secret: 'a=b\nc' } }],
  [['start', '--prot', '3', '--odd'], { run: 'service', command: 'start', flags: { prot: '3', odd: true } }],
  [['completion', 'bash'], { run: 'tool', command: 'completion', flags: {}, operands: ['bash'] }],
  [['start', '--json'], { run: 'service', command: 'start', flags: { json: true } }],
  [[], { run: 'help', isJson: false }],
  [['help'], { run: 'help', isJson: false }],
  [['help', '--json'], { run: 'help', isJson: true }],
  [['help', 'start'], { run: 'help', command: 'start', isJson: false }],
  [['start', '--help', '--json'], { run: 'help', command: 'start', isJson: true }],
  [['--version'], { run: 'version', isJson: false }],
  [['--version', '--json'], { run: 'version', isJson: true }],
  [['strat'], { problem: '"strat" is no command of Armature. Did you mean start? "armature --help" lists them all.' }],
  [['start', 'now'], { problem: expect.stringContaining('"now" is no flag') }],
  [['start', '--port'], { problem: '--port needs a value: --port=…' }],
  [['start', '--port', '--insecure'], { problem: '--port needs a value: --port=…' }],
  [['completion', 'tcsh'], { problem: 'Write it as: armature completion bash|zsh|fish' }],
  [['completion'], { problem: 'Write it as: armature completion bash|zsh|fish' }],
  [['storage', 'verify', 'here', '--json'], { run: 'tool', command: 'storage', flags: { json: true }, operands: ['verify', 'here'] }],
  [['storage', 'backup', 'here', 'there'], { run: 'tool', command: 'storage', flags: {}, operands: ['backup', 'here', 'there'] }],
  [['storage'], { problem: 'Write it as: armature storage inspect|verify|backup DIRECTORY [TARGET]' }],
  [['storage', 'mend', 'here'], { problem: 'Write it as: armature storage inspect|verify|backup DIRECTORY [TARGET]' }],
  [['storage', 'verify', 'a', 'b', 'c'], { problem: expect.stringContaining('takes 3 words at most') }],
  [['completion', 'bash', 'zsh'], { problem: expect.stringContaining('takes one word') }],
  [['completion', 'bash', '--now'], { problem: expect.stringContaining('--now is no flag of "armature completion"') }],
])('the command line %j', (words, expected) => {
  expect(parsed(words)).toEqual(expected);
});

test('the help names every command, every flag and every variable', () => {
  const names = Object.values<Setting>(SETTINGS).flatMap((setting) => [`--${setting.flag}`, variableOf(setting), ...setting.electric]);
  const commands = COMMANDS.map(({ name }) => `armature ${name} `);

  expect([...names, ...commands].filter((name) => !helpText(COMMANDS).includes(name))).toEqual([]);
});

test('the help of a command names its flags alone', () => {
  const helps = COMMANDS.map((command) => ({ command, help: commandHelp(command) }));

  const named = helps.map(({ command, help }) => [command.name, [...help.matchAll(/^ {2}--([a-z0-9-]+)/gm)].map(([, flag]) => flag)]);

  expect(named).toEqual(COMMANDS.map(({ name, flags }) => [name, flags.map(({ flag }) => flag)]));
});
