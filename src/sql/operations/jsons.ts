/** Operators of jsonb. A value that is neither object nor array is, where places are counted, an array of itself, as in Postgres. */
import { canonicalJson, isJsonArray, isJsonObject, jsonText, type JsonPart } from '../values/json.ts';
import type { TypeName } from '../values/type-names.ts';
import { asArray, asJson, type Value } from '../values/values.ts';
import { infix, strict, type Operation, type Overload, type Overloads } from './operation.ts';
import { spend, spentOn } from '../work.ts';

/** Of two parts, in steps. */
const COMPARISON_STEPS = 10;
const TOO_MANY = 'a jsonb has too many items to be compared';

export const JSON_OPERATORS: Overloads = {
  '->': parts('->', 'jsonb', (json) => ({ json })),
  '->>': parts('->>', 'text', textOf),
  '?': [condition('?', ['jsonb', 'text'], (json, key) => holdsKey(asJson(json), key))],
  '?|': [condition('?|', ['jsonb', 'text[]'], (json, keys) => keysOf(keys).some((key) => holdsKey(asJson(json), key)))],
  '?&': [condition('?&', ['jsonb', 'text[]'], (json, keys) => keysOf(keys).every((key) => holdsKey(asJson(json), key)))],
  '@>': [condition('@>', ['jsonb', 'jsonb'], (whole, part) => new Containment().holds(asJson(whole), asJson(part), true))],
  '<@': [condition('<@', ['jsonb', 'jsonb'], (part, whole) => new Containment().holds(asJson(whole), asJson(part), true))],
};

/** A member by its key, or an item by its place, counted from 0, or from -1 at the end. */
function parts(sign: string, gives: TypeName, result: (part: JsonPart) => Value | null): readonly Overload[] {
  const operation = (find: (json: JsonPart, key: Value) => JsonPart | undefined): Operation => ({
    ...infix(sign, () => false),
    compile: strict((json, key) => {
      const part = find(asJson(json), key);
      return part === undefined ? null : result(part);
    }),
  });
  return [
    { takes: ['jsonb', 'text'], gives, operation: operation((json, key) => (isJsonObject(json) ? json.get(String(key)) : undefined)) },
    { takes: ['jsonb', 'int4'], gives, operation: operation((json, place) => itemsOf(json).at(Number(place))) },
  ];
}

function condition(sign: string, takes: readonly TypeName[], run: (left: Value, right: Value) => boolean): Overload {
  return { takes, gives: 'bool', operation: infix(sign, run) };
}

/** JSON's null is NULL as text. */
function textOf(part: JsonPart): string | null {
  return part === null || typeof part === 'string' ? part : spentOn(jsonText(part));
}

function itemsOf(json: JsonPart): readonly JsonPart[] {
  if (isJsonObject(json)) return [];
  return isJsonArray(json) ? json : [json];
}

/** NULLs are no keys. */
function keysOf(keys: Value): readonly Value[] {
  return asArray(keys).items.filter((key) => key !== null);
}

/** Of an object one of its keys, of an array one of its texts. */
function holdsKey(json: JsonPart, key: Value): boolean {
  return isJsonObject(json) ? json.has(String(key)) : itemsOf(json).some((item) => item === key);
}

/**
 * Each member of an object has its like in the other; each item of an array has it anywhere there, however often. Items that hold others
 * are compared each with each, which is bounded; single ones are looked up.
 */
class Containment {
  /**
   * @param isWhole the two are no parts of others: then an array holds a single value as if it were an array too.
   * @throws {EvaluationError} when it takes too long.
   */
  holds(whole: JsonPart, part: JsonPart, isWhole: boolean): boolean {
    spend(COMPARISON_STEPS, TOO_MANY);
    if (isJsonObject(whole) && isJsonObject(part)) {
      return [...part].every(([key, value]) => {
        const own = whole.get(key);
        return own !== undefined && this.holds(own, value, false);
      });
    }
    if (isJsonArray(whole) && (isJsonArray(part) || (isWhole && !isJsonObject(part)))) return this.holdsItems(whole, itemsOf(part));
    return isSingle(whole) && isSingle(part) && canonicalJson(whole) === canonicalJson(part);
  }

  private holdsItems(whole: readonly JsonPart[], items: readonly JsonPart[]): boolean {
    spend(whole.length + items.length, TOO_MANY);
    const wanted = new Set(items.filter(isSingle).map(canonicalJson));
    for (const own of whole) {
      if (wanted.size === 0) break;
      if (isSingle(own)) wanted.delete(canonicalJson(own));
    }
    if (wanted.size > 0) return false;
    return items.every((item) => isSingle(item) || whole.some((own) => !isSingle(own) && this.holds(own, item, false)));
  }
}

/** Neither an object nor an array. */
function isSingle(json: JsonPart): boolean {
  return !isJsonObject(json) && !isJsonArray(json);
}
