/** Which types Postgres takes for others without being told, and what it prefers: `pg_cast` and `pg_type`, as far as we go. */
import { isScalar, itemOf, type ScalarName, type TypeName } from '../values/type-names.ts';

type Category = 'array' | 'boolean' | 'number' | 'string' | 'moment' | 'span' | 'other';

const NUMBERS: readonly ScalarName[] = ['int2', 'int4', 'int8', 'numeric', 'float4', 'float8'];
const TEXTS: readonly ScalarName[] = ['text', 'varchar', 'bpchar', 'name'];

const CATEGORIES: Readonly<Record<ScalarName, Category>> = {
  bool: 'boolean', int2: 'number', int4: 'number', int8: 'number', numeric: 'number', float4: 'number', float8: 'number',
  text: 'string', varchar: 'string', bpchar: 'string', name: 'string', uuid: 'other',
  date: 'moment', time: 'moment', timestamp: 'moment', timestamptz: 'moment', interval: 'span', bytea: 'other', jsonb: 'other',
};
const PREFERRED: ReadonlySet<TypeName> = new Set<TypeName>(['bool', 'float8', 'text', 'timestamptz', 'interval']);

/** Those that depend on the time zone of the session are left out. */
const IMPLICIT: Readonly<Partial<Record<ScalarName, readonly ScalarName[]>>> = {
  ...Object.fromEntries(NUMBERS.map((from, at) => [from, NUMBERS.slice(at + 1)])),
  text: ['varchar', 'bpchar', 'name'],
  varchar: ['text', 'bpchar', 'name'],
  bpchar: ['text', 'varchar', 'name'],
  name: ['text'],
  date: ['timestamp'],
  time: ['interval'],
};

export function categoryOf(type: TypeName): Category {
  return isScalar(type) ? CATEGORIES[type] : 'array';
}

export function isPreferred(type: TypeName): boolean {
  return PREFERRED.has(type);
}

export function isText(type: TypeName): boolean {
  return TEXTS.some((text) => text === type);
}

/** Arrays go as their items do. */
export function isImplicit(from: TypeName, to: TypeName): boolean {
  if (from === to) return true;
  const [fromItem, toItem] = [itemOf(from), itemOf(to)];
  if (fromItem !== undefined && toItem !== undefined) return isImplicit(fromItem, toItem);
  return isScalar(from) && isScalar(to) && IMPLICIT[from]?.includes(to) === true;
}

/**
 * The type under which values of several types stand side by side, in a list or among alternatives.
 *
 * @param types undefined for a literal without a type.
 * @returns undefined when they have none in common.
 */
export function commonType(types: readonly (TypeName | undefined)[]): TypeName | undefined {
  const known = types.filter((type) => type !== undefined);
  let [common = 'text'] = known;
  for (const type of known) {
    if (type === common) continue;
    if (categoryOf(type) !== categoryOf(common)) return undefined;
    if (!isPreferred(common) && isImplicit(common, type) && !isImplicit(type, common)) common = type;
  }
  return known.every((type) => isImplicit(type, common)) ? common : undefined;
}
