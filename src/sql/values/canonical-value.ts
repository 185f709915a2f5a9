/** One text for all texts that a type calls equal: how changes are looked up by the constants of filters. */
import { invariant } from '../../base/invariant.ts';
import { isTypeName } from './type-names.ts';
import { VALUE_TYPES } from './value-types.ts';

const PLAIN_INTEGER = /^(?:0|-?[1-9]\d*)$/;

/**
 * @param typeName of `pg_type`.
 * @param text as Postgres writes a value of that type.
 * @throws {InvariantError} when `text` is no value of that type.
 */
export function canonicalValue(typeName: string, text: string): string {
  invariant(isTypeName(typeName), `values of type ${typeName} are not looked up`);
  const type = VALUE_TYPES[typeName];
  if (type.family === 'text' || (type.family === 'number' && PLAIN_INTEGER.test(text))) return text;
  const value = type.parse(text);
  invariant(value !== undefined, `a text that Postgres wrote for type ${typeName} is one of its values`);
  return type.canonical(value);
}
