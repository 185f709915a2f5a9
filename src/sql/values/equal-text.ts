/**
 * EqualText: one text for all that a column's type calls equal, as filters look values up.
 *
 * A column can hold one value in several texts: numeric `1.0` and `1.00`, and a boolean is `true` in a snapshot and `t`
 * in the stream. Who counts values must not take them for two.
 */
import { invariant } from '../../base/invariant.ts';
import { conversion } from '../operations/casts.ts';
import { canonicalValue } from './canonical-value.ts';
import { isTypeName, typeNameOf, type TypeName } from './type-names.ts';
import { VALUE_TYPES } from './value-types.ts';
import type { Value } from './values.ts';

/** Of these Postgres writes equal values in one text, which is the canonical one. */
const WRITTEN_AS_COMPARED: ReadonlySet<TypeName> = new Set(['text', 'varchar', 'name', 'uuid', 'int2', 'int4', 'int8']);

/**
 * @param casts that are made of a value before it is compared, in their order.
 * @returns undefined where each text that Postgres writes is a value by itself. So is it also of a type that filters cannot compare: no
 *   filter ever looks for its values.
 * @throws {EvaluationError} what is returned does, for a text that cannot be cast.
 */
export function equalText(typeOid: number, casts: readonly string[] = []): ((text: string) => string) | undefined {
  const typeName = typeNameOf(typeOid);
  const isPlain = typeName === undefined || (casts.length === 0 && WRITTEN_AS_COMPARED.has(typeName));
  return isPlain ? undefined : equalTextAs(typeName, casts);
}

/** The same of a type by its name. */
export function equalTextAs(from: string, casts: readonly string[]): (text: string) => string {
  if (casts.length === 0) return (text) => canonicalValue(from, text);
  invariant(isTypeName(from), 'a column that is cast is of a type of ours');
  return castText(from, casts);
}

function castText(from: TypeName, casts: readonly string[]): (text: string) => string {
  const steps: ((value: Value) => Value | null)[] = [];
  let type = from;
  for (const to of casts) {
    invariant(isTypeName(to), 'a filter casts to types of ours');
    const step = conversion(type, to);
    invariant(step !== undefined, 'a cast was accepted with its filter');
    steps.push(step);
    type = to;
  }
  const { canonical } = VALUE_TYPES[type];
  return (text) => {
    let value = VALUE_TYPES[from].parse(text);
    for (const step of steps) value = value === undefined ? undefined : (step(value) ?? undefined);
    invariant(value !== undefined, `a text that Postgres wrote for type ${from} is one of its values, and no cast makes NULL of it`);
    return canonical(value);
  };
}
