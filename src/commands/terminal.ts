/**
 * Terminal: what a command says, to stdout what it was asked for, to stderr everything else. What others have named is made printable
 * first (src/base/printable-text.ts): only control characters that a command writes itself have an effect.
 */
import type { ExitCode } from './exit-code.ts';
import type { Screen } from './progress-line.ts';

export interface Terminal {
  /** A text of one or several lines, which ends its last line. */
  print(text: string): void;
  complain(sentence: string): void;
  /** Where a person looks on, for what does not stay: whoever writes there takes it back before something else is said. */
  readonly screen?: Screen;
}

export function systemTerminal(): Terminal {
  process.stdout.on('error', endWithReader);
  return {
    print: (text) => void process.stdout.write(text),
    complain: (sentence) => void process.stderr.write(`armature: ${sentence}\n`),
    ...(process.stderr.isTTY ? { screen: systemScreen() } : {}),
  };
}

function systemScreen(): Screen {
  return {
    write: (text) => void process.stderr.write(text),
    get columns() {
      return process.stderr.columns;
    },
  };
}

/** As in `armature shapes | head`: who reads no further has all that it wanted. */
function endWithReader(error: Error): void {
  if (!('code' in error) || error.code !== 'EPIPE') throw error;
  process.exit();
}

/** @returns `code`, when all `problems` were told. */
export function refused(terminal: Terminal, problems: readonly string[], code: ExitCode): ExitCode {
  for (const problem of problems) terminal.complain(problem);
  return code;
}

/** As one line of JSON for each value: what a script reads. */
export function jsonLine(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}
