/** The command line: which command, with which flags; and the text that lists them. */
import { type Command, type Flags } from './configuration.ts';
import { SETTINGS, variableOf, type Setting } from './settings.ts';

export type CommandLine =
  | { readonly run: Command; readonly flags: Flags }
  | { readonly run: 'help' }
  | { readonly run: 'version' }
  | { readonly problem: string };

const COMMANDS: readonly string[] = ['start', 'demo'];
const FLAG = /^--([a-z0-9-]+)(?:=(.*))?$/s;

/** @param words what stands behind the program's name. */
export function parseCommandLine(words: readonly string[]): CommandLine {
  if (words.includes('--help') || words.includes('-h') || words[0] === 'help') return { run: 'help' };
  if (words.includes('--version') || words.includes('-v')) return { run: 'version' };
  const [command, ...rest] = words;
  if (command === undefined) return { run: 'help' };
  if (!isCommand(command))
    return { problem: `"${command}" is no command of Armature: it knows start and demo. "armature --help" says more.` };
  const flags = parseFlags(rest);
  return 'problem' in flags ? flags : { run: command, flags: flags.flags };
}

/** A name that is no setting is read like one that takes a value, and refused where the settings are known. */
function parseFlags(words: readonly string[]): { readonly flags: Flags } | { readonly problem: string } {
  const flags: Record<string, string | true> = {};
  const settings = Object.values<Setting>(SETTINGS);
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    const [, name, inline] = FLAG.exec(word) ?? [];
    if (name === undefined) return { problem: `"${word}" is no flag: flags begin with two dashes. "armature --help" lists them.` };
    const setting = settings.find(({ flag }) => flag === name);
    const isSwitch = setting !== undefined && setting.value === undefined;
    const next = isSwitch || inline !== undefined || words[at + 1]?.startsWith('--') ? undefined : words[at + 1];
    if (setting?.value !== undefined && (inline ?? next) === undefined) return { problem: `--${name} needs a value: --${name}=…` };
    if (next !== undefined) at += 1;
    flags[name] = inline ?? next ?? true;
  }
  return { flags };
}

function isCommand(word: string): word is Command {
  return COMMANDS.includes(word);
}

export function helpText(): string {
  const settings = Object.values<Setting>(SETTINGS);
  const forms = settings.map(({ flag, value }) => `--${flag}${value === undefined ? '' : `=${value}`}`);
  const width = Math.max(...forms.map(({ length }) => length)) + 2;
  const lines = settings.map((setting, index) => {
    const variables = [variableOf(setting), ...setting.electric].join(', ');
    return `  ${(forms[index] ?? '').padEnd(width)}${setting.help}\n  ${''.padEnd(width)}${variables}`;
  });
  return `Armature keeps subsets of a Postgres database in step with any number of clients over HTTP.

Usage:
  armature start [flags]   follow the database that DATABASE_URL or --database-url names
  armature demo [flags]    bring a Postgres with some data, unless a database is named
  armature --help
  armature --version

Flags, each with the environment variables that say the same (the first that is set counts):
${lines.join('\n')}
`;
}
