/**
 * Terminal: what a command says, to stdout what it was asked for, to stderr everything else. What others have named is made printable
 * first (src/base/printable-text.ts): only control characters that a command writes itself have an effect.
 */
import type { ExitCode } from './exit-code.ts';

export interface Terminal {
  /** A text of one or several lines, which ends its last line. */
  print(text: string): void;
  complain(sentence: string): void;
  /** Where a person looks on: shows `text` in place of what it showed before, until something else is said. Nothing of it stays. */
  readonly show?: (text: string) => void;
}

export function systemTerminal(): Terminal {
  process.stdout.on('error', endWithReader);
  return {
    print: (text) => void process.stdout.write(text),
    complain: (sentence) => void process.stderr.write(`armature: ${sentence}\n`),
    ...(process.stderr.isTTY ? { show: (text) => void process.stderr.write(`\r\u001b[K${text}`) } : {}),
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
