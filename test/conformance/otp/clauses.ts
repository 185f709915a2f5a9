/** Clauses: the numbered promises of docs/runtime-semantics.md, and the tests that name them in their titles, `clause 17: …`. */
import { readFileSync } from 'node:fs';
import { testFiles } from './catalogue.ts';

const semantics = new URL('../../../docs/runtime-semantics.md', import.meta.url);

export function promisedClauses(): readonly number[] {
  return [...readFileSync(semantics, 'utf8').matchAll(/^(\d+)\. /gm)].map(([, number]) => Number(number));
}

export function testedClauses(): readonly number[] {
  const texts = testFiles().map(({ text }) => text);
  const named = texts.flatMap((text) => [...text.matchAll(/\(\s*['"`]clause (\d+): /g)].map(([, number]) => Number(number)));
  return [...new Set(named)].sort((one, other) => one - other);
}
