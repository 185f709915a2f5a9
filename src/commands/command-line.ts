/** The command line: which command, with which flags and which operand. */
import { nearest } from '../settings/nearest-name.ts';
import type { Flags } from '../settings/configuration.ts';
import type { Command, Flag, ServiceCommand, ToolCommand } from './command.ts';

export type CommandLine =
  | { readonly run: 'service'; readonly command: ServiceCommand; readonly flags: Flags }
  | { readonly run: 'tool'; readonly command: ToolCommand; readonly flags: Flags; readonly operand: string | undefined }
  /** Of one command, or of all. */
  | { readonly run: 'help'; readonly command: Command | undefined; readonly isJson: boolean }
  | { readonly run: 'version'; readonly isJson: boolean }
  | { readonly problem: string };

const FLAG = /^--([a-z0-9-]+)(?:=(.*))?$/s;

/** @param words what stands behind the program's name. */
export function parseCommandLine(words: readonly string[], commands: readonly Command[]): CommandLine {
  const [first = 'help', ...rest] = words;
  const isJson = words.includes('--json');
  const named = commands.find(({ name }) => name === (first === 'help' ? rest[0] : first));
  if (first === 'help' || words.includes('--help') || words.includes('-h')) return { run: 'help', command: named, isJson };
  if (words.includes('--version') || words.includes('-v')) return { run: 'version', isJson };
  if (named === undefined) return { problem: noCommand(first, commands) };
  const parsed = parseWords(rest, named);
  if ('problem' in parsed) return parsed;
  const { flags, operand } = parsed;
  return 'serves' in named ? { run: 'service', command: named, flags } : { run: 'tool', command: named, flags, operand };
}

function noCommand(word: string, commands: readonly Command[]): string {
  const names = commands.map(({ name }) => name);
  return `"${word}" is no command of Armature. Did you mean ${nearest(word, names)}? "armature --help" lists them all.`;
}

interface Words {
  readonly flags: Flags;
  readonly operand: string | undefined;
}

function parseWords(words: readonly string[], command: Command): Words | { readonly problem: string } {
  const flags: Record<string, string | true> = {};
  let operand: string | undefined;
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    const [, name, inline] = FLAG.exec(word) ?? [];
    if (name === undefined) {
      if (command.operand === undefined || operand !== undefined) return { problem: notWanted(word, command) };
      operand = word;
      continue;
    }
    const flag = command.flags.find((known) => known.flag === name);
    const isSwitch = flag !== undefined && flag.value === undefined;
    const next = isSwitch || inline !== undefined || words[at + 1]?.startsWith('--') ? undefined : words[at + 1];
    if (flag?.value !== undefined && (inline ?? next) === undefined) return { problem: `--${name} needs a value: --${name}=…` };
    if (next !== undefined) at += 1;
    flags[name] = inline ?? next ?? true;
  }
  const problem = operandProblem(operand, command) ?? flagProblem(flags, command);
  return problem === undefined ? { flags, operand } : { problem };
}

function notWanted(word: string, { name, operand }: Command): string {
  const flagsBegin = 'flags begin with two dashes';
  const takes = operand === undefined ? flagsBegin : `"armature ${name}" takes one word, and ${flagsBegin}`;
  return `"${word}" is no flag: ${takes}. "armature ${name} --help" lists them.`;
}

function operandProblem(given: string | undefined, { name, operand }: Command): string | undefined {
  if (operand === undefined) return undefined;
  const isGood = given !== undefined && (operand.values === undefined || operand.values.includes(given));
  return isGood ? undefined : `Write it as: armature ${name} ${operand.name}`;
}

/** A name that no setting has is told where the settings are read, together with what else is wrong there. */
function flagProblem(flags: Flags, command: Command): string | undefined {
  if ('serves' in command) return undefined;
  const unknown = Object.keys(flags).find((name) => !command.flags.some(({ flag }) => flag === name));
  if (unknown === undefined) return undefined;
  const { name, flags: known } = command;
  return `--${unknown} is no flag of "armature ${name}".${meant(unknown, known)} "armature ${name} --help" lists them.`;
}

function meant(name: string, flags: readonly Flag[]): string {
  return flags.length === 0 ? '' : ` Did you mean --${nearest(name, flags.map(({ flag }) => flag))}?`;
}
