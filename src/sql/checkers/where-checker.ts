/**
 * WhereChecker: from Postgres's parse tree to an expression of ours, or to a refusal.
 *
 * A white list: a node, an operator, a type or a field of the statement that is not named here is refused. So what
 * the grammar grows to say tomorrow is refused too, until somebody has shown that we evaluate it as Postgres does.
 */
import type {
  A_ArrayExpr, A_Const, A_Expr, A_Indices, A_Indirection, BooleanTest, BoolExpr, CaseExpr, CoalesceExpr, FuncCall, MinMaxExpr, Node,
  NullTest, TypeCast,
} from 'libpg-query';
import { CallChecker, type Bounds } from './call-checker.ts';
import {
  asCondition, callOf, coerced, NO_OVERLOAD, settledFrom, truthOf, typeOf, type Checked, type Location, type Typed,
} from './checked.ts';
import { ComparisonChecker } from './comparison-checker.ts';
import type { Comparison, Condition, Constant, Operand } from '../expression.ts';
import { constantOf, numberConstant, type Parameters, type UntypedLiteral } from './literals.ts';
import { arrayOfArrays, arrayOfItems } from '../operations/arrays.ts';
import { COALESCE } from '../operations/comparisons.ts';
import { CASE } from '../operations/conditionals.ts';
import { itemsOf, kindOf, nameIn, required } from '../syntax/parse-tree.ts';
import { isMatchSign, likeSign, PatternChecker } from './pattern-checker.ts';
import { ColumnScope } from '../subqueries/column-scope.ts';
import type { NamedTable } from '../subqueries/named-table.ts';
import { refuseUnknownOfMany, SubqueryChecker } from '../subqueries/subquery-checker.ts';
import { castTarget } from './type-syntax.ts';
import { arrayOf, isScalar, itemOf, type ScalarName, type TypeName } from '../values/type-names.ts';
import { settledTruth } from '../where-compiler.ts';
import { refusalAt, WhereRefusal } from '../where-refusal.ts';
import type { DatabaseRules, SubqueryTables, WhereColumn } from '../where.ts';

const COMPARISONS: Readonly<Record<string, Comparison>> = { '=': '=', '<>': '<>', '!=': '<>', '<': '<', '>': '>', '<=': '<=', '>=': '>=' };
const NOT_ALONE = 'can only stand alone, below AND, OR and NOT, or in a test of its truth';

export class WhereChecker {
  private readonly calls: CallChecker;
  private readonly comparisons: ComparisonChecker;
  private readonly patterns: PatternChecker;
  private readonly subqueries: SubqueryChecker;
  readonly scope: ColumnScope;

  /**
   * @param tables that subqueries select from; undefined where they are refused.
   * @param table undefined where its columns cannot be qualified.
   * @param depth in how many subqueries the filter stands.
   */
  constructor(
    columns: readonly WhereColumn[],
    private readonly parameters: Parameters,
    database: DatabaseRules,
    tables?: SubqueryTables,
    table?: NamedTable,
    depth = 0,
  ) {
    this.scope = new ColumnScope(columns, table);
    this.subqueries = new SubqueryChecker({
      scope: this.scope,
      parameters,
      tables,
      depth,
      operand: (node) => this.operand(node),
      inner: (found, untyped, within) => new WhereChecker(found, untyped, database, tables, within, depth + 1),
    });
    this.calls = new CallChecker(parameters, database);
    this.comparisons = new ComparisonChecker(parameters);
    this.patterns = new PatternChecker(parameters, this.calls);
  }

  /**
   * The whole filter.
   *
   * @param noSubquery what a subquery can do instead of standing in it.
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

  /** @param noSubquery what a subquery can do instead of standing here; undefined where it can. */
  private expression(node: Node, noSubquery: string | undefined): Checked {
    if ('BoolExpr' in node) return truthOf(this.logic(node.BoolExpr, noSubquery));
    if ('NullTest' in node) return truthOf(this.nullTest(node.NullTest, noSubquery));
    if ('BooleanTest' in node) return truthOf(this.booleanTest(node.BooleanTest, noSubquery));
    if ('SubLink' in node) return truthOf(this.subqueries.check(node.SubLink, noSubquery));
    return this.value(node);
  }

  private value(node: Node): Checked {
    if ('A_Const' in node) return literal(node.A_Const);
    if ('ParamRef' in node) return this.parameters.read(node.ParamRef.number ?? 0, node.ParamRef.location);
    if ('ColumnRef' in node) return this.scope.unqualified(node.ColumnRef);
    if ('TypeCast' in node) return this.cast(node.TypeCast);
    if ('A_Expr' in node) return this.operator(node.A_Expr);
    if ('FuncCall' in node) return this.call(node.FuncCall);
    if ('CoalesceExpr' in node) return this.coalesce(node.CoalesceExpr);
    if ('CaseExpr' in node) return this.caseOf(node.CaseExpr);
    if ('MinMaxExpr' in node) return this.extreme(node.MinMaxExpr);
    if ('A_ArrayExpr' in node) return this.array(node.A_ArrayExpr);
    if ('A_Indirection' in node) return this.subscripted(node.A_Indirection);
    const [kind, location] = kindOf(node);
    throw refusalAt(location, `${kind} is not supported in this context`);
  }

  /** What has a value in each row: no subquery. */
  operand(node: Node): Checked {
    return this.expression(node, NOT_ALONE);
  }

  private part(node: Node | undefined): Checked {
    return this.operand(required(node));
  }

  private parts(nodes: readonly Node[] | undefined): readonly Checked[] {
    return (nodes ?? []).map((node) => this.part(node));
  }

  private cast({ arg, typeName, location: castLocation }: TypeCast): Checked {
    const location = castLocation === undefined || castLocation < 0 ? typeName?.location : castLocation;
    const type = castTarget(typeName ?? {}, location);
    const source = required(arg);
    if ('ParamRef' in source) return this.parameters.cast(source.ParamRef.number ?? 0, type, source.ParamRef.location);
    const item = itemOf(type);
    if ('A_ArrayExpr' in source && item !== undefined) return this.array(source.A_ArrayExpr, item);
    return this.calls.cast(this.part(source), type, location);
  }

  private operator(expression: A_Expr): Checked {
    const { kind = 'AEXPR_OP', lexpr, rexpr, location } = expression;
    const name = nameIn(expression.name);
    switch (kind) {
      case 'AEXPR_OP':
        return lexpr === undefined
          ? this.calls.unary(name, this.part(rexpr), location)
          : this.binary(name, this.part(lexpr), this.part(rexpr), location);
      case 'AEXPR_OP_ANY':
      case 'AEXPR_OP_ALL':
        return this.quantified(name, kind === 'AEXPR_OP_ALL', this.part(lexpr), this.part(rexpr), location);
      case 'AEXPR_IN':
        return truthOf(negatedIf(name === '<>', this.comparisons.inList(this.part(lexpr), this.parts(itemsOf(rexpr)), location)));
      case 'AEXPR_BETWEEN':
      case 'AEXPR_NOT_BETWEEN':
      case 'AEXPR_BETWEEN_SYM':
      case 'AEXPR_NOT_BETWEEN_SYM':
        return this.between(this.part(lexpr), itemsOf(rexpr), kind, location);
      case 'AEXPR_DISTINCT':
      case 'AEXPR_NOT_DISTINCT':
        return truthOf(negatedIf(kind === 'AEXPR_NOT_DISTINCT', this.comparisons.distinct(this.part(lexpr), this.part(rexpr), location)));
      case 'AEXPR_NULLIF':
        return this.comparisons.nullIf(this.part(lexpr), this.part(rexpr), location);
      case 'AEXPR_LIKE':
      case 'AEXPR_ILIKE':
        return this.patterns.like(required(likeSign(name)), this.part(lexpr), this.part(rexpr), location);
      default:
        throw refusalAt(location, `expression ${name} of :${kind} is not currently supported`);
    }
  }

  private binary(name: string, left: Checked, right: Checked, location: Location): Checked {
    const operator = COMPARISONS[name];
    if (operator !== undefined) return truthOf(this.comparisons.compare(operator, left, right, location));
    if (isMatchSign(name)) return this.patterns.match(name, left, right, location);
    const like = likeSign(name);
    return like === undefined ? this.calls.binary(name, left, right, location) : this.patterns.like(like, left, right, location);
  }

  private quantified(name: string, all: boolean, left: Checked, array: Checked, location: Location): Checked {
    const operator = COMPARISONS[name];
    if (operator !== undefined) return truthOf(this.comparisons.quantified(operator, all, left, array, location));
    const like = likeSign(name);
    if (like === undefined) throw refusalAt(location, 'ANY/ALL requires operator that returns bool');
    const sides = this.comparisons.quantifiedSides(left, array, location, all);
    return this.patterns.likeQuantified(like, all, left, sides, location);
  }

  private between(value: Checked, bounds: readonly Node[], kind: string, location: Location): Checked {
    const [low, high] = [this.part(bounds[0]), this.part(bounds[1])];
    const within = this.comparisons.between(value, low, high, kind.endsWith('SYM'), location);
    return truthOf(negatedIf(kind.startsWith('AEXPR_NOT'), within));
  }

  private call(call: FuncCall): Checked {
    const { agg_distinct, agg_filter, agg_order, agg_star, agg_within_group, over, func_variadic, args, location } = call;
    const aggregates = [agg_distinct, agg_filter, agg_order, agg_star, agg_within_group, over];
    if (aggregates.some((mark) => mark !== undefined)) throw refusalAt(location, 'aggregation is not supported in this context');
    if (func_variadic === true) throw refusalAt(location, 'explicit VARIADIC function calls are not currently supported');
    const name = nameIn(call.funcname);
    const parts = this.parts(args);
    return this.patterns.function(name, parts, location) ?? this.calls.function(name, parts, location);
  }

  private coalesce({ args, location }: CoalesceExpr): Checked {
    const parts = this.parts(args);
    const type = this.comparisons.common(parts, location, 'COALESCE');
    return coalesced(parts.map((part) => coerced(this.parameters, part, type, location)), type, location);
  }

  private extreme({ op, args, location }: MinMaxExpr): Checked {
    return this.comparisons.extreme(op === 'IS_LEAST' ? 'least' : 'greatest', this.parts(args), location);
  }

  /** Its type is that of all its values together, the last one first. A literal that is compared is a text. */
  private caseOf({ arg, args = [], defresult, location }: CaseExpr): Operand {
    const whens = args.flatMap((node) => ('CaseWhen' in node ? [node.CaseWhen] : []));
    const given = arg === undefined ? undefined : this.part(arg);
    const compared = given?.kind === 'untyped' ? this.parameters.typed(given, 'text') : given;
    const conditions = whens.map(({ expr, location: at }) => {
      if (compared === undefined) return this.condition(required(expr), at, NOT_ALONE);
      return this.comparisons.compare('=', compared, this.part(expr), at);
    });
    const otherwise = defresult === undefined ? nullLiteral(location) : this.part(defresult);
    const parts = [otherwise, ...whens.map(({ result }) => this.part(result))];
    const type = this.comparisons.common(parts, location, 'CASE');
    const [last, ...values] = parts.map((part) => coerced(this.parameters, part, type, location));
    return chosen(conditions, values, required(last), location);
  }

  /** @param item that the context casts its items to. */
  private array({ elements = [], location }: A_ArrayExpr, item?: ScalarName): Operand {
    const parts = elements.map((node) => ('A_ArrayExpr' in node ? this.array(node.A_ArrayExpr, item) : this.part(node)));
    if (parts.length === 0 && item === undefined) throw refusalAt(location, 'cannot determine type of empty array');
    const areArrays = parts.some((part) => part.kind !== 'untyped' && part.kind !== 'opaque' && itemOf(part.type) !== undefined);
    const type = item === undefined ? this.comparisons.common(parts, location, 'ARRAY') : areArrays ? arrayOf(item) : item;
    const items = parts.map((part) => {
      return item === undefined ? coerced(this.parameters, part, type, location) : this.calls.cast(part, type, location);
    });
    const element = itemOf(type) ?? type;
    if (!isScalar(element)) throw refusalAt(location, NO_OVERLOAD);
    return callOf(areArrays ? arrayOfArrays(element) : arrayOfItems(element), arrayOf(element), items, location);
  }

  private subscripted({ arg, indirection = [] }: A_Indirection): Checked {
    const array = this.part(arg);
    const [, location] = kindOf(required(arg));
    const indices = indirection.map((node) => {
      if (!('A_Indices' in node)) throw refusalAt(location, 'A_Indirection is not supported in this context');
      return node.A_Indices;
    });
    if (indices.every(({ is_slice }) => is_slice !== true)) {
      return this.calls.subscripted(array, indices.map(({ uidx }) => this.part(uidx)), location);
    }
    return this.calls.sliced(array, indices.map((bounds) => this.bounds(bounds)), location);
  }

  /** Beside a slice, a subscript is one from the first item on. */
  private bounds({ is_slice, lidx, uidx }: A_Indices): Bounds {
    const [lower, upper] = [lidx, uidx].map((index) => (index === undefined ? undefined : this.part(index)));
    return { lower: is_slice === true ? lower : required(numberConstant('1')), upper };
  }

  private logic({ boolop, args = [], location }: BoolExpr, noSubquery: string | undefined): Condition {
    const parts = args.map((node) => this.condition(node, location, noSubquery));
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

  private nullTest({ arg, nulltesttype = 'IS_NULL' }: NullTest, noSubquery: string | undefined): Condition {
    const checked = this.expression(required(arg), noSubquery);
    if (checked.kind === 'truth') refuseUnknownOfMany(checked.condition, nulltesttype.replaceAll('_', ' '));
    const test: Condition = { kind: 'isNull', part: this.nullable(checked) };
    return nulltesttype === 'IS_NOT_NULL' ? { kind: 'not', part: test } : test;
  }

  private nullable(checked: Checked): Extract<Condition, { kind: 'isNull' }>['part'] {
    if (checked.kind === 'truth') return checked.condition;
    if (checked.kind === 'opaque' || checked.kind === 'column') return { kind: 'column', name: checked.name };
    return checked.kind === 'untyped' ? this.parameters.typed(checked, 'text') : checked;
  }

  private booleanTest({ arg, booltesttype = 'IS_TRUE', location }: BooleanTest, noSubquery: string | undefined): Condition {
    const name = booltesttype.replaceAll('_', ' ');
    const typed = this.boolean(this.expression(required(arg), noSubquery));
    const condition = asCondition(typed);
    if (condition === undefined) throw refusalAt(location, `argument of ${name} must be bool, not ${typeOf(typed)}`);
    const truth = name.endsWith('TRUE') ? true : name.endsWith('FALSE') ? false : null;
    if (truth === null) refuseUnknownOfMany(condition, name);
    const test: Condition = { kind: 'isTruth', truth, part: condition };
    return name.startsWith('IS NOT') ? { kind: 'not', part: test } : test;
  }

}

/** What stands in the filter decides at once: a NULL is nothing, and behind a value nothing is asked. */
function coalesced(parts: readonly Operand[], type: TypeName, location: Location): Operand {
  const known = parts.filter((part) => part.kind !== 'constant' || part.value !== null);
  const end = known.findIndex((part) => part.kind === 'constant');
  const asked = end < 0 ? known : known.slice(0, end + 1);
  const [first, ...others] = asked;
  if (first === undefined) return settledFrom(parts, type, null);
  if (others.length > 0) return callOf(COALESCE, type, asked, location);
  return first.kind === 'constant' ? settledFrom(parts, type, first.value) : first;
}

/** What is the same for every row decides at once: what is never true is nothing, and behind what is true nothing is asked. */
function chosen(conditions: readonly Condition[], values: readonly Operand[], last: Operand, location: Location): Operand {
  const branches = conditions.map((condition, at) => ({ condition, truth: settledTruth(condition), value: values[at] ?? last }));
  const asked = branches.filter(({ truth }) => truth === undefined || truth === true);
  const end = asked.findIndex(({ truth }) => truth === true);
  const open = end < 0 ? asked : asked.slice(0, end);
  const otherwise = asked[end]?.value ?? last;
  const parts = open.flatMap(({ condition, value }) => [truthOf(condition), value]);
  if (parts.length > 0) return callOf(CASE, last.type, [...parts, otherwise], location);
  return otherwise.kind === 'constant' ? settledFrom([...conditions.map(truthOf), ...values, last], last.type, otherwise.value) : otherwise;
}

function nullLiteral(location: Location): UntypedLiteral {
  return { kind: 'untyped', text: null, location };
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

function negatedIf(negated: boolean, condition: Condition): Condition {
  return negated ? { kind: 'not', part: condition } : condition;
}
