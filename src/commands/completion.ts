/**
 * Completion: the scripts by which shells complete the program's commands and flags, made from the table of commands.
 *
 * `eval "$(armature completion bash)"` in a shell's start-up file is all that is needed. A flag is completed apart from
 * its value (`--port 4000`), because bash takes `=` for the border between two words.
 */
import { JSON_FLAG, type Command, type Flag, type Operand, type ToolCommand } from './command.ts';
import { EXIT } from './exit-code.ts';
import { jsonLine } from './terminal.ts';

const SHELLS: Readonly<Record<string, (commands: readonly Command[]) => string>> = { bash, zsh, fish };

/** @param commands asked when it is run: the command itself is one of them. */
export function completionCommand(commands: () => readonly Command[]): ToolCommand {
  return {
    name: 'completion',
    summary: 'print what makes a shell complete commands and flags',
    operands: [{ name: 'bash|zsh|fish', values: Object.keys(SHELLS) }],
    flags: [JSON_FLAG],
    async run({ operands: [shell = ''], flags, terminal }) {
      const script = SHELLS[shell]?.(commands()) ?? '';
      terminal.print(flags['json'] === undefined ? script : jsonLine({ shell, script }));
      return EXIT.done;
    },
  };
}

/** Values of a flag that can be listed: `disk|memory`. */
function choicesOf({ value = '' }: Flag): readonly string[] {
  return value.includes('|') ? value.split('|') : [];
}

function isPath({ value }: Flag): boolean {
  return value === 'PATH';
}

/** Behind a command: its flags, and what its operands may be. */
function wordsOf({ flags, operands = [] }: Command): string {
  return [...operands.flatMap(({ values = [] }) => values), ...flags.map(({ flag }) => `--${flag}`)].join(' ');
}

function bash(commands: readonly Command[]): string {
  const flags = commands.flatMap((command) => command.flags);
  const valued = flags.filter(({ value }) => value !== undefined);
  const ofValue = (flag: Flag): string => (isPath(flag) ? 'compgen -f --' : `compgen -W '${choicesOf(flag).join(' ')}' --`);
  return `_armature() {
  local word=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]}
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W '${commands.map(({ name }) => name).join(' ')}' -- "$word"))
    return
  fi
  case $previous in
${unique(valued.map((flag) => `    --${flag.flag}) COMPREPLY=($(${ofValue(flag)} "$word")); return ;;`)).join('\n')}
  esac
  case \${COMP_WORDS[1]} in
${commands.map((command) => `    ${command.name}) COMPREPLY=($(compgen -W '${wordsOf(command)}' -- "$word")) ;;`).join('\n')}
  esac
}
complete -F _armature armature
`;
}

function zsh(commands: readonly Command[]): string {
  const described = commands.map(({ name, summary }) => `'${name}:${zshText(summary)}'`).join(' ');
  const action = (flag: Flag): string => (isPath(flag) ? '_files' : choicesOf(flag).length > 0 ? `(${choicesOf(flag).join(' ')})` : ' ');
  const flagWord = (flag: Flag): string => {
    const value = flag.value === undefined ? '' : `:${zshText(flag.value)}:${action(flag)}`;
    return `'--${flag.flag}[${zshText(flag.help)}]${value}'`;
  };
  const valuesOf = (values: Operand['values']): string => (values === undefined ? '_files -/' : `(${values.join(' ')})`);
  const operandWord = ({ name, values, isOptional }: Operand): string =>
    `'${isOptional === true ? '::' : ':'}${zshText(name)}:${valuesOf(values)}'`;
  const wordsFor = ({ operands = [], flags }: Command): string[] => [...operands.map(operandWord), ...flags.map(flagWord)];
  const branch = (command: Command): string =>
    `    ${command.name}) _arguments ${wordsFor(command).join(' \\\n      ')} ;;`;
  return `#compdef armature
_armature() {
  if (( CURRENT == 2 )); then
    local -a commands=(${described})
    _describe command commands
    return
  fi
  shift words
  (( CURRENT -= 1 ))
  case $words[1] in
${commands.map(branch).join('\n')}
  esac
}
compdef _armature armature
`;
}

function fish(commands: readonly Command[]): string {
  const lines = commands.flatMap((command) => {
    const behind = `complete -c armature -f -n '__fish_seen_subcommand_from ${command.name}'`;
    const ofFlag = (flag: Flag): string => {
      const value = flag.value === undefined ? '' : isPath(flag) ? ' -r -F' : ` -x -a '${choicesOf(flag).join(' ')}'`;
      return `${behind} -l ${flag.flag}${value} -d '${fishText(flag.help)}'`;
    };
    return [
      `complete -c armature -f -n __fish_use_subcommand -a ${command.name} -d '${fishText(command.summary)}'`,
      ...(command.operands ?? []).map(({ values }) => (values === undefined ? `${behind} -F` : `${behind} -a '${values.join(' ')}'`)),
      ...command.flags.map(ofFlag),
    ];
  });
  return `${lines.join('\n')}\n`;
}

/** Between single quotes, in a place where zsh gives brackets and colons a meaning. */
function zshText(text: string): string {
  return text.replace(/[[\]:\\]/g, '\\$&').replaceAll("'", "'\\''");
}

function fishText(text: string): string {
  return text.replace(/['\\]/g, '\\$&');
}

function unique(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)];
}
