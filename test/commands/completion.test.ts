/** The completion of bash, asked as bash asks it. */
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { COMMANDS } from '../../src/commands/commands.ts';
import { EXIT } from '../../src/commands/exit-code.ts';

async function script(shell: string): Promise<string> {
  const command = COMMANDS.find(({ name }) => name === 'completion');
  let printed = '';
  const terminal = { print: (text: string) => void (printed += text), complain: () => {} };
  const context = { flags: {}, operands: [shell], environment: {}, terminal };
  const code = command !== undefined && 'run' in command ? await command.run(context) : undefined;
  return code === EXIT.done ? printed : '';
}

/** What bash offers for the last of `words`. */
async function offered(words: readonly string[]): Promise<readonly string[]> {
  const ask = `${await script('bash')}
    COMP_WORDS=(armature "$@"); COMP_CWORD=$#; _armature; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const answer = execFileSync('bash', ['--norc', '-c', ask, 'bash', ...words], { encoding: 'utf8', env: { PATH: process.env['PATH'] } });
  return answer.split('\n').filter((line) => line !== '');
}

test.each([
  [['sta'], ['start']],
  [['completion', ''], ['bash', 'zsh', 'fish', '--json']],
  [['start', '--storage'], ['--storage', '--storage-dir']],
  [['start', '--storage', ''], ['disk', 'memory']],
  [['start', '--port', ''], []],
  [['storage', ''], ['inspect', 'verify', 'backup', '--limit', '--json']],
  [['nothing', ''], []],
])('bash completes %j', async (words, expected) => {
  expect(await offered(words)).toEqual(expected);
});

test.each(['bash', 'zsh', 'fish'])('the script for %s knows every command and every flag', async (shell) => {
  const text = await script(shell);
  const words = COMMANDS.flatMap(({ name, flags }) => [name, ...flags.map(({ flag }) => flag)]);

  expect(words.filter((word) => !text.includes(word))).toEqual([]);
});

test('quotes, brackets and colons of a help text are text to zsh and fish', async () => {
  const [zsh, fish] = [await script('zsh'), await script('fish')];

  expect({ zsh: zsh.includes("port[where to listen (default\\: 3000; 0\\: any)]"), fish: fish.includes("-l port -x -a '' -d") }).toEqual({
    zsh: true,
    fish: true,
  });
});
