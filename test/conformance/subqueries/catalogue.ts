/**
 * Catalogue: what is known to go wrong, or to be easily done wrong, where a shape depends on others, case by case, and the test that
 * holds each. A case is held by tests that are named by their file and their title, or it is left out, with the reason why it cannot apply.
 *
 * The titles are looked for in the files, so the catalogue cannot promise a test that is not there.
 */
import { readFileSync } from 'node:fs';
import type { Case, Held } from './case.ts';
import { CONSUMER } from './cases/consumer.ts';
import { KNOWN_FAULTS } from './cases/known-faults.ts';
import { MATERIALIZER } from './cases/materializer.ts';
import { SPLICES } from './cases/splices.ts';

export interface Section {
  readonly id: string;
  readonly theme: string;
  readonly cases: Readonly<Record<string, Case>>;
}

export const SECTIONS: readonly Section[] = [
  { id: 'M', theme: 'The values of an inner shape', cases: MATERIALIZER },
  { id: 'C', theme: 'A shape and its Consumer', cases: CONSUMER },
  { id: 'Q', theme: 'Moves, splices and plans', cases: SPLICES },
  { id: 'F', theme: 'Known faults of a hand-over', cases: KNOWN_FAULTS },
];

export const ALL: readonly (readonly [id: string, held: Case])[] = SECTIONS.flatMap(({ cases }) => Object.entries(cases));

/** Whether the file has this title, between quotes of whichever kind. */
export function isThere([file, title]: Held): boolean {
  const text = textOf(file);
  const escaped = title.replaceAll('\\', '\\\\').replaceAll("'", "\\'");
  return text.includes(`'${escaped}'`) || text.includes(`"${title}"`) || text.includes(`\`${title}\``);
}

const texts = new Map<string, string>();

function textOf(file: string): string {
  const text = texts.get(file) ?? readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
  texts.set(file, text);
  return text;
}
