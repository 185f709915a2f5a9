/** Parameters: what a query of the observer says, each read strictly; a slip of the pen is told and never guessed at. */
import type { PageAsked } from './paging.ts';

/** The caller's mistake, for the answer of 400. */
export class InvalidParameterError extends Error {
  override readonly name = 'InvalidParameterError';
}

const LIMIT = 100;
const LIMIT_MAX = 1_000;
const TEXT_MAX = 2_000;

export class Parameters {
  constructor(private readonly query: URLSearchParams) {}

  /** @returns undefined when it is not there, or empty. */
  text(name: string): string | undefined {
    const text = this.query.get(name);
    if (text === null || text === '') return undefined;
    if (text.length > TEXT_MAX) throw new InvalidParameterError(`"${name}" is longer than ${TEXT_MAX} characters`);
    return text;
  }

  required(name: string): string {
    const text = this.text(name);
    if (text === undefined) throw new InvalidParameterError(`"${name}" is missing`);
    return text;
  }

  texts(name: string, countMax: number): readonly string[] {
    const all = this.query.getAll(name).filter((text) => text !== '');
    if (all.length > countMax) throw new InvalidParameterError(`"${name}" may be given ${countMax} times`);
    return all;
  }

  oneOf<const Choice extends string>(name: string, choices: readonly Choice[], byDefault: Choice): Choice {
    const text = this.text(name);
    if (text === undefined) return byDefault;
    const choice = choices.find((each) => each === text);
    if (choice === undefined) throw new InvalidParameterError(`"${name}" is one of ${choices.join(', ')}`);
    return choice;
  }

  /** @returns undefined when it is not there. */
  number(name: string, { least, most }: { readonly least: number; readonly most: number }): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const number = /^\d{1,16}(\.\d{1,6})?$/.test(text) ? Number(text) : NaN;
    if (!(number >= least && number <= most)) throw new InvalidParameterError(`"${name}" is a number from ${least} to ${most}`);
    return number;
  }

  page(limitMax = LIMIT_MAX): PageAsked {
    const limit = this.number('limit', { least: 1, most: limitMax }) ?? LIMIT;
    return { limit: Math.floor(limit), after: Math.floor(this.number('after', { least: 0, most: 10_000_000 }) ?? 0) };
  }
}
