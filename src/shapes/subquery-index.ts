/** SubqueryIndex: the shapes whose filters ask for a column of their table whether a subquery selects its value, by the subquery. */
import type { MemberIndex } from './member-index.ts';
import { Multimap } from './multimap.ts';

export class SubqueryIndex<Shape extends string | object> {
  private readonly shapes = new Multimap<string, Shape>();
  /** Keys that were not listed when they were last looked at. */
  private readonly doubtful = new Set<string>();
  private endsSeen = 0;
  /** Keys that are asked, which other tables have too: by so many changes of which are. */
  private asked = new Set<string>();
  private askedSeen = 0;

  constructor(private readonly members: MemberIndex) {}

  get isEmpty(): boolean {
    return this.shapes.size === 0;
  }

  add(key: string, shape: Shape): void {
    this.shapes.add(key, shape);
    this.doubtful.add(key);
    if (this.members.isAsked(key)) this.asked.add(key);
  }

  remove(key: string, shape: Shape): void {
    this.shapes.delete(key, shape);
    if (this.shapes.countOf(key) > 0) return;
    this.doubtful.delete(key);
    this.asked.delete(key);
  }

  all(): Iterable<Shape> {
    return this.shapes.values();
  }

  /** Those of which a subquery may select the value. */
  *of(value: string): Iterable<Shape> {
    for (const key of this.unlisted()) yield* this.shapes.of(key);
    for (const key of this.listedWith(value)) yield* this.shapes.of(key);
    for (const key of this.askedHere()) if (this.members.mayHold(key, value)) yield* this.shapes.of(key);
  }

  /** Other tables may hold many values of the same text: whichever are fewer are walked. */
  private *listedWith(value: string): Iterable<string> {
    if (this.members.holderCount(value) <= this.shapes.size) yield* this.members.holdersOf(value);
    else for (const key of this.shapes.keys()) if (this.members.lists(key, value)) yield key;
  }

  /** A column is asked once it has many values, so this changes seldom. */
  private askedHere(): Iterable<string> {
    if (this.askedSeen !== this.members.askedChanges) {
      this.asked = new Set([...this.members.askedKeys()].filter((key) => this.shapes.countOf(key) > 0));
      this.askedSeen = this.members.askedChanges;
    }
    return this.asked;
  }

  private unlisted(): Iterable<string> {
    if (this.endsSeen !== this.members.ends) this.doubtEnded();
    for (const key of this.doubtful) if (this.members.isListed(key)) this.doubtful.delete(key);
    return this.doubtful;
  }

  private doubtEnded(): void {
    const ended = this.members.endedSince(this.endsSeen) ?? this.shapes.keys();
    for (const key of ended) if (this.shapes.countOf(key) > 0) this.doubtful.add(key);
    this.endsSeen = this.members.ends;
  }
}
