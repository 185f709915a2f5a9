/** The type that a cast names. */
import type { TypeName as TypeSyntax } from 'libpg-query';
import { arrayOf, isScalar, isTypeName, type TypeName } from '../values/type-names.ts';
import type { Location } from './checked.ts';
import { nameIn } from '../syntax/parse-tree.ts';
import { refusalAt } from '../where-refusal.ts';

/** @throws {WhereRefusal} for one that is not among ours, or has a modifier, which would change the value. */
export function castTarget({ names, typmods, arrayBounds, setof }: TypeSyntax, location: Location): TypeName {
  const name = nameIn(names);
  if (typmods !== undefined) throw refusalAt(location, `unsupported type ${name} with modifiers`);
  if (setof === true) throw refusalAt(location, `unsupported type setof ${name}`);
  const type = arrayBounds === undefined ? name : isScalar(name) ? arrayOf(name) : `${name}[]`;
  if (!isTypeName(type)) throw refusalAt(location, `unsupported type ${type}`);
  return type;
}
