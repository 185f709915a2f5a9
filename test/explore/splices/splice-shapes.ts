/** SpliceShapes: the shapes of a world, the inner ones first, and who keeps the values of one for those that look them up. */
import { consumerOf, materializerOf } from '../../../src/actors/shape-processes.ts';
import type { Handle } from '../../../src/model/shape.ts';
import type { Name } from '../../../src/otp/process.ts';
import { CHILDREN, PARENTS, TOYS } from './splice-scripts.ts';

export const INNER = '1-1' as Handle;
export const OUTER = '2-2' as Handle;
const SLOW = '3-3' as Handle;
const OUTERMOST = '4-4' as Handle;

/** Who keeps the values of a column of a shape. */
export interface KeeperPlan {
  readonly role: string;
  readonly follows: Handle;
  readonly column: string;
  readonly name: Name;
}

export interface ShapePlan {
  /** Of its Consumer. */
  readonly role: string;
  readonly handle: Handle;
  readonly table: number;
  readonly name: Name;
  /** Whose values its filter looks up. */
  readonly keeper?: KeeperPlan;
  /** Postgres answers its queries when this one has taken all that has moved. */
  readonly waitsFor?: Handle;
}

const OF_PARENTS = keeper('materializer', INNER, 'value');
const OF_CHILDREN = keeper('outer-materializer', OUTER, 'id');

const inner = shape('inner', INNER, PARENTS);
const outer = shape('outer', OUTER, CHILDREN, OF_PARENTS);

export const CASTS = {
  /** One depends on the other. */
  pair: [inner, outer],
  /** Two depend on one, and the first goes on while the second takes no moves. */
  slow: [inner, outer, { ...shape('slow', SLOW, CHILDREN, OF_PARENTS), waitsFor: OUTER }],
  /** One that depends on another is itself depended on. */
  layers: [inner, outer, shape('outermost', OUTERMOST, TOYS, OF_CHILDREN)],
} as const satisfies Readonly<Record<string, readonly ShapePlan[]>>;

export type CastName = keyof typeof CASTS;

function keeper(role: string, follows: Handle, column: string): KeeperPlan {
  return { role, follows, column, name: materializerOf(follows, column) };
}

function shape(role: string, handle: Handle, table: number, keeping?: KeeperPlan): ShapePlan {
  return { role, handle, table, name: consumerOf(handle), ...(keeping === undefined ? {} : { keeper: keeping }) };
}

/** Each once, in the order of the shapes. */
export function keepersOf(shapes: readonly ShapePlan[]): readonly KeeperPlan[] {
  return [...new Set(shapes.flatMap(({ keeper: each }) => each ?? []))];
}
