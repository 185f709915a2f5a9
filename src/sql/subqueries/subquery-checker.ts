/** SubqueryChecker: from an `IN (SELECT …)` or `EXISTS` of the parse tree to a subquery of ours, or to a refusal. */
import type { ColumnRef, Node, SubLink } from 'libpg-query';
import { NO_OVERLOAD, typeOf, type Checked, type OpaqueColumn } from '../checkers/checked.ts';
import type { Parameters } from '../checkers/literals.ts';
import { castTarget } from '../checkers/type-syntax.ts';
import {
  columnsIn, type Condition, type LeftPart, type SelectedColumn, type Selection, type StandingAlone, type TypedColumn,
} from '../expression.ts';
import { quoteRelation } from '../identifiers.ts';
import { comparedAs, resolveComparison } from '../operations/comparison-types.ts';
import { required } from '../syntax/parse-tree.ts';
import { isScalar, isTypeName, type TypeName } from '../values/type-names.ts';
import { VALUE_TYPES } from '../values/value-types.ts';
import { printSelection } from '../where-printer.ts';
import { refusalAt } from '../where-refusal.ts';
import type { SubqueryTables, WhereColumn } from '../where.ts';
import { writtenColumn, type ColumnScope } from './column-scope.ts';
import { correlationsIn } from './correlation.ts';
import { subqueriesIn } from './member-tests.ts';
import type { NamedTable } from './named-table.ts';
import { readSubquery, type SelectedSyntax, type SubquerySyntax } from './subquery-syntax.ts';

const NO_SUBQUERIES = 'subqueries are not supported yet';
/** Each is a layer of shapes, which take what moves in it one after the other. */
const SUBQUERY_DEPTH_MAX = 16;
const TOO_DEEP = `subqueries nest deeper than ${SUBQUERY_DEPTH_MAX} levels`;
const TYPED_OUTSIDE = 'a parameter has another type here than the subquery alone gives to it; cast it, as in $1::int8';
const NO_ROW = 'left side of `IN (SELECT ...)` must read a column of the row';
/**
 * It may nest deeper than is read: that is an error of a filter in a row, and who counts the values of a subquery has none that could end
 * by it.
 */
const JSON_SELECTED = 'of jsonb is not supported';
const FORMS = { in: '`IN (SELECT ...)`', exists: '`EXISTS (SELECT ...)`' } as const;

/** Of one filter: what it reads, and what its parts are. */
export interface Checker {
  readonly scope: ColumnScope;
  /** What has a value in each row. */
  operand(node: Node): Checked;
}

/** Checks the WHERE of a subquery too. */
export interface InnerChecker extends Checker {
  check(where: Node): Condition;
}

export interface Surroundings extends Checker {
  readonly parameters: Parameters;
  /** What subqueries select from; undefined where they are refused. */
  readonly tables: SubqueryTables | undefined;
  /** In how many subqueries the filter stands. */
  readonly depth: number;
  /** For one more of them. */
  inner(columns: readonly WhereColumn[], parameters: Parameters, table: NamedTable): InnerChecker;
}

interface Selected {
  readonly column: TypedColumn | OpaqueColumn;
  readonly casts: readonly TypeName[];
}

/** What is on the left, and what it is looked for among. */
interface Side {
  readonly part: LeftPart;
  readonly selected: SelectedColumn;
}

export class SubqueryChecker {
  /** By what they select. */
  private readonly numbers = new Map<string, number>();

  constructor(private readonly around: Surroundings) {}

  /**
   * @param noSubquery what it can do instead of standing in its place; undefined where it can stand there.
   * @throws {WhereRefusal}
   */
  check(link: SubLink, noSubquery: string | undefined): Condition {
    const syntax = readSubquery(link);
    const { table, location } = syntax;
    const { tables, depth, parameters: known } = this.around;
    if (noSubquery !== undefined) throw refusalAt(location, `${FORMS[syntax.kind]} ${noSubquery}`);
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

  private membership({ left, selected, where, table, location }: Extract<SubquerySyntax, { kind: 'in' }>, inner: InnerChecker): Condition {
    const sides = selected.map((syntax, at) => {
      const side = this.leftSide(required(left[at]));
      const what = left.length === 1 ? 'left side' : `part ${at + 1} of the left side`;
      const unlike = (found: string): string => `${what} of \`IN (SELECT ...)\` has type ${typeOf(side)} but subquery returns ${found}[]`;
      return this.compared(side, selectedColumn(syntax, inner), location, 'in', unlike);
    });
    if (columnsIn(...sides.map(({ part }) => part.operand)).length === 0) throw refusalAt(location, NO_ROW);
    return this.selecting(inner, sides, table, where && inner.check(where), location);
  }

  private leftSide(node: Node): Checked {
    return 'ColumnRef' in node ? this.around.scope.unqualified(node.ColumnRef) : this.around.operand(node);
  }

  /** What is selected equals the outer columns in some row, or not: never is that unknown. */
  private existence({ where, table, listed, location }: Extract<SubquerySyntax, { kind: 'exists' }>, inner: InnerChecker): Condition {
    const { scope } = this.around;
    for (const column of listed) (inner.scope.owns(column) ? inner.scope : scope).expectKnown(column);
    const side = (column: ColumnRef) => (inner.scope.owns(column) ? 'inner' : scope.owns(column) ? 'outer' : undefined);
    const { correlations, rest } = correlationsIn(where, side, location);
    const sides = correlations.map((found) => {
      const outer = scope.outer(found.outer, table);
      const selected = { column: inner.scope.column(found.inner), casts: [] };
      const unlike = (other: string): string => `EXISTS compares ${outer.type} with ${other}, which is another kind of type`;
      return this.compared(outer, selected, found.location, 'exists', unlike);
    });
    const written = correlations.map(({ sides: [left, right] }) => [writtenColumn(left), writtenColumn(right)] as const);
    const part = this.selecting(inner, sides, table, rest && inner.check(rest), location, written);
    return { kind: 'isTruth', truth: true, part };
  }

  /**
   * Values are looked up by their canonical text, which types of one family have in common: so what is selected is cast to the type as
   * which Postgres compares the two, where that is of another family.
   */
  private compared(
    left: Checked,
    { column, casts }: Selected,
    location: number | undefined,
    form: SubquerySyntax['kind'],
    unlike: (found: string) => string,
  ): Side {
    const from = casts.at(-1) ?? column.type;
    const operand = left.kind === 'untyped' && isTypeName(from) ? this.around.parameters.typed(left, comparedAs(from)) : left;
    if (operand.kind === 'untyped') throw refusalAt(location, NO_OVERLOAD);
    if (operand.type === 'jsonb' && from === 'jsonb') throw refusalAt(location, `${FORMS[form]} ${JSON_SELECTED}`);
    const areOperands = operand.kind !== 'opaque' && column.kind === 'column' && isTypeName(from);
    const type = areOperands && isScalar(operand.type) && isScalar(from) ? resolveComparison(operand.type, from) : undefined;
    if (!areOperands || type === undefined) throw refusalAt(location, operand.type === from ? NO_OVERLOAD : unlike(from));
    const isKept = VALUE_TYPES[from].family === VALUE_TYPES[type].family;
    return { part: { operand, type }, selected: { column, casts: isKept ? casts : [...casts, type] } };
  }

  private selecting(
    { scope: { renamed } }: InnerChecker,
    sides: readonly Side[],
    { relation }: NamedTable,
    where: Condition | undefined,
    location: number,
    correlations: StandingAlone['correlations'] = [],
  ): Condition {
    const selection = { table: relation, columns: sides.map(({ selected }) => selected), where };
    const left = sides.map(({ part }) => part);
    return { kind: 'subquery', left, number: this.numberOf(selection), selection, location, alone: { renamed, correlations } };
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
  const isExists = subquery.alone.correlations.length > 0;
  const why = isExists ? `${FORMS.exists} is not supported: that is never unknown` : `${FORMS.in} can only stand at the subquery itself`;
  throw refusalAt(subquery.location, `${what} around ${why}`);
}

/** @throws {WhereRefusal} for a cast that there is none of. */
function selectedColumn({ node, column: reference, casts }: SelectedSyntax, inner: InnerChecker): Selected {
  const column = inner.scope.column(reference);
  if (casts.length > 0) inner.operand(node);
  const types = casts.map(({ typeName, location }) => castTarget(typeName ?? {}, location));
  return { column, casts: types.filter((type, at) => type !== (types[at - 1] ?? column.type)) };
}
