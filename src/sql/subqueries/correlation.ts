/**
 * Correlations: the equalities by which the subquery of an `EXISTS` hangs on the table around it. With them left out, what remains selects
 * the values that `IN` would look the outer columns up in.
 */
import type { ColumnRef, Node } from 'libpg-query';
import { nameIn } from '../syntax/parse-tree.ts';
import { refusalAt } from '../where-refusal.ts';

const FORM =
  'EXISTS is supported as `EXISTS (SELECT ... FROM t WHERE t.column = outer.column AND ...)`: ' +
  'with such equalities, and nothing else that names columns of the table around it';
/** As many as the columns of an `IN`. */
const CORRELATIONS_MAX = 8;

export interface Correlation {
  readonly outer: ColumnRef;
  readonly inner: ColumnRef;
  /** Both, as they stand. */
  readonly sides: readonly [ColumnRef, ColumnRef];
  /** Of its sign. */
  readonly location: number | undefined;
}

export interface Correlated {
  readonly correlations: readonly Correlation[];
  /** The filter without them; undefined for every row. */
  readonly rest: Node | undefined;
}

/** Which table a column is one of; undefined for neither. */
export type Side = (column: ColumnRef) => 'inner' | 'outer' | undefined;

/**
 * Those among what AND joins in `where`.
 *
 * @param location of the EXISTS.
 * @throws {WhereRefusal} when there is none.
 */
export function correlationsIn(where: Node | undefined, side: Side, location: number): Correlated {
  const correlations: Correlation[] = [];
  let rest = where;
  for (const conjunct of where === undefined ? [] : conjunctsOf(where)) {
    const found = correlationIn(conjunct, side);
    if (found === undefined) continue;
    correlations.push(found);
    rest = rest && without(rest, conjunct);
  }
  if (correlations.length === 0) throw refusalAt(location, FORM);
  const excess = correlations[CORRELATIONS_MAX];
  if (excess !== undefined) throw refusalAt(excess.location, `EXISTS takes at most ${CORRELATIONS_MAX} such equalities`);
  return { correlations, rest };
}

function correlationIn(conjunct: Node, side: Side): Correlation | undefined {
  const equality = equalityIn(conjunct);
  if (equality === undefined) return undefined;
  const [left, right] = equality.sides;
  const order = `${side(left)} ${side(right)}`;
  if (order === 'inner outer') return { ...equality, inner: left, outer: right };
  return order === 'outer inner' ? { ...equality, inner: right, outer: left } : undefined;
}

function conjunctsOf(node: Node): readonly Node[] {
  return partsOf(node)?.flatMap(conjunctsOf) ?? [node];
}

/** Undefined for what is no AND. */
function partsOf(node: Node): readonly Node[] | undefined {
  return 'BoolExpr' in node && node.BoolExpr.boolop === 'AND_EXPR' ? node.BoolExpr.args : undefined;
}

function equalityIn(node: Node): Pick<Correlation, 'sides' | 'location'> | undefined {
  if (!('A_Expr' in node)) return undefined;
  const { kind, name, lexpr = node, rexpr = node, location } = node.A_Expr;
  const areColumns = 'ColumnRef' in lexpr && 'ColumnRef' in rexpr;
  if (kind !== 'AEXPR_OP' || nameIn(name) !== '=' || !areColumns) return undefined;
  return { sides: [lexpr.ColumnRef, rexpr.ColumnRef], location };
}

function without(node: Node, conjunct: Node): Node | undefined {
  if (node === conjunct) return undefined;
  const parts = partsOf(node);
  if (parts === undefined) return node;
  const args = parts.flatMap((part) => without(part, conjunct) ?? []);
  return args.length === 1 ? args[0] : { BoolExpr: { boolop: 'AND_EXPR', args } };
}
