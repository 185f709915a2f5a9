/**
 * KnownClauses: parse trees of filters that are like others but for their constants (`owner = 17`, `owner = 18`), without the parser. A
 * service has ten thousand of these, and begins by reading each.
 */
import type { Node } from 'libpg-query';
import { clauseTemplate, type ClauseTemplate } from './clause-template.ts';
import { WhereRefusal } from '../where-refusal.ts';
import { partsOf } from './text-constants.ts';

/** Those that were asked for longest ago go. A template takes some thirty times as much as its text. */
const TEMPLATES_MAX = 200;
const CHARACTERS_MAX = 20_000;

/** `once`: it was asked for once; to learn it takes two more parses. `none`: such texts are parsed one by one. */
type Known = ClauseTemplate | 'once' | 'none';

export class KnownClauses {
  /** By their templates, that which was asked for longest ago first. */
  private readonly known = new Map<string, Known>();
  private characters = 0;

  /**
   * @param prefix how many characters stand before the text when it is parsed.
   * @param parse a text by itself. It refuses by the text's form alone, and never by the value of a plain constant.
   */
  constructor(
    private readonly prefix: number,
    private readonly parse: (text: string) => Node,
  ) {}

  /** @returns what `parse` would, as a tree of its own. @throws what `parse` throws. */
  clauseOf(text: string): Node {
    const parts = partsOf(text);
    if (parts === undefined) return this.parse(text);
    const known = this.known.get(parts.template);
    if (known === 'none') return this.parse(text);
    if (known === undefined) {
      const clause = this.parse(text);
      this.note(parts.template, 'once');
      return clause;
    }
    const template = known === 'once' ? this.learn(parts.template) : known;
    this.note(parts.template, template ?? 'none');
    return template === undefined ? this.parse(text) : template.clauseOf(parts.constants);
  }

  private learn(template: string): ClauseTemplate | undefined {
    try {
      return clauseTemplate(template, this.prefix, this.parse);
    } catch (error) {
      if (error instanceof WhereRefusal) return undefined; // Of a sample: what is asked for is another text.
      throw error;
    }
  }

  private note(template: string, known: Known): void {
    if (!this.known.delete(template)) this.characters += template.length;
    this.known.set(template, known);
    while (this.known.size > TEMPLATES_MAX || this.characters > CHARACTERS_MAX) this.forgetOldest();
  }

  private forgetOldest(): void {
    const [oldest] = this.known.keys();
    if (oldest !== undefined && this.known.delete(oldest)) this.characters -= oldest.length;
  }
}
