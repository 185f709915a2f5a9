/** Runs a command as the program does, in this process. */
import { parseCommandLine } from '../../../src/commands/command-line.ts';
import { COMMANDS } from '../../../src/commands/commands.ts';
import type { Environment } from '../../../src/settings/configuration.ts';
import { RecordingTerminal } from './recording-terminal.ts';

export interface ToolOutcome {
  readonly code: number;
  readonly printed: string;
  readonly complaints: readonly string[];
}

/** @param words as behind the program's name, of a command that serves nothing. */
export async function runTool(words: readonly string[], environment: Environment = {}): Promise<ToolOutcome> {
  const terminal = new RecordingTerminal();
  const commandLine = parseCommandLine(words, COMMANDS);
  if (!('run' in commandLine) || commandLine.run !== 'tool') return { code: 2, printed: '', complaints: [JSON.stringify(commandLine)] };
  const { command, flags, operands } = commandLine;
  const code = await command.run({ flags, operands, environment, terminal });
  return { code, printed: terminal.printed, complaints: terminal.complaints };
}
