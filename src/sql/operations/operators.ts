/**
 * All operators and functions by their names, but for those whose meaning is more than a choice by types (`call-checker.ts`). The names
 * come from requests, so they are looked up in maps: an object has a `constructor` that nobody gave to it.
 */
import { FIELD_FUNCTIONS } from './fields.ts';
import { JSON_OPERATORS } from './jsons.ts';
import { MOMENT_FUNCTIONS, MOMENT_OPERATORS, MOMENT_PREFIXES } from './moments.ts';
import { NUMBER_FUNCTIONS, NUMBER_OPERATORS, NUMBER_PREFIXES } from './numbers.ts';
import type { Overload, Overloads } from './operation.ts';
import { OUTPUT_FUNCTIONS } from './outputs.ts';
import { POWER_FUNCTIONS, POWER_OPERATORS } from './powers.ts';
import { ROUNDING_FUNCTIONS } from './roundings.ts';
import { TEXT_FUNCTIONS } from './texts.ts';
import { TRUNCATION_FUNCTIONS } from './truncations.ts';
import { ZONE_FUNCTIONS } from './zones.ts';

type Named = ReadonlyMap<string, readonly Overload[]>;

export const OPERATORS: Named = merged(NUMBER_OPERATORS, POWER_OPERATORS, MOMENT_OPERATORS, JSON_OPERATORS);
export const PREFIXES: Named = merged(NUMBER_PREFIXES, MOMENT_PREFIXES);
export const FUNCTIONS: Named = merged(
  NUMBER_FUNCTIONS, ROUNDING_FUNCTIONS, POWER_FUNCTIONS, MOMENT_FUNCTIONS, ZONE_FUNCTIONS, TRUNCATION_FUNCTIONS, FIELD_FUNCTIONS,
  TEXT_FUNCTIONS, OUTPUT_FUNCTIONS,
);

function merged(...tables: readonly Overloads[]): Named {
  const named = new Map<string, readonly Overload[]>();
  for (const [name, overloads] of tables.flatMap(Object.entries<readonly Overload[]>)) {
    named.set(name, [...(named.get(name) ?? []), ...overloads]);
  }
  return named;
}
