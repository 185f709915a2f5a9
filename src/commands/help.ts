/** The help: what the program can do, or one command of it, made from the table of commands. */
import { operandText } from './command-line.ts';
import { flagsOfSettings, JSON_FLAG, type Command, type Flag } from './command.ts';
import { EXIT } from './exit-code.ts';
import { jsonLine } from './terminal.ts';

const VARIABLES = 'environment variables that say the same (the first that is set counts)';
const EXIT_MEANINGS: Readonly<Record<keyof typeof EXIT, string>> = {
  done: 'done', failed: 'failed', misused: 'misused', interrupted: 'interrupted',
  unfit: 'doctor or storage verify found what must be mended',
};
const EXIT_CODES = exitCodes().map(({ code, meaning }) => `${code} ${meaning}`).join(', ');

export function helpText(commands: readonly Command[]): string {
  return `Armature keeps subsets of a Postgres database in step with any number of clients over HTTP.

Usage:
${usageOf(commands)}
  armature [command] --help
  armature --version

Exit codes: ${EXIT_CODES}.

Flags of start and demo, each with the ${VARIABLES}:
${flagLines([...flagsOfSettings(), JSON_FLAG])}
`;
}

/** What the help says, for a script. @param commands one of them, or all. */
export function helpJson(commands: readonly Command[]): string {
  const described = commands.map(({ name, summary, operands = [], flags }) => ({ name, summary, operands, flags }));
  return jsonLine({ commands: described, exitCodes: exitCodes() });
}

function exitCodes(): readonly { readonly code: number; readonly meaning: string }[] {
  return Object.entries(EXIT_MEANINGS).map(([name, meaning]) => ({ code: EXIT[name as keyof typeof EXIT], meaning })); // Its own keys.
}

export function commandHelp(command: Command): string {
  const lead = `${usageLine(command)}: ${command.summary}.\n`;
  if (command.flags.length === 0) return lead;
  return `${lead}\nFlags, each with the ${VARIABLES}:\n${flagLines(command.flags)}\n`;
}

function usageOf(commands: readonly Command[]): string {
  const forms = commands.map(usageLine);
  const width = Math.max(...forms.map(({ length }) => length)) + 3;
  return commands.map(({ summary }, index) => `  ${(forms[index] ?? '').padEnd(width)}${summary}`).join('\n');
}

function usageLine({ name, operands = [], flags }: Command): string {
  return ['armature', name, ...operands.map(operandText), ...(flags.length === 0 ? [] : ['[flags]'])].join(' ');
}

export function flagLines(flags: readonly Flag[]): string {
  const forms = flags.map(({ flag, value }) => `--${flag}${value === undefined ? '' : `=${value}`}`);
  const width = Math.max(...forms.map(({ length }) => length)) + 2;
  const line = ({ help, variables }: Flag, index: number): string => {
    const named = variables.length === 0 ? '' : `\n  ${''.padEnd(width)}${variables.join(', ')}`;
    return `  ${(forms[index] ?? '').padEnd(width)}${help}${named}`;
  };
  return flags.map(line).join('\n');
}
