/** ShapeViews: what the shape of a handle sees of the values that it looks up, for those who ask Postgres for its rows. */
import { materializerOf } from '../../actors/shape-processes.ts';
import { LinkValues } from '../../actors/link-values.ts';
import { compareOffsets, type LogOffset } from '../../model/log-offset.ts';
import type { Runtime } from '../../otp/runtime.ts';
import { ANY_MEMBER, NULL_MEMBER } from '../../sql/subqueries/membership.ts';
import type { Membership, Selected } from '../../sql/where.ts';
import type { ShapeLog } from '../../storage/shapes/shape-logs.ts';
import { livingTable } from './living-table.ts';

export interface ShapeViews {
  readonly views: readonly LogOffset[];
  readonly isMember: Membership;
  texts(): Selected;
}

/** @returns undefined when somebody who keeps them has ended, or has not come as far again, or has forgotten what was so far back. */
export function viewsAt(
  runtime: Pick<Runtime, 'tableOf'>,
  { definition: { dependencies = [] }, dependsOn }: Pick<ShapeLog, 'definition' | 'dependsOn'>,
  views: readonly LogOffset[],
): (ShapeViews & { readonly kept: readonly LinkValues[] }) | undefined {
  const kept = dependencies.flatMap(({ column }, number) => {
    const inner = dependsOn[number];
    const values = inner && livingTable(runtime, materializerOf(inner, column), 'values', LinkValues);
    const view = views[number];
    if (values === undefined || view === undefined) return [];
    const isKept = compareOffsets(view, values.offset) <= 0 && compareOffsets(view, values.keptFrom) >= 0;
    return isKept ? [{ values, view }] : [];
  });
  if (kept.length < dependencies.length) return undefined;
  return {
    views,
    kept: kept.map(({ values }) => values),
    isMember: (number, value) => {
      const at = kept[number];
      return at !== undefined && at.values.has(value, at.view);
    },
    texts: () => kept.map(({ values, view }) => {
      const texts = values.valuesAt(view).map(({ text }) => text);
      return values.has(NULL_MEMBER, view) ? [...texts, null] : texts;
    }),
  };
}

/** The same for somebody who takes longer than those versions are kept. */
export function copied({ views, kept, texts }: NonNullable<ReturnType<typeof viewsAt>>): ShapeViews {
  const members = kept.map((values, number) => {
    const view = views[number] ?? values.offset;
    const marks = [ANY_MEMBER, NULL_MEMBER].filter((mark) => values.has(mark, view));
    return new Set([...values.valuesAt(view).map(({ value }) => value), ...marks]);
  });
  const selected = texts();
  return { views, isMember: (number, value) => members[number]?.has(value) === true, texts: () => selected };
}
