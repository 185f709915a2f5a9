/** EndedShapes: what is told of shapes that end: each by itself, or many together in one line. */
import type { Handle, ShapeDefinition } from '../../model/shape.ts';
import type { ExitReason, Pid } from '../../otp/process.ts';
import { filterFailure } from '../down-cause.ts';
import { WHERE_CHARACTERS_MAX, type FailedFilter } from '../failed-filter.ts';
import type { LifeEnd, ShapeLife } from './shape-lives.ts';

/** Tables that are named when shapes are condemned together. */
const NAMED_MAX = 10;

/** @param end of a shape that has nobody left to stop, nor to answer. */
export function goneMessage(handle: Handle, { why, isTold, dependantCount }: LifeEnd) {
  return { type: 'shape.gone', handle, why, isTold, pids: [], replies: [], ...(dependantCount === undefined ? {} : { dependantCount }) };
}

export function condemnedMessage(condemned: readonly ShapeLife[], why: string) {
  const relations = new Set(condemned.map(({ definition: { relation } }) => `${relation.schema}.${relation.name}`));
  const named = [...relations].slice(0, NAMED_MAX);
  return { type: 'shapes.condemned', pids: consumersOf(condemned), why, count: condemned.length, relations: named };
}

export function countOf(dependants: readonly Handle[]): { dependantCount?: number } {
  return dependants.length === 0 ? {} : { dependantCount: dependants.length };
}

export function damageTold({ relation: { schema, name } }: ShapeDefinition, { isDamaged }: LifeEnd): { damagedTable?: string } {
  return isDamaged === true ? { damagedTable: `${schema}.${name}` } : {};
}

/** @param reason with which its Consumer ended. */
export function filterTold({ relation: { schema, name }, where }: ShapeDefinition, reason: ExitReason): { failedFilter?: FailedFilter } {
  const error = filterFailure(reason);
  const text = where?.text.slice(0, WHERE_CHARACTERS_MAX) ?? '';
  return error === undefined ? {} : { failedFilter: { table: `${schema}.${name}`, where: text, error } };
}

export function consumersOf(shapes: readonly ShapeLife[]): readonly Pid[] {
  return shapes.flatMap(({ consumer }) => consumer ?? []);
}
