/** SubqueryChecker: from an `IN (SELECT …)` or `EXISTS` of the parse tree to a subquery of ours, or to a refusal. */
import type { ColumnRef, Node, SubLink } from 'libpg-query';
import { NO_OVERLOAD, type OpaqueColumn } from '../checkers/checked.ts';
import type { Parameters } from '../checkers/literals.ts';
import type { Condition, Selection, StandingAlone, TypedColumn } from '../expression.ts';
import { quoteRelation } from '../identifiers.ts';
import { isScalar } from '../values/type-names.ts';
import { VALUE_TYPES } from '../values/value-types.ts';
import { printSelection } from '../where-printer.ts';
import { refusalAt } from '../where-refusal.ts';
import type { SubqueryTables, WhereColumn } from '../where.ts';
import { writtenColumn, type ColumnScope } from './column-scope.ts';
import { correlationIn } from './correlation.ts';
import { subqueriesIn } from './member-tests.ts';
import type { NamedTable } from './named-table.ts';
import { readSubquery, type SubquerySyntax } from './subquery-syntax.ts';

const NO_SUBQUERIES = 'subqueries are not supported yet';
/** Each is a layer of shapes, which take what moves in it one after the other. */
const SUBQUERY_DEPTH_MAX = 16;
const TOO_DEEP = `subqueries nest deeper than ${SUBQUERY_DEPTH_MAX} levels`;
const TYPED_OUTSIDE = 'a parameter has another type here than the subquery alone gives to it; cast it, as in $1::int8';
const JSON_SELECTED = '`IN (SELECT ...)` of jsonb is not supported';

/** Checks the WHERE of a subquery. */
export interface InnerChecker {
  readonly scope: ColumnScope;
  check(where: Node): Condition;
}

export interface Surroundings {
  readonly scope: ColumnScope;
  readonly parameters: Parameters;
  /** What subqueries select from; undefined where they are refused. */
  readonly tables: SubqueryTables | undefined;
  /** In how many subqueries the filter stands. */
  readonly depth: number;
  /** For one more of them. */
  inner(columns: readonly WhereColumn[], parameters: Parameters, table: NamedTable): InnerChecker;
}

export class SubqueryChecker {
  /** By what they select. */
  private readonly numbers = new Map<string, number>();

  constructor(private readonly around: Surroundings) {}

  /**
   * @param noSubquery why there cannot be one in its place; undefined where there can.
   * @throws {WhereRefusal}
   */
  check(link: SubLink, noSubquery: string | undefined): Condition {
    const syntax = readSubquery(link);
    const { table, location } = syntax;
    const { tables, depth, parameters: known } = this.around;
    if (noSubquery !== undefined) throw refusalAt(location, noSubquery);
    if (tables === undefined) throw refusalAt(location, NO_SUBQUERIES);
    const columns = tables(table.relation);
    if (columns === undefined) throw refusalAt(location, `unknown table ${quoteRelation(table.relation)}`);
    if (depth === SUBQUERY_DEPTH_MAX) throw refusalAt(location, TOO_DEEP);
    const parameters = known.untyped();
    const inner = this.around.inner(columns, parameters, table);
    const subquery = syntax.kind === 'in' ? this.membership(syntax, inner) : this.existence(syntax, inner);
    // The filter becomes one of its own, with the same parameters, and must mean the same there.
    if (!known.adopt(parameters)) throw refusalAt(location, TYPED_OUTSIDE);
    return subquery;
  }

  private membership({ left, column, where, table, location }: Extract<SubquerySyntax, { kind: 'in' }>, inner: InnerChecker): Condition {
    const sides = [this.around.scope.unqualified(left), inner.scope.column(column)] as const;
    const [{ type }, { type: found }] = sides;
    const mismatch = `left side of \`IN (SELECT ...)\` has type ${type} but subquery returns ${found}[]`;
    const [operand, selected] = ofOneFamily(...sides, location, mismatch);
    return this.selecting(inner, operand, { table: table.relation, column: selected, where: where && inner.check(where) }, location);
  }

  /** What is selected equals the outer column in some row, or not: never is that unknown. */
  private existence({ where, table, location }: Extract<SubquerySyntax, { kind: 'exists' }>, inner: InnerChecker): Condition {
    const { scope } = this.around;
    const side = (column: ColumnRef) => (inner.scope.owns(column) ? 'inner' : scope.owns(column) ? 'outer' : undefined);
    const found = correlationIn(where, side, location);
    const sides = [scope.outer(found.outer, table), inner.scope.column(found.inner)] as const;
    const [{ type }, { type: other }] = sides;
    const mismatch = `EXISTS compares ${type} with ${other}, which is another kind of type`;
    const [operand, selected] = ofOneFamily(...sides, found.location, mismatch);
    const selection = { table: table.relation, column: selected, where: found.rest && inner.check(found.rest) };
    const [left, right] = found.sides;
    const part = this.selecting(inner, operand, selection, location, [writtenColumn(left), writtenColumn(right)]);
    return { kind: 'isTruth', truth: true, part };
  }

  private selecting(
    { scope: { renamed } }: InnerChecker,
    left: TypedColumn,
    selection: Selection,
    location: number,
    correlation?: StandingAlone['correlation'],
  ): Condition {
    return { kind: 'subquery', left, number: this.numberOf(selection), selection, location, alone: { renamed, correlation } };
  }

  private numberOf(selection: Selection): number {
    const printed = printSelection(selection);
    const number = this.numbers.get(printed) ?? this.numbers.size;
    this.numbers.set(printed, number);
    return number;
  }
}

/** Whether a condition of several parts is unknown is no question that each of them could be asked. */
export function refuseUnknownOfMany(condition: Condition, what: string): void {
  if (condition.kind === 'not') return refuseUnknownOfMany(condition.part, what);
  const [subquery] = condition.kind === 'subquery' ? [] : subqueriesIn(condition);
  if (subquery === undefined) return;
  throw refusalAt(subquery.location, `${what} around \`IN (SELECT ...)\` can only stand at the subquery itself`);
}

/**
 * Values are looked up by their canonical text, which types of one family have in common. A jsonb may nest deeper than is read: that is
 * an error of a filter in a row, and who counts the values of a subquery has none that could end by it.
 */
function ofOneFamily(
  left: TypedColumn | OpaqueColumn,
  selected: TypedColumn | OpaqueColumn,
  location: number | undefined,
  mismatch: string,
): readonly [TypedColumn, TypedColumn] {
  if (left.type === 'jsonb' && selected.type === 'jsonb') throw refusalAt(location, JSON_SELECTED);
  const areScalars = left.kind === 'column' && selected.kind === 'column' && isScalar(left.type) && isScalar(selected.type);
  if (areScalars && VALUE_TYPES[left.type].family === VALUE_TYPES[selected.type].family) return [left, selected];
  if (left.type === selected.type) throw refusalAt(location, NO_OVERLOAD);
  throw refusalAt(location, mismatch);
}
