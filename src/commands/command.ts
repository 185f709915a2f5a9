/** A command of the program: what it is called, what it takes, and what it does. */
import type { Environment, Flags } from '../settings/configuration.ts';
import { SETTINGS, variableOf, type Setting, type Settings } from '../settings/settings.ts';
import type { ExitCode } from './exit-code.ts';
import type { Terminal } from './terminal.ts';

export type Command = ServiceCommand | ToolCommand;

interface Described {
  readonly name: string;
  /** What it does, in half a sentence. */
  readonly summary: string;
  /** The words that it wants behind its name, in their order. */
  readonly operands?: readonly Operand[];
  readonly flags: readonly Flag[];
}

export interface Operand {
  readonly name: string;
  /** What it may be, where that can be listed. */
  readonly values?: readonly string[];
  /** Left out as a rule; those behind it as well. */
  readonly isOptional?: true;
}

/** Runs until it is told to end: the program itself does that. */
export interface ServiceCommand extends Described {
  readonly serves: 'start' | 'demo';
}

/** Looks, says what it saw, and ends. */
export interface ToolCommand extends Described {
  run(context: CommandContext): Promise<ExitCode>;
}

export interface Flag {
  /** Without its dashes. */
  readonly flag: string;
  /** What stands for the value in the help, `disk|memory` where there is a choice; undefined for one that is on or off. */
  readonly value?: string | undefined;
  readonly help: string;
  /** Environment variables that say the same; the first that is set counts, behind the flag itself. */
  readonly variables: readonly string[];
}

export interface CommandContext {
  readonly flags: Flags;
  readonly operands: readonly string[];
  readonly environment: Environment;
  readonly terminal: Terminal;
}

/** @returns undefined for a flag that was not given. */
export function textOf(flag: string | true | undefined): string | undefined {
  return flag === undefined ? undefined : String(flag);
}

/** Of every command. A service says what it is at, and a tool what was asked for. */
export const JSON_FLAG: Flag = { flag: 'json', help: 'as JSON, for a script', variables: [] };

export function flagOf(name: keyof Settings): Flag {
  const setting: Setting = SETTINGS[name];
  return { flag: setting.flag, value: setting.value, help: setting.help, variables: [variableOf(setting), ...setting.electric] };
}

export function flagsOfSettings(): readonly Flag[] {
  return (Object.keys(SETTINGS) as (keyof Settings)[]).map(flagOf); // An object's own keys are those of its type here.
}
