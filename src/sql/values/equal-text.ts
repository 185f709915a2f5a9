/**
 * EqualText: one text for all that a column's type calls equal, as filters look values up.
 *
 * A column can hold one value in several texts: numeric `1.0` and `1.00`, and a boolean is `true` in a snapshot and `t`
 * in the stream. Who counts values must not take them for two.
 */
import { canonicalValue } from './canonical-value.ts';
import { typeNameOf } from './type-names.ts';

/** @returns the text itself for a type that filters cannot compare: no filter ever looks for its values. */
export function equalText(typeOid: number): (text: string) => string {
  const typeName = typeNameOf(typeOid);
  return typeName === undefined ? (text) => text : (text) => canonicalValue(typeName, text);
}
