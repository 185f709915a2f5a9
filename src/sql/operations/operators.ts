/** All operators and functions by their names, but for those whose meaning is more than a choice by types (`call-checker.ts`). */
import { FIELD_FUNCTIONS } from './fields.ts';
import { JSON_OPERATORS } from './jsons.ts';
import { MOMENT_FUNCTIONS, MOMENT_OPERATORS, MOMENT_PREFIXES } from './moments.ts';
import { NUMBER_FUNCTIONS, NUMBER_OPERATORS, NUMBER_PREFIXES } from './numbers.ts';
import type { Overloads } from './operation.ts';
import { OUTPUT_FUNCTIONS } from './outputs.ts';
import { POWER_FUNCTIONS, POWER_OPERATORS } from './powers.ts';
import { ROUNDING_FUNCTIONS } from './roundings.ts';
import { TEXT_FUNCTIONS } from './texts.ts';
import { TRUNCATION_FUNCTIONS } from './truncations.ts';

export const OPERATORS: Overloads = merged(NUMBER_OPERATORS, POWER_OPERATORS, MOMENT_OPERATORS, JSON_OPERATORS);
export const PREFIXES: Overloads = merged(NUMBER_PREFIXES, MOMENT_PREFIXES);
export const FUNCTIONS: Overloads = merged(
  NUMBER_FUNCTIONS, ROUNDING_FUNCTIONS, POWER_FUNCTIONS, MOMENT_FUNCTIONS, TRUNCATION_FUNCTIONS, FIELD_FUNCTIONS, TEXT_FUNCTIONS,
  OUTPUT_FUNCTIONS,
);

function merged(...tables: readonly Overloads[]): Overloads {
  const names = new Set(tables.flatMap(Object.keys));
  return Object.fromEntries([...names].map((name) => [name, tables.flatMap((table) => table[name] ?? [])]));
}
