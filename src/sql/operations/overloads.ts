/**
 * Which of the operations of one name is meant, by the types of its arguments: the rules by which Postgres resolves operators and
 * functions, in its order.
 */
import type { TypeName } from '../values/type-names.ts';
import { categoryOf, isImplicit, isPreferred } from './implicit-casts.ts';
import type { Overload } from './operation.ts';

/** Undefined for a literal or a parameter without a type. */
type Given = readonly (TypeName | undefined)[];
type Candidates = readonly Overload[];

/** @returns undefined when none fits, or several equally well. */
export function chooseOperator(overloads: Candidates, given: Given): Overload | undefined {
  const [only] = new Set(given.filter((type) => type !== undefined));
  // Beside a typed side, an untyped one is taken for the same type first.
  const alike = given.length === 2 && given.includes(undefined) ? given.map(() => only) : given;
  return exact(overloads, alike) ?? chooseAmong(overloads, given);
}

export function chooseFunction(overloads: Candidates, given: Given): Overload | undefined {
  return exact(overloads, given) ?? chooseAmong(overloads, given);
}

function exact(overloads: Candidates, given: Given): Overload | undefined {
  return overloads.find(({ takes }) => takes.length === given.length && takes.every((type, at) => type === given[at]));
}

function chooseAmong(overloads: Candidates, given: Given): Overload | undefined {
  const fitting = overloads.filter((overload) => fits(overload, given));
  const closest = most(fitting, (overload) => countOf(overload, given, (type, wanted) => type === wanted));
  const preferred = most(closest, (overload) =>
    countOf(overload, given, (type, wanted) => type === wanted || (isPreferred(wanted) && categoryOf(wanted) === categoryOf(type))));
  if (preferred.length <= 1 || !given.includes(undefined)) return only(preferred);
  const guessed = byCategories(preferred, given);
  return only(guessed) ?? bySoleType(guessed, given);
}

function fits({ takes }: Overload, given: Given): boolean {
  return takes.length === given.length && given.every((type, at) => type === undefined || isImplicit(type, takes[at] ?? type));
}

function countOf({ takes }: Overload, given: Given, counts: (type: TypeName, wanted: TypeName) => boolean): number {
  return given.filter((type, at) => type !== undefined && counts(type, takes[at] ?? type)).length;
}

function most(candidates: Candidates, count: (overload: Overload) => number): Candidates {
  const best = Math.max(...candidates.map(count));
  return candidates.filter((overload) => count(overload) === best);
}

function only(candidates: Candidates): Overload | undefined {
  return candidates.length === 1 ? candidates[0] : undefined;
}

/** Untyped places are of the category that all candidates have there, or strings where one of them takes a string. */
function byCategories(candidates: Candidates, given: Given): Candidates {
  const places = given.flatMap((type, at) => (type === undefined ? [at] : []));
  const wanted = new Map(places.map((at) => {
    const categories = new Set(candidates.map(({ takes }) => categoryOf(takes[at] ?? 'text')));
    const [sole] = categories;
    return [at, categories.has('string') ? 'string' : categories.size === 1 ? sole : undefined] as const;
  }));
  if ([...wanted.values()].includes(undefined)) return candidates;
  const kept = candidates.filter(({ takes }) => places.every((at) => {
    const ofCategory = candidates.map((candidate) => candidate.takes[at] ?? 'text').filter((type) => categoryOf(type) === wanted.get(at));
    const type = takes[at] ?? 'text';
    return categoryOf(type) === wanted.get(at) && (isPreferred(type) || !ofCategory.some(isPreferred));
  }));
  return kept.length === 0 ? candidates : kept;
}

/** Where all typed arguments are of one type, untyped ones are taken for it too. */
function bySoleType(candidates: Candidates, given: Given): Overload | undefined {
  const [sole, ...others] = new Set(given.filter((type) => type !== undefined));
  if (sole === undefined || others.length > 0) return undefined;
  return only(candidates.filter((overload) => fits(overload, given.map(() => sole))));
}
