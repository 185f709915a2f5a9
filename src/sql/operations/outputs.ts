/**
 * The output functions of types: the text that a value is written as, in the settings of every session of ours. What they give has no
 * operators in Postgres until it is cast to text, and so they are printed.
 */
import { arrayOf, isScalar, type TypeName } from '../values/type-names.ts';
import { VALUE_TYPES } from '../values/value-types.ts';
import { castOf } from './casts.ts';
import { call, type Overload, type Overloads } from './operation.ts';

const NAMES: Readonly<Partial<Record<string, TypeName>>> = {
  boolout: 'bool', int2out: 'int2', int4out: 'int4', int8out: 'int8', float4out: 'float4', float8out: 'float8', numeric_out: 'numeric',
  textout: 'text', varcharout: 'varchar', bpcharout: 'bpchar', nameout: 'name', uuid_out: 'uuid',
  date_out: 'date', time_out: 'time', timestamp_out: 'timestamp', timestamptz_out: 'timestamptz', interval_out: 'interval',
  byteaout: 'bytea', jsonb_out: 'jsonb',
};
const ARRAYS = Object.keys(VALUE_TYPES).filter(isScalar).map(arrayOf);

export const OUTPUT_FUNCTIONS: Overloads = {
  ...Object.fromEntries(Object.entries(NAMES).map(([name, type]) => [name, type === undefined ? [] : [output(name, type)]])),
  array_out: ARRAYS.map((type) => output('array_out', type)),
};

function output(name: string, type: TypeName): Overload {
  const { sql, ...output } = call(name, VALUE_TYPES[type].print);
  const stability = castOf(type, 'text')?.isStable === true ? { isStable: true } as const : {};
  return { takes: [type], gives: 'text', operation: { ...output, ...stability, sql: (args) => `${sql(args)}::text` } };
}
