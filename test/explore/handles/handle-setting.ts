/**
 * HandleSetting: what of a world of handles never changes. Two definitions, one of which takes values from the other, and the ways
 * of the requests for them. Their handles begin with one hash, so nobody can tell by a handle what it stands for.
 */
import { invariant } from '../../../src/base/invariant.ts';
import { definitionKey, newHandle, type Handle, type ShapeDefinition } from '../../../src/model/shape.ts';
import { ChangeConverter } from '../../../src/shapes/change-converter.ts';
import { ShapeFilters } from '../../../src/service/wiring/shape-filters.ts';
import { childrenWhere, language } from '../../support/layers/layered-shapes.ts';
import { withHashOf } from './equal-hash.ts';
import { wayOf, type Purpose, type Request, type Way } from './request-ways.ts';

export const SHAPE_NAMES = ['inner', 'outer'] as const;

/** An inner shape, and the one that looks up its values. */
export type ShapeName = (typeof SHAPE_NAMES)[number];

/** The column whose values are looked up. */
export const COLUMN = 'id';

const INNER_PARAMETERS = { table: 'parents', columns: COLUMN };
const SALT = 'salt';

export interface HandleSetting {
  readonly definitions: Readonly<Record<ShapeName, ShapeDefinition>>;
  readonly filters: ShapeFilters;
  /** Who would write lines, if there were changes. */
  readonly lines: Readonly<Record<ShapeName, ChangeConverter>>;
  readonly ways: Readonly<Record<Purpose, Readonly<Record<ShapeName, Way>>>>;
  /** Shapes that nothing touches have no Consumer. */
  readonly rests: boolean;
}

let made: Promise<HandleSetting> | undefined;

/** Made once: all searches have the same. */
export function handleSetting(): Promise<HandleSetting> {
  return (made ??= makeSetting());
}

async function makeSetting(): Promise<HandleSetting> {
  const text = filterWith(saltOfEqualHash());
  const outer = childrenWhere(text, 'events');
  const inner = innerOf(outer);
  const requestFor = (purpose: Purpose, name: ShapeName): Request => {
    return name === 'inner'
      ? { purpose, parameters: INNER_PARAMETERS, asked: inner, another: outer }
      : { purpose, parameters: { table: 'children', where: text }, asked: outer, another: inner };
  };
  const waysFor = async (purpose: Purpose): Promise<Readonly<Record<ShapeName, Way>>> => {
    return { inner: await wayOf(requestFor(purpose, 'inner')), outer: await wayOf(requestFor(purpose, 'outer')) };
  };
  const ways = { read: await waysFor('read'), follow: await waysFor('follow'), delete: await waysFor('delete') };
  const filters = new ShapeFilters(language);
  const linesOf = (definition: ShapeDefinition): ChangeConverter => {
    return new ChangeConverter(definition, filters.of(definition), () => undefined, undefined, (text) => text);
  };
  return { definitions: { inner, outer }, filters, lines: { inner: linesOf(inner), outer: linesOf(outer) }, ways, rests: false };
}

/** @param number the how manieth handle of the world. */
export function handleAt({ definitions: { inner, outer } }: Pick<HandleSetting, 'definitions'>, number: number): Handle {
  const handle = newHandle(inner, number);
  invariant(handle === newHandle(outer, number), 'the handles of both begin alike');
  return handle;
}

export function numberOf(handle: Handle): number {
  return Number(handle.split('-')[1]);
}

function filterWith(salt: string): string {
  return `parent IN (SELECT id FROM parents) AND note <> '${salt}'`;
}

function saltOfEqualHash(): string {
  const outer = childrenWhere(filterWith(SALT), 'events');
  const [before, behind, ...more] = definitionKey(outer).split(SALT);
  invariant(before !== undefined && behind !== undefined && more.length === 0, 'the salt stands in a definition once');
  return withHashOf(definitionKey(innerOf(outer)), before, behind);
}

function innerOf({ dependencies: [dependency] = [] }: ShapeDefinition): ShapeDefinition {
  invariant(dependency?.column === COLUMN, 'the outer shape depends on another');
  return dependency.shape;
}
