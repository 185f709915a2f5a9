/** The pages for users: what they name is there, what they quote is said, and what they tell to run can be run. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { parseCommandLine } from '../../src/commands/command-line.ts';
import { COMMANDS } from '../../src/commands/commands.ts';
import { EXIT } from '../../src/commands/exit-code.ts';
import { CHECKS } from '../../src/postgres/doctor/examination.ts';
import { SETTINGS, variableOf, type Setting } from '../../src/settings/settings.ts';
import { configurationPage } from './configuration-page.ts';

const REPOSITORY = join(import.meta.dirname, '../..');
const PAGES = [
  'quickstart', 'commands', 'configuration', 'deployment', 'moving-from-electric', 'security', 'operations', 'troubleshooting',
].map((name) => `docs/${name}.md`);
const read = (path: string): string => readFileSync(join(REPOSITORY, path), 'utf8');

test('the page of settings is what the settings say (npm run configuration-page)', () => {
  expect(read('docs/configuration.md')).toBe(configurationPage());
});

test.each(PAGES)('%s points to files that are there, in lines that can be read, and the README points to it', (page) => {
  const text = read(page);
  const targets = [...text.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, target = '']) => join(dirname(page), target));
  const missing = targets.filter((path) => !existsSync(join(REPOSITORY, path)));
  const long = text.split('\n').filter((line) => line.length > 140);

  expect({ missing, long, isNamed: read('README.md').includes(page) }).toEqual({ missing: [], long: [], isNamed: true });
});

test.each(PAGES)('what %s tells to run are commands of the program, with flags that they have', (page) => {
  const found = [...read(page).matchAll(/```sh\n([\s\S]*?)```|`(armature [a-z][^`|\\]*)`/g)];
  const blocks = found.flatMap(([, block, inline]) => (block ?? inline ?? '').split('\n'));
  const lines = blocks.flatMap((line) => /(?:^|\()armature ([^)>]+)/.exec(line)?.[1]?.trim().replaceAll('"', '') ?? []);

  const problems = lines.flatMap((line) => {
    const parsed = parseCommandLine(line.split(/\s+/), COMMANDS);
    return 'problem' in parsed ? [parsed.problem] : [];
  });

  expect(problems).toEqual([]);
});

test.each(PAGES)('every setting that %s names is one', (page) => {
  const settings = Object.values<Setting>(SETTINGS);
  const known = new Set(settings.flatMap((setting) => [variableOf(setting), ...setting.electric, `--${setting.flag}`]));
  const flags = new Set(COMMANDS.flatMap((command) => command.flags.map(({ flag }) => `--${flag}`)));
  const named = [...read(page).matchAll(/\b(?:ARMATURE|ELECTRIC)_[A-Z_]+[A-Z]\b/g)].map(([name]) => name);
  const inline = [...read(page).matchAll(/`(--[a-z-]+)`/g)].map(([, name = '']) => name);
  const others = ['--profile', '--omit', '--help', '--version'];

  expect([...named, ...inline].filter((name) => !known.has(name) && !flags.has(name) && !others.includes(name))).toEqual([]);
});

test('the page of troubles has every code by which a start is refused, and quotes what is said', () => {
  const page = read('docs/troubleshooting.md');
  const rooms = ['postgres/connection/preflight', 'postgres/replication/replication-setup', 'postgres/replication/slot-standing'];
  const codes = [...rooms, 'settings/database-url'].map((name) => read(`src/${name}.ts`)).flatMap((text) =>
    [...text.matchAll(/(?:\bproblem\(|\bbad\(|SetupError\(|code:)\s*'([a-z_]+)'/g)].map(([, code = '']) => code),
  );
  const [refused = ''] = page.split('## While it runs');
  const quotes = [...refused.matchAll(/^\| (?:`[a-z_]+` \| )?([^`|]+) \|/gm)].map(([, quote = '']) => quote);
  const said = sources().replaceAll(/['`] \+\s*['`]/g, '');

  expect({
    missing: codes.filter((code) => !page.includes(`\`${code}\``)),
    unsaid: quotes.filter((quote) => !said.includes(quote) && !['code', 'what it says'].includes(quote)),
    isLong: quotes.length > 25,
  }).toEqual({ missing: [], unsaid: [], isLong: true });
});

test('the page of commands has every command, and every check of the doctor', () => {
  const page = read('docs/commands.md');
  const names = [...COMMANDS.map(({ name }) => `armature ${name}`), ...CHECKS.map(({ id }) => `\`${id}\``)];

  expect(names.filter((name) => !page.includes(name))).toEqual([]);
});

test('the page of commands has every exit code, and no other', () => {
  const codes = [...read('docs/commands.md').matchAll(/^\| (\d+) \| /gm)].map(([, code]) => Number(code));

  expect(codes).toEqual(Object.values(EXIT));
});

function sources(): string {
  const names = readdirSync(join(REPOSITORY, 'src'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  return names.map((name) => read(join('src', name))).join('\n');
}
