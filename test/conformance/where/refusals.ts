/** What the WHERE language refuses, each clause with the exact text of its answer. */

export interface Refusal {
  readonly says: string;
  /** Each with the text of the field `where`. */
  readonly forms: readonly (readonly [form: string, error: string])[];
}

const UNSUPPORTED = 'is not supported in this context';
const SUBLINK = 'only `value IN (SELECT ...)` sublinks are supported right now';

export const REFUSALS: readonly Refusal[] = [
  {
    says: 'grammar, with the place in the whole statement',
    forms: [
      ['1 x 1', 'At location 17: syntax error at or near "x"'], ['id =', 'At location 19: syntax error at end of input'],
      ["id = 'x", 'At location 20: unterminated quoted string at or near "\'x"'],
    ],
  },
  { says: 'a text that is too large', forms: [[' '.repeat(65_537), 'WHERE clause is bigger than maximum size of 65536 bytes']] },
  { says: 'several statements', forms: [['flag; SELECT 1', 'unescaped ";" causing statement split']] },
  {
    says: 'clauses behind the condition',
    forms: ['GROUP BY id', 'HAVING flag', 'ORDER BY id', 'FOR UPDATE', 'LIMIT 1', 'OFFSET 1'].map((end) => {
      return [`flag ${end}`, 'malformed query ending with SQL clauses'];
    }),
  },
  { says: 'what is no condition', forms: [['id + 1', 'WHERE clause must return a boolean']] },
  {
    says: 'unknown columns',
    forms: [
      ['nope', 'At location 0: unknown reference nope'], ['"Nope"', 'At location 0: unknown reference "Nope"'],
      ['things.id = 1', 'At location 0: unknown reference things.id'],
    ],
  },
  {
    says: 'unknown functions, and known ones for other types',
    forms: [
      ['seen < now()', 'At location 7: unknown or unsupported function now/0'],
      ['count(id) = 1', 'At location 0: unknown or unsupported function count/1'],
      ['upper(id) = 1', 'At location 0: Could not select a function overload for upper(int4)'],
    ],
  },
  {
    says: 'unknown operators, and known ones for other types',
    forms: [
      ["title @@ 'a'", 'At location 6: unknown binary operator "@@"'], ['!! id', 'At location 0: unknown unary operator "!!"'],
      ['id + flag = 1', 'At location 3: Could not select an operator overload'],
      ['place = place', 'At location 6: Could not select an operator overload'],
      ["title ~ 'a '::bpchar", 'At location 6: Could not select an operator overload'],
      ["title LIKE ANY ('{a }'::bpchar[])", 'At location 6: Could not select an operator overload'],
    ],
  },
  {
    says: 'literals that are none of their type',
    forms: [
      ["id = 'test'", 'At location 5: invalid syntax for type int4: test'],
      ["day = 'x'", 'At location 6: invalid syntax for type date: x'],
      ["day = '05/01/2024'", 'At location 6: invalid syntax for type date: 05/01/2024'],
      ["at < 'today'", 'At location 5: timestamp today is not supported: it would mean something else every day'],
    ],
  },
  {
    says: 'casts that there are not, and constants that cannot be cast',
    forms: [
      ["id = '1'::money", 'At location 8: unsupported type money'],
      ['id::uuid = owner', 'At location 2: unknown cast from type int4 to type uuid'],
      ["'x'::text::int4 = id", 'At location 9: could not cast value x from text to int4'],
    ],
  },
  {
    says: 'errors of constants, and of what is one in every row',
    forms: ['0', 'coalesce(0, id)', 'CASE WHEN false THEN id ELSE 0 END', 'CASE WHEN true THEN 0 ELSE id END'].map((divisor) => {
      return [`1 / ${divisor} = id`, 'At location 2: division by zero'];
    }),
  },
  {
    says: 'aggregates',
    forms: ['count(*)', 'sum(DISTINCT id)', 'sum(id) FILTER (WHERE flag)', 'sum(id) OVER ()'].map((call) => {
      return [`${call} = 1`, 'At location 0: aggregation is not supported in this context'];
    }),
  },
  { says: 'parameters that are missing, or have two types', forms: [
    ['id = $3', 'At location 5: parameter $3 was not provided'],
    ['$1::int4 = id AND $1::text = title', 'type conflict for $1: int4 and text'],
  ] },
  {
    says: 'logic and tests on what is no condition',
    forms: [
      ['id OR flag', 'At location 3: int4 is not castable to bool'], ['NOT id', 'At location 0: int4 is not castable to bool'],
      ['id IS TRUE', 'At location 3: argument of IS TRUE must be bool, not int4'],
    ],
  },
  {
    says: 'arrays of mixed types, and ANY and ALL without an array or a condition',
    forms: [
      ['ARRAY[id, title] = tags', 'At location 0: ARRAY types int4 and text cannot be matched'],
      ['id = ANY (id)', 'At location 3: argument of ANY must be an array'],
      ['id = ALL (id)', 'At location 3: argument of ALL must be an array'],
      ['id + ANY (numbers)', 'At location 3: ANY/ALL requires operator that returns bool'],
    ],
  },
  {
    says: 'forms of the grammar that have no meaning here',
    forms: [
      ["id = B'01'", 'At location 5: BitString values are not supported'],
      ['concat(VARIADIC tags) = title', 'At location 0: explicit VARIADIC function calls are not currently supported'],
      ["title SIMILAR TO 'a'", 'At location 6: expression ~ of :AEXPR_SIMILAR is not currently supported'],
      ['day = current_date', `At location 6: SQLValueFunction ${UNSUPPORTED}`],
      ['title = \'a\' COLLATE "C"', `At location 12: CollateClause ${UNSUPPORTED}`],
      ["title = xmlelement(name a)::text", `At location 8: XmlExpr ${UNSUPPORTED}`],
    ],
  },
  {
    says: 'subqueries of other forms',
    forms: [
      ['EXISTS (SELECT 1)', 'At location 0: Expected a single table reference'], ['id = (SELECT 1)', `At location 5: ${SUBLINK}`],
      ['id = ANY (SELECT 1)', `At location 3: ${SUBLINK}`], ['id < ALL (SELECT 1)', `At location 3: ${SUBLINK}`],
    ],
  },
  {
    says: 'what cannot be told as Postgres tells it',
    forms: [
      ["at AT TIME ZONE title = seen", 'At location 3: a time zone must be a constant'],
      [
        "at AT TIME ZONE 'EAST' = seen",
        'At location 3: the time zone EAST is not supported: its clocks change in a way that is not understood',
      ],
      ["title ~ '\\y'", 'At location 6: the regular expression \\y is not supported'],
      ['title ~ label', 'At location 6: a regular expression must be a constant'],
      ["extract(week FROM '8 days'::interval) = 1", 'At location 0: unit "week" not supported for type interval'],
      ["date_trunc('eon', '2024-02-29'::timestamp) = at", 'At location 0: unit "eon" not recognized for type timestamp without time zone'],
      ["date_trunc('eon', at) = at", 'At location 0: unit "eon" not recognized for type timestamp without time zone'],
      ["extract(hour FROM day) = 1", 'At location 0: unit "hour" not supported for type date'],
      ['round(1.5, 2001) = price', 'At location 0: cannot round to more than 2000 decimals here'],
      ["data < '{}'", 'At location 5: the order of jsonb is not supported'],
      ["id = '1'::numeric(5, 2)", 'At location 8: unsupported type numeric with modifiers'],
      ['6 ^ 0.5::float8 = ratio', 'At location 2: a power between two float8 is not supported'],
    ],
  },
  {
    says: 'nesting',
    forms: [[`${'('.repeat(10_000)}flag${')'.repeat(10_000)}`, 'At location 498: expression nests deeper than 500 levels']],
  },
];
