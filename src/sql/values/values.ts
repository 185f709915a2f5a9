/** Values by what they are: an operation that was chosen by types knows it, and the compiler must be told. */
import { invariant } from '../../base/invariant.ts';
import type { ArrayValue } from './array-value.ts';
import type { Micros } from './civil-time.ts';
import type { Interval } from './interval.ts';
import type { Json, JsonPart } from './json.ts';
import type { Numeric } from './numeric.ts';

export type Scalar = boolean | string | Micros | Numeric | Interval | Json;
export type Value = Scalar | ArrayValue<Scalar>;

/** Of any exact number. */
export function asNumeric(value: Value): Numeric {
  if (typeof value === 'object') {
    invariant('scale' in value, 'a number is no object but a numeric');
    return value;
  }
  return { digits: BigInt(value), scale: 0, special: 0 };
}

export function asInterval(value: Value): Interval {
  invariant(typeof value === 'object' && 'months' in value, 'an operation on intervals gets intervals');
  return value;
}

export function asJson(value: Value): JsonPart {
  invariant(typeof value === 'object' && 'json' in value, 'an operation on jsonb gets jsonb');
  return value.json;
}

export function asMicros(value: Value): Micros {
  invariant(typeof value === 'number' || typeof value === 'bigint', 'an operation on dates gets dates');
  return value;
}

export function asArray(value: Value): ArrayValue<Scalar> {
  invariant(isArray(value), 'an operation on arrays gets arrays');
  return value;
}

/** An item of an array. */
export function asScalar(value: Value): Scalar {
  invariant(!isArray(value), 'an item of an array is no array');
  return value;
}

function isArray(value: Value): value is ArrayValue<Scalar> {
  return typeof value === 'object' && 'items' in value;
}
