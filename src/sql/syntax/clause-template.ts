/**
 * ClauseTemplate: the parse tree of all texts that differ in their constants alone. Their trees do so as well: in the values, and in the
 * places of what stands behind them.
 *
 * It is not taken for granted where a constant comes to stand in the tree, or whether it decides what the tree is (`float(24)` is another
 * type than `float(25)`). Two texts are parsed whose constants are of other lengths and values: each difference between their trees must
 * be a constant at its own place, or a place that moved as far as the constants before it are longer; and each constant must be found once.
 */
import type { Node } from 'libpg-query';
import { partsOf, textWith, type TextConstant } from './text-constants.ts';

/** A text that is to have a tree. */
interface Written {
  readonly constants: readonly TextConstant[];
  /** By how many constants stand before a place: how much further it lies than in the first sample. */
  readonly moved: readonly number[];
}

/** Makes one part of a tree. */
type Part = (written: Written) => unknown;

export interface ClauseTemplate {
  /** @param constants of a text that has the template. @returns a tree of its own, as the parser would give it. */
  clauseOf(constants: readonly TextConstant[]): Node;
}

/** As they are written. The second of each is one longer. */
const SAMPLES = [
  { integer: '1', long: '9999999999', string: "'a'" },
  { integer: '23', long: '88888888888', string: "'bc'" },
] as const;

/**
 * @param template as of `partsOf`.
 * @param prefix how many characters stand before the text when it is parsed.
 * @param parse gives the tree of a text.
 * @returns undefined where texts with this template are to be parsed one by one.
 * @throws what `parse` throws.
 */
export function clauseTemplate(template: string, prefix: number, parse: (text: string) => Node): ClauseTemplate | undefined {
  const [first, second] = SAMPLES.map((sample) => textWith(template, sample));
  const [before, behind] = [first, second].map((text) => (text === undefined ? undefined : partsOf(text)?.constants));
  if (first === undefined || second === undefined || before === undefined || behind === undefined) return undefined;
  const comparison = new Comparison(before, behind, prefix);
  const part = comparison.partOf(parse(first), parse(second));
  if (part === undefined || !comparison.hasAll) return undefined;
  return {
    // What is made of two parse trees that agree is one.
    clauseOf: (constants) => part({ constants, moved: movedBy(before, constants) }) as Node,
  };
}

function movedBy(sample: readonly TextConstant[], constants: readonly TextConstant[]): readonly number[] {
  const moved = [0];
  let sum = 0;
  for (const [index, { length }] of constants.entries()) moved.push(sum += length - (sample[index]?.length ?? 0));
  return moved;
}

class Comparison {
  /** Numbers of the constants that were found in the trees. */
  private readonly found: number[] = [];
  /** Their numbers by their places in the first tree. */
  private readonly numbers: ReadonlyMap<unknown, number>;

  constructor(
    private readonly first: readonly TextConstant[],
    private readonly second: readonly TextConstant[],
    private readonly prefix: number,
  ) {
    this.numbers = new Map(first.map(({ start }, number) => [start + prefix, number]));
  }

  /** Each, and each once. */
  get hasAll(): boolean {
    return this.found.length === this.first.length && new Set(this.found).size === this.first.length;
  }

  /** @returns undefined where the trees differ in what is not known to differ. */
  partOf(first: unknown, second: unknown): Part | undefined {
    if (Array.isArray(first)) return Array.isArray(second) ? this.listOf(first, second) : undefined;
    if (typeof first === 'number') return typeof second === 'number' ? this.numberOf(first, second) : undefined;
    if (!isObject(first)) return first === second ? () => first : undefined;
    if (!isObject(second)) return undefined;
    return this.constantOf(first, second) ?? this.objectOf(first, second);
  }

  private listOf(first: readonly unknown[], second: readonly unknown[]): Part | undefined {
    const parts = first.map((item, index) => this.partOf(item, second[index])).filter((part) => part !== undefined);
    if (parts.length !== first.length || second.length !== first.length) return undefined;
    return (written) => parts.map((part) => part(written));
  }

  /** A place, or what is the same in both. */
  private numberOf(first: number, second: number): Part | undefined {
    if (first === second) return () => first;
    const before = this.first.filter(({ start }) => start + this.prefix < first).length;
    if (second !== first + before) return undefined;
    return ({ moved }) => first + (moved[before] ?? 0);
  }

  private objectOf(first: Fields, second: Fields): Part | undefined {
    const names = Object.keys(first);
    if (names.join() !== Object.keys(second).join()) return undefined;
    const parts: (readonly [string, Part])[] = [];
    for (const name of names) {
      const part = this.partOf(first[name], second[name]);
      if (part === undefined) return undefined;
      parts.push([name, part]);
    }
    return (written) => {
      const made: Record<string, unknown> = {};
      for (const [name, part] of parts) made[name] = part(written);
      return made;
    };
  }

  /**
   * Its place is looked at first: to compare each part of a deep tree with each constant would take seconds.
   *
   * @returns undefined for what is no constant of the text.
   */
  private constantOf(first: Fields, second: Fields): Part | undefined {
    const number = this.numbers.get(first['location']) ?? -1;
    const [before, behind] = [this.first[number], this.second[number]];
    if (before === undefined || behind === undefined) return undefined;
    if (!isConstant(first, before, this.prefix) || !isConstant(second, behind, this.prefix)) return undefined;
    this.found.push(number);
    const place = before.start + this.prefix;
    return ({ constants, moved }) => {
      const constant = constants[number] ?? before;
      return { ...valueOf(constant), location: place + (moved[number] ?? 0) };
    };
  }
}

type Fields = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether the fields are those of `A_Const`, of this one. */
function isConstant(fields: Fields, constant: TextConstant, prefix: number): boolean {
  return JSON.stringify(fields) === JSON.stringify({ ...valueOf(constant), location: constant.start + prefix });
}

/** As a parse tree has it: no integer of a text is zero, and no string empty. */
function valueOf({ kind, value }: TextConstant): Fields {
  switch (kind) {
    case 'integer':
      return { ival: { ival: Number(value) } };
    case 'long':
      return { fval: { fval: value } };
    case 'string':
      return { sval: { sval: value } };
  }
}
