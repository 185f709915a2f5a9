/**
 * The one form of subquery that a filter may have: `column IN (SELECT column FROM [schema.]table [WHERE …])`.
 *
 * A white list, as for all of the grammar: what the statement has besides is refused.
 */
import type { ColumnRef, Node, RangeVar, SelectStmt, SubLink } from 'libpg-query';
import type { RelationName } from './identifiers.ts';
import { refusalAt, WhereRefusal } from './where-refusal.ts';

export interface SubquerySyntax {
  readonly left: ColumnRef;
  readonly table: RelationName;
  /** The one that it selects. */
  readonly column: ColumnRef;
  readonly where: Node | undefined;
  /** Of its IN. */
  readonly location: number;
}

const SELECT_FIELDS = new Set(['targetList', 'fromClause', 'whereClause', 'limitOption', 'op']);
const TARGET_FIELDS = new Set(['val', 'location']);
const TABLE_FIELDS = new Set(['schemaname', 'relname', 'inh', 'relpersistence', 'location']);
const OTHER_SUBLINK = 'only `value IN (SELECT ...)` sublinks are supported right now';
const OTHER_LEFT_SIDE = 'currently, left side of `IN (SELECT ...)` can only be a column reference or a list of column references';
const COMPOSITE_LEFT_SIDE = 'composite left sides of `IN (SELECT ...)` are not supported yet';

/** @throws {WhereRefusal} for any other form. */
export function readSubquery({ subLinkType, operName, testexpr, subselect, location = 0 }: SubLink): SubquerySyntax {
  if (subLinkType !== 'ANY_SUBLINK' || operName !== undefined) throw refusalAt(location, OTHER_SUBLINK);
  const left = leftSide(testexpr, location);
  const select = plainSelect(subselect);
  const table = nameOf(onlyTable(select));
  return { left, table, column: onlyColumn(select, location), where: select.whereClause, location };
}

/** What a subquery of any form selects from first, if that is a table. */
export function firstTable({ subselect }: SubLink): RelationName | undefined {
  const [from] = (subselect !== undefined && 'SelectStmt' in subselect && subselect.SelectStmt.fromClause) || [];
  return from !== undefined && 'RangeVar' in from ? nameOf(from.RangeVar) : undefined;
}

function nameOf({ schemaname = 'public', relname = '' }: RangeVar): RelationName {
  return { schema: schemaname, name: relname };
}

function leftSide(node: Node | undefined, location: number): ColumnRef {
  if (node !== undefined && 'ColumnRef' in node) return node.ColumnRef;
  throw refusalAt(location, node !== undefined && 'RowExpr' in node ? COMPOSITE_LEFT_SIDE : OTHER_LEFT_SIDE);
}

function plainSelect(node: Node | undefined): SelectStmt {
  const select = node !== undefined && 'SelectStmt' in node ? node.SelectStmt : {};
  const isPlain = hasOnly(select, SELECT_FIELDS) && select.op === 'SETOP_NONE' && select.limitOption === 'LIMIT_OPTION_DEFAULT';
  if (!isPlain) throw new WhereRefusal('SELECT statement must not contain any clauses');
  return select;
}

function onlyTable({ fromClause: [from, ...others] = [] }: SelectStmt): RangeVar {
  const table = from !== undefined && 'RangeVar' in from && others.length === 0 ? from.RangeVar : undefined;
  if (table?.inh === true && hasOnly(table, TABLE_FIELDS)) return table;
  throw new WhereRefusal('Expected a single table reference');
}

function onlyColumn({ targetList: [target, ...others] = [] }: SelectStmt, location: number): ColumnRef {
  if (target === undefined || !('ResTarget' in target) || others.length > 0) {
    throw refusalAt(location, 'a subquery must select exactly one column');
  }
  const { ResTarget } = target;
  const column = ResTarget.val !== undefined && 'ColumnRef' in ResTarget.val ? ResTarget.val.ColumnRef : undefined;
  const [name, ...qualified] = column?.fields ?? [];
  const isPlain = hasOnly(ResTarget, TARGET_FIELDS) && name !== undefined && 'String' in name && qualified.length === 0;
  if (column === undefined || !isPlain) throw refusalAt(ResTarget.location, 'Expected a plain column reference');
  return column;
}

function hasOnly(fields: object, known: ReadonlySet<string>): boolean {
  return Object.keys(fields).every((field) => known.has(field));
}
