/**
 * EqualText: one text for all that a column's type calls equal, and one that Postgres still reads as that value.
 *
 * A column can hold one value in several texts: numeric `1.0` and `1.00`, and a boolean is `true` in a snapshot and `t`
 * in the stream. Who counts values must not take them for two.
 */
import { canonicalValue } from './canonical-value.ts';
import { typeNameOf } from './value-types.ts';

/** A date's canonical value is a number of microseconds; its text is one already, by the display settings of the stream. */
const IS_ONE_TEXT = new Set(['date', 'timestamp', 'timestamptz']);

/** @returns the text itself for a type that filters cannot compare: no filter ever looks for its values. */
export function equalText(typeOid: number): (text: string) => string {
  const typeName = typeNameOf(typeOid);
  if (typeName === undefined || IS_ONE_TEXT.has(typeName)) return (text) => text;
  return (text) => canonicalValue(typeName, text);
}
