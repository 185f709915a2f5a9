/** SubqueryIndex: the shapes whose filters ask for a column of their table whether a subquery selects its value, by the subquery. */
import type { MemberIndex } from './member-index.ts';

export class SubqueryIndex<Shape> {
  private readonly shapes = new Map<string, Set<Shape>>();
  /** Keys that were not listed when they were last looked at. */
  private readonly doubtful = new Set<string>();
  private endsSeen = 0;

  constructor(
    readonly column: string,
    readonly typeName: string,
    private readonly members: MemberIndex,
  ) {}

  get isEmpty(): boolean {
    return this.shapes.size === 0;
  }

  add(key: string, shape: Shape): void {
    const known = this.shapes.get(key);
    if (known === undefined) this.shapes.set(key, new Set([shape]));
    else known.add(shape);
    this.doubtful.add(key);
  }

  remove(key: string, shape: Shape): void {
    const shapes = this.shapes.get(key);
    shapes?.delete(shape);
    if (shapes?.size !== 0) return;
    this.shapes.delete(key);
    this.doubtful.delete(key);
  }

  *all(): Iterable<Shape> {
    for (const shapes of this.shapes.values()) yield* shapes;
  }

  /** Those of which a subquery may select the value. */
  *of(value: string): Iterable<Shape> {
    for (const key of this.unlisted()) yield* this.shapes.get(key) ?? [];
    for (const key of this.listedWith(value)) yield* this.shapes.get(key) ?? [];
  }

  /** Other tables may hold many values of the same text: whichever are fewer are walked. */
  private *listedWith(value: string): Iterable<string> {
    const holders = this.members.holdersOf(value);
    const count = 'size' in holders ? holders.size : holders.length;
    if (count <= this.shapes.size) yield* holders;
    else for (const key of this.shapes.keys()) if (this.members.isListed(key) && this.members.mayHold(key, value)) yield key;
  }

  private unlisted(): Iterable<string> {
    if (this.endsSeen !== this.members.ends) this.doubtEnded();
    for (const key of this.doubtful) if (this.members.isListed(key)) this.doubtful.delete(key);
    return this.doubtful;
  }

  private doubtEnded(): void {
    const ended = this.members.endedSince(this.endsSeen) ?? this.shapes.keys();
    for (const key of ended) if (this.shapes.has(key)) this.doubtful.add(key);
    this.endsSeen = this.members.ends;
  }
}
