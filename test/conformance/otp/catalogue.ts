/**
 * Catalogue: which test holds which case of the list that OTP's and Elixir's own suites gave us.
 *
 * The list has 405 numbered cases in seven sections. A case is held by each test whose title begins with its number, or
 * it is left out, with the reason why it cannot apply: never both, and never neither. The titles are read from the test
 * files themselves, so the catalogue cannot promise a test that is not there.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { s1 } from './left-out/signals.ts';
import { s2 } from './left-out/servers.ts';
import { s3 } from './left-out/state-machines.ts';
import { s4 } from './left-out/registry.ts';
import { s5 } from './left-out/supervisors.ts';
import { s6 } from './left-out/dynamic-supervisors.ts';
import { s7 } from './left-out/tasks.ts';

export interface Section {
  readonly id: string;
  readonly theme: string;
  readonly count: number;
  /** The cases that cannot apply to this runtime, each with the reason. */
  readonly leftOut: Readonly<Record<string, string>>;
}

export const SECTIONS: readonly Section[] = [
  { id: 'S1', theme: 'Signals, exits, links, monitors, names, timers', count: 77, leftOut: s1 },
  { id: 'S2', theme: 'Servers: start, call, cast, reply, time-out, continue, stop', count: 51, leftOut: s2 },
  { id: 'S3', theme: 'State machines: postpone, time-outs, internal events', count: 37, leftOut: s3 },
  { id: 'S4', theme: 'Registry', count: 34, leftOut: s4 },
  { id: 'S5', theme: 'Supervisors', count: 140, leftOut: s5 },
  { id: 'S6', theme: 'Dynamic supervisors', count: 28, leftOut: s6 },
  { id: 'S7', theme: 'Tasks', count: 38, leftOut: s7 },
];

export interface HoldingTest {
  readonly fileName: string;
  /** Without the numbers that it begins with. */
  readonly title: string;
}

export interface Case {
  readonly id: string;
  readonly tests: readonly HoldingTest[];
  readonly reason: string | undefined;
}

const folder = new URL('./', import.meta.url);
const NUMBERS = /^(?:S\d-\d{3}[ ,:]+)+/;
const TITLE = /\(\s*(['"`])((?:S\d-\d{3}[ ,:]+)+(?:\\.|(?!\1)[^\\])*)\1/g;

export function casesOf(section: Section, tests: ReturnType<typeof readTests>): readonly Case[] {
  return idsOf(section).map((id) => ({ id, tests: tests.get(id) ?? [], reason: section.leftOut[id] }));
}

export function idsOf({ id, count }: Section): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${id}-${String(index + 1).padStart(3, '0')}`);
}

/** The tests of this folder by the number of the case that they hold. */
export function readTests(): ReadonlyMap<string, readonly HoldingTest[]> {
  const tests = new Map<string, HoldingTest[]>();
  for (const { fileName, text } of testFiles()) {
    for (const [, , literal = ''] of text.matchAll(TITLE)) {
      const title = literal.replace(NUMBERS, '').replaceAll(/\\(.)/g, '$1');
      for (const [id] of (NUMBERS.exec(literal)?.[0] ?? '').matchAll(/S\d-\d{3}/g)) {
        tests.set(id, [...(tests.get(id) ?? []), { fileName, title }]);
      }
    }
  }
  return tests;
}

export function testFiles(): readonly { readonly fileName: string; readonly text: string }[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((fileName) => fileName.endsWith('.test.ts'));
  return names.sort().map((fileName) => ({ fileName, text: readFileSync(new URL(fileName, folder), 'utf8') }));
}
