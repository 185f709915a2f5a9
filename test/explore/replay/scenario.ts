/**
 * Scenario: a way through a system, turn by turn, at whose end something is wrong; as a file in `test/scenarios`, for people to read
 * and for the production runtime to run. One that names no control is of a bug: its test fails until that is mended, and guards it then.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import * as z from 'zod';
import { turnsOf, type Turn } from '../checker/note.ts';
import type { Counterexample } from '../checker/search.ts';
import { SYSTEM_NAMES, type Setting } from '../systems.ts';
import { isWindow, readWindow, type RecordedWindow } from './window/recorded-window.ts';

const FOLDER = new URL('../../scenarios/', import.meta.url);

const turn: z.ZodType<Turn> = z.union([
  z.strictObject({ deliver: z.string(), from: z.string(), to: z.string() }),
  z.strictObject({ goOn: z.string(), role: z.string() }),
  z.strictObject({ happen: z.string() }),
  z.strictObject({ kill: z.string() }),
  z.strictObject({ timeout: z.string(), role: z.string() }),
  z.strictObject({ silence: z.string(), role: z.string() }),
]);

const schema = z.strictObject({
  system: z.enum(SYSTEM_NAMES),
  bounds: z.record(z.string(), z.unknown()),
  control: z.string().optional(),
  /** What is wrong behind the last turn, and not before: without that cure, or as long as there was none. */
  property: z.string(),
  what: z.string(),
  turns: z.array(turn),
});

export type Scenario = Readonly<z.infer<typeof schema>>;

export function scenarioOf({ system, bounds, control }: Setting, { property, what, steps }: Counterexample): Scenario {
  return { system, bounds, ...(control === undefined ? {} : { control }), property, what, turns: [...turnsOf(steps.flat())] };
}

/** One of the same system, control and property takes the place of the last. @returns the name of the file. */
export function writeScenario(scenario: Scenario): string {
  const { system, control, property } = scenario;
  const name = `${`${system} ${control ?? property}`.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}.json`;
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(new URL(name, FOLDER), textOf(scenario));
  return name;
}

/** @throws {z.ZodError} */
export function readScenario(json: unknown): Scenario {
  return schema.parse(json);
}

/** All that are kept, by the names of their files. */
export function readScenarios(): readonly (readonly [string, Scenario])[] {
  return keptFiles().filter(([, json]) => !isWindow(json)).map(([name, json]) => [name, readScenario(json)]);
}

/** The windows that are kept there as they were downloaded, likewise. */
export function readWindows(): readonly (readonly [string, RecordedWindow])[] {
  return keptFiles().filter(([, json]) => isWindow(json)).map(([name, json]) => [name, readWindow(json)]);
}

function keptFiles(): readonly (readonly [string, unknown])[] {
  const names = readdirSync(FOLDER).filter((name) => name.endsWith('.json')).sort();
  return names.map((name) => [name, JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8')) as unknown]);
}

/** A line for each turn. */
function textOf({ turns, ...setting }: Scenario): string {
  const head = JSON.stringify(setting, undefined, 2).slice(0, -2);
  const lines = turns.map((each) => `    ${JSON.stringify(each)}`);
  return `${head},\n  "turns": [\n${lines.join(',\n')}\n  ]\n}\n`;
}
