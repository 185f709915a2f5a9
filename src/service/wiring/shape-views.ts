/** ShapeViews: what the shape of a handle sees of the values that it looks up, for those who ask Postgres for its rows. */
import { materializerOf } from '../../actors/shape-processes.ts';
import { LinkValues } from '../../actors/link-values.ts';
import { compareOffsets, type LogOffset } from '../../model/log-offset.ts';
import type { Runtime } from '../../otp/runtime.ts';
import { DatabaseUnreachableError } from '../../postgres/connection/database-error.ts';
import { NULL_MEMBER } from '../../sql/subqueries/membership.ts';
import type { Membership } from '../../sql/where.ts';
import type { ShapeLog } from '../../storage/shapes/shape-logs.ts';
import { livingTable } from './living-table.ts';

export interface ShapeViews {
  readonly views: readonly LogOffset[];
  readonly isMember: Membership;
  /** Each may be walked in steps. */
  texts(): readonly Iterable<string | null>[];
}

/** @returns undefined when somebody who keeps them has ended, or has not come as far again. */
export function viewsAt(
  runtime: Pick<Runtime, 'tableOf'>,
  { definition: { dependencies = [] }, dependsOn }: Pick<ShapeLog, 'definition' | 'dependsOn'>,
  views: readonly LogOffset[],
): (ShapeViews & { readonly kept: readonly LinkValues[] }) | undefined {
  const kept = dependencies.flatMap(({ column }, number) => {
    const inner = dependsOn[number];
    const values = inner && livingTable(runtime, materializerOf(inner, column), 'values', LinkValues);
    const view = views[number];
    return values === undefined || view === undefined || compareOffsets(view, values.offset) > 0 ? [] : [{ values, view }];
  });
  if (kept.length < dependencies.length) return undefined;
  return {
    views,
    kept: kept.map(({ values }) => values),
    isMember: (number, value) => {
      const at = kept[number];
      return at !== undefined && at.values.has(value, at.view);
    },
    texts: () => kept.map(selectedAt),
  };
}

/** By the values of that version, whenever it is walked; a shape that goes on meanwhile may let go of it. */
function selectedAt({ values, view }: { readonly values: LinkValues; readonly view: LogOffset }): Iterable<string | null> {
  const check = (): void => {
    if (compareOffsets(view, values.keptFrom) < 0) throw new DatabaseUnreachableError('nobody keeps what the shape looked up any more');
  };
  return {
    *[Symbol.iterator]() {
      check();
      if (values.width === 1 && values.has(NULL_MEMBER, view)) yield null; // Row values have their NULLs in them.
      for (const text of values.textsAt(view)) {
        yield text;
        check();
      }
    },
  };
}
