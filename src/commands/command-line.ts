/** The command line: which command, with which flags and which operands. */
import { nearest } from '../settings/nearest-name.ts';
import type { Flags } from '../settings/configuration.ts';
import type { Command, Flag, Operand, ServiceCommand, ToolCommand } from './command.ts';

export type CommandLine =
  | { readonly run: 'service'; readonly command: ServiceCommand; readonly flags: Flags }
  | { readonly run: 'tool'; readonly command: ToolCommand; readonly flags: Flags; readonly operands: readonly string[] }
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
  const { flags, operands } = parsed;
  return 'serves' in named ? { run: 'service', command: named, flags } : { run: 'tool', command: named, flags, operands };
}

function noCommand(word: string, commands: readonly Command[]): string {
  const names = commands.map(({ name }) => name);
  return `"${word}" is no command of Armature. Did you mean ${nearest(word, names)}? "armature --help" lists them all.`;
}

interface Words {
  readonly flags: Flags;
  readonly operands: readonly string[];
}

function parseWords(words: readonly string[], command: Command): Words | { readonly problem: string } {
  const flags: Record<string, string | true> = {};
  const operands: string[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    const [, name, inline] = FLAG.exec(word) ?? [];
    if (name === undefined) {
      if (operands.length === (command.operands ?? []).length) return { problem: notWanted(word, command) };
      operands.push(word);
      continue;
    }
    const flag = command.flags.find((known) => known.flag === name);
    const isSwitch = flag !== undefined && flag.value === undefined;
    const next = isSwitch || inline !== undefined || words[at + 1]?.startsWith('--') ? undefined : words[at + 1];
    if (flag?.value !== undefined && (inline ?? next) === undefined) return { problem: `--${name} needs a value: --${name}=…` };
    if (next !== undefined) at += 1;
    flags[name] = inline ?? next ?? true;
  }
  const problem = operandProblem(operands, command) ?? flagProblem(flags, command);
  return problem === undefined ? { flags, operands } : { problem };
}

function notWanted(word: string, { name, operands = [] }: Command): string {
  const flagsBegin = 'flags begin with two dashes';
  const count = operands.length === 1 ? 'one word' : `${operands.length} words at most`;
  const takes = operands.length === 0 ? flagsBegin : `"armature ${name}" takes ${count}, and ${flagsBegin}`;
  return `"${word}" is no flag: ${takes}. "armature ${name} --help" lists them.`;
}

function operandProblem(given: readonly string[], { name, operands = [] }: Command): string | undefined {
  const isGood = operands.every(({ values, isOptional }, index) => {
    const word = given[index];
    return word === undefined ? isOptional === true : values === undefined || values.includes(word);
  });
  return isGood ? undefined : `Write it as: armature ${name} ${operands.map(operandText).join(' ')}`;
}

/** As the help writes it. */
export function operandText({ name, isOptional }: Operand): string {
  return isOptional === true ? `[${name}]` : name;
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
