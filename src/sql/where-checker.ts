/**
 * WhereChecker: from Postgres's parse tree to an expression of ours, or to a refusal.
 *
 * A white list: a node, an operator, a type or a field of the statement that is not named here is refused. So what
 * the grammar grows to say tomorrow is refused too, until somebody has shown that we evaluate it as Postgres does.
 */
import type { A_Const, A_Expr, BooleanTest, BoolExpr, ColumnRef, FuncCall, Node, NullTest, SubLink, TypeCast } from 'libpg-query';
import { comparedAs, resolveComparison } from './comparison-types.ts';
import type { Comparison, Condition, Constant, Operand, Selection, TypedColumn } from './expression.ts';
import { quoteRelation } from './identifiers.ts';
import { isAscii, parseLikePattern, printLikePattern, type LikePattern } from './like-pattern.ts';
import { castConstant, constantOf, isCastTarget, numberConstant, type Parameters, type UntypedLiteral } from './literals.ts';
import { isTypeName, VALUE_TYPES, type TypeName } from './value-types.ts';
import { readSubquery } from './subquery-syntax.ts';
import { printCanonical, printSelection } from './where-printer.ts';
import { refusalAt, WhereRefusal } from './where-refusal.ts';
import type { SubqueryTables, WhereColumn } from './where.ts';

/** A column of a type that has no operators here: it can be asked for NULL. */
interface OpaqueColumn {
  readonly kind: 'opaque';
  readonly name: string;
  readonly type: string;
}

/** Known to be a number, but not calculated. */
interface Arithmetic {
  readonly kind: 'arithmetic';
  readonly operator: string;
  readonly type: TypeName;
  readonly location: number | undefined;
}

interface CheckedCondition {
  readonly kind: 'condition';
  readonly condition: Condition;
}

type Typed = TypedColumn | OpaqueColumn | Constant | Arithmetic | CheckedCondition;
type Checked = Typed | UntypedLiteral;

type Location = number | undefined;

const COMPARISONS: Readonly<Record<string, Comparison>> = { '=': '=', '<>': '<>', '!=': '<>', '<': '<', '>': '>', '<=': '<=', '>=': '>=' };
const LIKES: Readonly<Record<string, { readonly negated: boolean; readonly ignoreCase: boolean }>> = {
  '~~': { negated: false, ignoreCase: false },
  '!~~': { negated: true, ignoreCase: false },
  '~~*': { negated: false, ignoreCase: true },
  '!~~*': { negated: true, ignoreCase: true },
};
/** What a call has that is nothing but a name and its arguments. */
const CALL_FIELDS = new Set(['funcname', 'args', 'funcformat', 'location']);
const ARITHMETIC = new Set(['+', '-', '*', '/']);
const NO_OVERLOAD = 'Could not select an operator overload';
const ASCII_ONLY = 'a pattern with characters outside ASCII is not supported yet';
const NO_SUBQUERIES = 'subqueries are not supported yet';
const NESTED = 'a subquery inside of a subquery is not supported yet';
const TYPED_OUTSIDE = 'a parameter has another type here than the subquery alone gives to it; cast it, as in $1::int8';
const NOT_ALONE = '`IN (SELECT ...)` can only stand alone, or below AND and OR';

export class WhereChecker {
  private readonly columns: ReadonlyMap<string, WhereColumn>;
  /** Of subqueries, by what they select. */
  private readonly numbers = new Map<string, number>();

  /** @param tables that subqueries select from; undefined where they are refused. */
  constructor(
    columns: readonly WhereColumn[],
    private readonly parameters: Parameters,
    private readonly tables?: SubqueryTables,
  ) {
    this.columns = new Map(columns.map((column) => [column.name, column]));
  }

  /**
   * The whole filter.
   *
   * @param noSubquery why a subquery cannot stand anywhere in it.
   * @throws {WhereRefusal}
   */
  check(node: Node, noSubquery?: string): Condition {
    const condition = asCondition(this.boolean(this.expression(node, noSubquery)));
    if (condition === undefined) throw new WhereRefusal('WHERE clause must return a boolean');
    return condition;
  }

  private boolean(checked: Checked): Typed {
    return checked.kind === 'untyped' ? this.parameters.typed(checked, 'bool') : checked;
  }

  /** @param noSubquery why it cannot be a subquery; undefined where it can. */
  private expression(node: Node, noSubquery: string | undefined): Checked {
    if ('A_Const' in node) return literal(node.A_Const);
    if ('ParamRef' in node) return this.parameters.read(node.ParamRef.number ?? 0, node.ParamRef.location);
    if ('ColumnRef' in node) return this.column(node.ColumnRef);
    if ('TypeCast' in node) return this.cast(node.TypeCast);
    if ('A_Expr' in node) return this.operator(node.A_Expr);
    if ('BoolExpr' in node) return conditionOf(this.logic(node.BoolExpr, noSubquery));
    if ('NullTest' in node) return conditionOf(this.nullTest(node.NullTest, noSubquery));
    if ('BooleanTest' in node) return conditionOf(this.booleanTest(node.BooleanTest, noSubquery));
    if ('FuncCall' in node) throw functionRefusal(node.FuncCall);
    if ('SubLink' in node) return conditionOf(this.subquery(node.SubLink, noSubquery));
    const [[name, fields] = ['Node', {}]] = Object.entries(node);
    throw refusalAt(locationIn(fields), `${name} is not supported in this context`);
  }

  private column({ fields = [], location }: ColumnRef): TypedColumn | OpaqueColumn {
    const names = fields.map((field) => ('String' in field ? (field.String.sval ?? '') : '*'));
    const [name = ''] = names;
    const column = this.columns.get(name);
    if (names.length !== 1 || column === undefined) {
      throw refusalAt(location, `unknown reference ${names.map(shownName).join('.')}`);
    }
    const { typeName, dimensions } = column;
    if (dimensions === 0 && isTypeName(typeName)) return { kind: 'column', name, type: typeName };
    return { kind: 'opaque', name, type: dimensions === 0 ? typeName : `${typeName}[]` };
  }

  private cast({ arg, typeName, location: castLocation }: TypeCast): Checked {
    const location = castLocation === undefined || castLocation < 0 ? typeName?.location : castLocation;
    const name = castTarget(typeName ?? {}, location);
    const source = required(arg);
    if ('ParamRef' in source) return this.parameters.cast(source.ParamRef.number ?? 0, name, source.ParamRef.location);
    const value = this.expression(source, NOT_ALONE);
    if (value.kind === 'untyped') return this.parameters.typed(value, name);
    if (value.kind === 'constant') return castConstant(value, name, location);
    if (value.kind === 'column' && value.type === name) return value;
    throw refusalAt(location, `unknown cast from type ${typeOf(value)} to type ${name}`);
  }

  private operator(expression: A_Expr): Checked {
    const { kind = 'AEXPR_OP', location } = expression;
    const name = nameIn(expression.name ?? []);
    const left = expression.lexpr && this.expression(expression.lexpr, NOT_ALONE);
    if (kind === 'AEXPR_OP' && left === undefined) throw refusalAt(location, `unknown unary operator "${name}"`);
    switch (kind) {
      case 'AEXPR_OP':
        return this.binary(name, required(left), this.expression(required(expression.rexpr), NOT_ALONE), location);
      case 'AEXPR_IN':
        return this.inList(required(left), itemsOf(expression.rexpr), name === '<>', location);
      case 'AEXPR_BETWEEN':
      case 'AEXPR_NOT_BETWEEN':
      case 'AEXPR_BETWEEN_SYM':
      case 'AEXPR_NOT_BETWEEN_SYM':
        return this.between(required(left), itemsOf(expression.rexpr), kind, location);
      case 'AEXPR_DISTINCT':
      case 'AEXPR_NOT_DISTINCT':
        return this.distinct(required(left), required(expression.rexpr), kind === 'AEXPR_NOT_DISTINCT', location);
      case 'AEXPR_LIKE':
      case 'AEXPR_ILIKE':
        return this.like(name, required(left), required(expression.rexpr), location);
      default:
        throw refusalAt(location, `expression ${name} of :${kind} is not currently supported`);
    }
  }

  private binary(name: string, left: Checked, right: Checked, location: Location): Checked {
    const operator = COMPARISONS[name];
    if (operator !== undefined) return conditionOf(this.compare(operator, left, right, location));
    if (LIKES[name] !== undefined) return this.likeOf(name, left, right, location);
    if (ARITHMETIC.has(name)) return this.arithmetic(name, left, right, location);
    throw refusalAt(location, `unknown binary operator "${name}"`);
  }

  /** Typed, so that what is wrong in it is told; calculating it would also mean to overflow as Postgres does. */
  private arithmetic(operator: string, left: Checked, right: Checked, location: Location): Arithmetic {
    const known = [left, right].map(typeOf).find((type) => type !== undefined) ?? 'text';
    const [first, second] = [left, right].map((side) => {
      if (side.kind !== 'untyped') return typeOf(side);
      return isTypeName(known) ? this.parameters.typed(side, known).type : undefined;
    });
    if (!isNumber(first) || !isNumber(second)) throw refusalAt(location, NO_OVERLOAD);
    return { kind: 'arithmetic', operator, type: resolveComparison(first, second) ?? first, location };
  }

  private compare(operator: Comparison, left: Checked, right: Checked, location: Location): Condition {
    const [a, b, type] = this.alike(left, right, location);
    return { kind: 'compare', operator, left: a, right: b, type };
  }

  /** Both sides as operands, and the type under which Postgres compares them. */
  private alike(left: Checked, right: Checked, location: Location): readonly [Operand, Operand, TypeName] {
    const [a, b] = [operandOf(left, location), operandOf(right, location)];
    const known = a.kind !== 'untyped' ? a.type : b.kind !== 'untyped' ? b.type : 'text';
    const typed = [a, b].map((side) => (side.kind === 'untyped' ? this.parameters.typed(side, comparedAs(known)) : side));
    const [first, second] = [required(typed[0]), required(typed[1])];
    const type = resolveComparison(first.type, second.type);
    if (type === undefined) throw refusalAt(location, NO_OVERLOAD);
    return [first, second, type];
  }

  private inList(left: Checked, nodes: readonly Node[], negated: boolean, location: Location): Checked {
    const comparisons = nodes.map((node) => this.alike(left, this.expression(node, NOT_ALONE), location));
    const parts = groupItems(comparisons);
    const [only] = parts;
    const condition: Condition = parts.length === 1 && only !== undefined ? only : { kind: 'or', parts };
    return conditionOf(negated ? { kind: 'not', part: condition } : condition);
  }

  private between(value: Checked, bounds: readonly Node[], kind: string, location: Location): Checked {
    const [low, high] = [this.expression(required(bounds[0]), NOT_ALONE), this.expression(required(bounds[1]), NOT_ALONE)];
    const within = (from: Checked, to: Checked): Condition => ({
      kind: 'and',
      parts: [this.compare('>=', value, from, location), this.compare('<=', value, to, location)],
    });
    const plain = within(low, high);
    const condition: Condition = kind.endsWith('SYM') ? { kind: 'or', parts: [plain, within(high, low)] } : plain;
    return conditionOf(kind.startsWith('AEXPR_NOT') ? { kind: 'not', part: condition } : condition);
  }

  private distinct(left: Checked, right: Node, negated: boolean, location: Location): Checked {
    const [a, b, type] = this.alike(left, this.expression(right, NOT_ALONE), location);
    const condition: Condition = { kind: 'distinct', left: a, right: b, type };
    return conditionOf(negated ? { kind: 'not', part: condition } : condition);
  }

  private like(name: string, left: Checked, pattern: Node, location: Location): Checked {
    const [text, escape] = escapedPattern(pattern) ?? [pattern];
    return this.likeOf(name, left, this.expression(text, NOT_ALONE), location, escape && this.expression(escape, NOT_ALONE));
  }

  private likeOf(name: string, left: Checked, right: Checked, location: Location, escape?: Checked): Checked {
    const { negated, ignoreCase } = LIKES[name] ?? { negated: false, ignoreCase: false };
    const operand = this.text(operandOf(left, location));
    const pattern = this.likePattern(right, escape, location);
    if (!isText(operand.type)) throw refusalAt(location, NO_OVERLOAD);
    if (ignoreCase && pattern !== null && !isAscii(pattern)) throw refusalAt(location, `ILIKE ${printLikePattern(pattern)}: ${ASCII_ONLY}`);
    const condition: Condition = { kind: 'like', left: operand, pattern, ignoreCase };
    return conditionOf(negated ? { kind: 'not', part: condition } : condition);
  }

  private likePattern(right: Checked, escape: Checked | undefined, location: Location): LikePattern | null {
    const [text, escapeText] = [right, escape].map((part) => {
      if (part === undefined) return undefined;
      const constant = this.text(operandOf(part, location));
      if (constant.kind !== 'constant') throw refusalAt(location, 'the pattern of LIKE must be a constant');
      if (VALUE_TYPES[constant.type].family !== 'text') throw refusalAt(location, NO_OVERLOAD);
      return constant.text;
    });
    if (text === null || text === undefined || escapeText === null) return null;
    const pattern = parseLikePattern(text, escapeText);
    if (pattern === undefined) throw refusalAt(location, `invalid pattern of LIKE: ${text}`);
    return pattern;
  }

  private text(operand: Operand | UntypedLiteral): Operand {
    return operand.kind === 'untyped' ? this.parameters.typed(operand, 'text') : operand;
  }

  private logic({ boolop, args = [], location }: BoolExpr, noSubquery: string | undefined): Condition {
    const within = boolop === 'NOT_EXPR' ? (noSubquery ?? notAround('NOT')) : noSubquery;
    const parts = args.map((node) => this.condition(node, location, within));
    if (boolop === 'NOT_EXPR') return { kind: 'not', part: required(parts[0]) };
    return { kind: boolop === 'OR_EXPR' ? 'or' : 'and', parts };
  }

  /** A part of AND, OR or NOT. */
  private condition(node: Node, location: Location, noSubquery: string | undefined): Condition {
    const typed = this.boolean(this.expression(node, noSubquery));
    const condition = asCondition(typed);
    if (condition === undefined) throw refusalAt(location, `${typeOf(typed)} is not castable to bool`);
    return condition;
  }

  private nullTest({ arg, nulltesttype = 'IS_NULL', location }: NullTest, noSubquery: string | undefined): Condition {
    const checked = this.expression(required(arg), noSubquery ?? notAround(nulltesttype.replaceAll('_', ' ')));
    const test: Condition = { kind: 'isNull', part: this.nullable(checked, location) };
    return nulltesttype === 'IS_NOT_NULL' ? { kind: 'not', part: test } : test;
  }

  private nullable(checked: Checked, location: Location): Extract<Condition, { kind: 'isNull' }>['part'] {
    if (checked.kind === 'condition') return checked.condition;
    if (checked.kind === 'opaque' || checked.kind === 'column') return { kind: 'column', name: checked.name };
    const operand = operandOf(checked, location);
    return operand.kind === 'untyped' ? this.parameters.typed(operand, 'text') : operand;
  }

  private booleanTest({ arg, booltesttype = 'IS_TRUE', location }: BooleanTest, noSubquery: string | undefined): Condition {
    const name = booltesttype.replaceAll('_', ' ');
    const typed = this.boolean(this.expression(required(arg), noSubquery ?? notAround(name)));
    const condition = asCondition(typed);
    if (condition === undefined) throw refusalAt(location, `argument of ${name} must be bool, not ${typeOf(typed)}`);
    const truth = name.endsWith('TRUE') ? true : name.endsWith('FALSE') ? false : null;
    const test: Condition = { kind: 'isTruth', truth, part: condition };
    return name.startsWith('IS NOT') ? { kind: 'not', part: test } : test;
  }

  private subquery(link: SubLink, noSubquery: string | undefined): Condition {
    const { left, table, column, where, location } = readSubquery(link);
    if (noSubquery !== undefined) throw refusalAt(location, noSubquery);
    if (this.tables === undefined) throw refusalAt(location, NO_SUBQUERIES);
    const columns = this.tables(table);
    if (columns === undefined) throw refusalAt(location, `unknown table ${quoteRelation(table)}`);
    const inner = new WhereChecker(columns, this.parameters);
    const [operand, selected] = ofOneFamily(this.column(left), inner.column(column), location);
    const selection = { table, column: selected, where: where && inner.selfContained(where, location) };
    return { kind: 'subquery', left: operand, number: this.numberOf(selection), selection, location };
  }

  /** The filter of a subquery: it becomes one of its own, with the same parameters, and must mean the same there. */
  private selfContained(node: Node, location: Location): Condition {
    const alone = new WhereChecker([...this.columns.values()], this.parameters.untyped()).check(node, NESTED);
    const within = this.check(node, NESTED);
    if (printCanonical(alone) !== printCanonical(within)) throw refusalAt(location, TYPED_OUTSIDE);
    return within;
  }

  private numberOf(selection: Selection): number {
    const printed = printSelection(selection);
    const number = this.numbers.get(printed) ?? this.numbers.size;
    this.numbers.set(printed, number);
    return number;
  }
}

function literal({ ival, fval, sval, boolval, bsval, isnull, location }: A_Const): Constant | UntypedLiteral {
  if (isnull === true) return { kind: 'untyped', text: null, location };
  if (bsval !== undefined) throw refusalAt(location, 'BitString values are not supported');
  if (sval !== undefined) return { kind: 'untyped', text: sval.sval ?? '', location };
  if (boolval !== undefined) return required(constantOf('bool', boolval.boolval === true ? 't' : 'f'));
  const text = ival === undefined ? (fval?.fval ?? '') : String(ival.ival ?? 0);
  const constant = numberConstant(text);
  if (constant === undefined) throw refusalAt(location, `invalid syntax for type numeric: ${text}`);
  return constant;
}

/** The type that a cast names. @throws {WhereRefusal} for one that is not among ours, or has a modifier, which would change the value. */
function castTarget({ names = [], typmods, arrayBounds, setof }: NonNullable<TypeCast['typeName']>, location: Location): TypeName {
  const name = nameIn(names);
  if (typmods !== undefined) throw refusalAt(location, `unsupported type ${name} with modifiers`);
  if (setof === true) throw refusalAt(location, `unsupported type setof ${name}`);
  if (arrayBounds !== undefined) throw refusalAt(location, `unsupported type ${name}[]`);
  if (!isCastTarget(name)) throw refusalAt(location, `unsupported type ${name}`);
  return name;
}

function functionRefusal(call: FuncCall): Error {
  const { agg_distinct, agg_filter, agg_order, agg_star, agg_within_group, over, func_variadic, args = [], location } = call;
  const aggregates = [agg_distinct, agg_filter, agg_order, agg_star, agg_within_group, over];
  if (aggregates.some((mark) => mark !== undefined)) return refusalAt(location, 'aggregation is not supported in this context');
  if (func_variadic === true) return refusalAt(location, 'explicit VARIADIC function calls are not currently supported');
  return refusalAt(location, `unknown or unsupported function ${nameIn(call.funcname ?? [])}/${args.length}`);
}

/** Without the schema of what is Postgres's own. */
function nameIn(parts: readonly Node[]): string {
  const names = parts.map((part) => ('String' in part ? (part.String.sval ?? '') : ''));
  return (names[0] === 'pg_catalog' ? names.slice(1) : names).join('.');
}

/** The two sides of `ESCAPE`, as the grammar writes it: a call of this one function, without any of the clauses that a call may have. */
function escapedPattern(node: Node): readonly [Node, Node] | undefined {
  if (!('FuncCall' in node) || nameIn(node.FuncCall.funcname ?? []) !== 'like_escape') return undefined;
  const { args: [text, escape, ...others] = [] } = node.FuncCall;
  const isPlain = Object.keys(node.FuncCall).every((field) => CALL_FIELDS.has(field));
  return isPlain && text !== undefined && escape !== undefined && others.length === 0 ? [text, escape] : undefined;
}

/** Values are looked up by their canonical text, which types of one family have in common. */
function ofOneFamily(
  left: TypedColumn | OpaqueColumn,
  selected: TypedColumn | OpaqueColumn,
  location: Location,
): readonly [TypedColumn, TypedColumn] {
  const isTyped = left.kind === 'column' && selected.kind === 'column';
  if (isTyped && VALUE_TYPES[left.type].family === VALUE_TYPES[selected.type].family) return [left, selected];
  if (left.type === selected.type) throw refusalAt(location, NO_OVERLOAD);
  throw refusalAt(location, `left side of \`IN (SELECT ...)\` has type ${left.type} but subquery returns ${selected.type}[]`);
}

function notAround(what: string): string {
  return `${what} around \`IN (SELECT ...)\` is not supported yet`;
}

/** A side of a comparison. @throws {WhereRefusal} when it cannot be one. */
function operandOf(checked: Checked, location: Location): Operand | UntypedLiteral {
  switch (checked.kind) {
    case 'column':
    case 'constant':
    case 'untyped':
      return checked;
    case 'arithmetic':
      throw refusalAt(checked.location, `operator "${checked.operator}" is not supported yet`);
    case 'condition':
      throw refusalAt(location, 'comparing conditions is not supported yet');
    case 'opaque':
      throw refusalAt(location, NO_OVERLOAD);
  }
}

function typeOf(checked: Checked): string | undefined {
  if (checked.kind === 'condition') return 'bool';
  return checked.kind === 'untyped' ? undefined : checked.type;
}

/** @returns undefined for what is not boolean. */
function asCondition(typed: Typed): Condition | undefined {
  if (typed.kind === 'condition') return typed.condition;
  const isOperand = typed.kind === 'column' || typed.kind === 'constant';
  return isOperand && typed.type === 'bool' ? { kind: 'operand', operand: typed } : undefined;
}

function conditionOf(condition: Condition): CheckedCondition {
  return { kind: 'condition', condition };
}

/** Items of one type make one list; a column among them is compared by itself, as Postgres does. */
function groupItems(comparisons: readonly (readonly [Operand, Operand, TypeName])[]): readonly Condition[] {
  const lists = new Map<TypeName, { left: Operand; items: Constant[] }>();
  const parts: Condition[] = [];
  for (const [left, right, type] of comparisons) {
    if (right.kind !== 'constant') {
      parts.push({ kind: 'compare', operator: '=', left, right, type });
      continue;
    }
    const list = lists.get(type) ?? { left, items: [] };
    list.items.push(right);
    lists.set(type, list);
  }
  return [...[...lists].map(([type, { left, items }]): Condition => ({ kind: 'in', left, items, type })), ...parts];
}

function isText(type: TypeName): boolean {
  return VALUE_TYPES[type].family === 'text' || VALUE_TYPES[type].family === 'padded';
}

function isNumber(type: string | undefined): type is TypeName {
  if (type === undefined || !isTypeName(type)) return false;
  return VALUE_TYPES[type].family === 'number' || VALUE_TYPES[type].family === 'float';
}

function itemsOf(node: Node | undefined): readonly Node[] {
  return node !== undefined && 'List' in node ? (node.List.items ?? []) : [];
}

/** Names that would not be found without quotes are shown with them. */
function shownName(name: string): string {
  return name === '*' || name === name.toLowerCase() ? name : `"${name}"`;
}

function locationIn(fields: object): number | undefined {
  return 'location' in fields && typeof fields.location === 'number' ? fields.location : undefined;
}

function required<Part>(part: Part | undefined): Part {
  if (part === undefined) throw refusalAt(undefined, 'incomplete expression');
  return part;
}
