/** However shapes, tables and Postgres come and go: whoever asks is answered once, and who follows a table has lost nothing of it. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CHECK_EVERY_MS, ManagerWorld } from '../../support/actors/manager-world.ts';

const TABLES = ['a', 'b', 'c'];

type Step =
  | { readonly type: 'add' | 'dropTable' | 'takeOut' | 'forgetOldRows' | 'lock' | 'unlock'; readonly table: string }
  | { readonly type: 'release'; readonly nth: number }
  | { readonly type: 'turn'; readonly ms: number }
  | { readonly type: 'away' | 'back' | 'settle' };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ type: fc.constantFrom('add', 'dropTable', 'takeOut', 'forgetOldRows', 'lock', 'unlock'), table: fc.constantFrom(...TABLES) }),
  fc.record({ type: fc.constant('release'), nth: fc.nat(7) }),
  fc.record({ type: fc.constant('turn'), ms: fc.constantFrom(0, 50, CHECK_EVERY_MS) }),
  fc.record({ type: fc.constantFrom('away', 'back', 'settle') }),
);

/** Plays steps, and keeps account of who follows which table, and who of them has missed something. */
class Play {
  private readonly tableOf = new Map<string, string>();
  private readonly released = new Set<string>();
  private readonly missed = new Set<string>();
  /** Those as well who may have been told a moment ago that they can follow, or are told so before the next check. */
  private readonly mayHaveMissed = new Set<string>();

  constructor(private readonly world: ManagerWorld) {}

  async begin(stored: readonly string[]): Promise<void> {
    for (const table of stored) {
      this.world.publication.carry(table);
      this.world.retain(this.newShape(table), table);
    }
    await this.world.restored();
  }

  async play(each: Step): Promise<void> {
    const { publication } = this.world;
    switch (each.type) {
      case 'add':
        this.world.add(this.newShape(each.table), each.table);
        return;
      case 'release':
        this.release([...this.tableOf.keys()][each.nth]);
        return;
      case 'dropTable':
      case 'takeOut':
        this.interrupt(each.table);
        publication[each.type](each.table);
        return;
      case 'forgetOldRows':
      case 'lock':
      case 'unlock':
        publication[each.type](each.table);
        return;
      case 'away':
      case 'back':
        publication.isAway = each.type === 'away';
        return;
      case 'turn':
        await this.world.turn(each.ms);
        return;
      case 'settle':
        await this.world.settle();
    }
  }

  /** All is well again, for long enough. */
  async end(): Promise<void> {
    this.world.publication.isAway = false;
    for (const table of TABLES) this.world.publication.unlock(table);
    for (let check = 0; check < 4; check += 1) await this.world.pass(CHECK_EVERY_MS);
  }

  outcome() {
    const following = [...this.tableOf].filter(([shape]) => this.isFollowing(shape));
    return {
      // Nobody is left to hear the answer when the shape has gone.
      unanswered: [...this.tableOf.keys()].filter((shape) => !this.released.has(shape) && !this.isAnswered(shape)),
      mistaken: following.flatMap(([shape]) => (this.missed.has(shape) ? [shape] : [])),
      condemnedInVain: this.world.condemnedShapes.filter((shape) => !this.mayHaveMissed.has(shape)),
      published: this.world.publication.published,
      needed: [...new Set(following.map(([, table]) => table))].sort(),
    };
  }

  private newShape(table: string): string {
    const shape = `${this.tableOf.size}-1`;
    this.tableOf.set(shape, table);
    if (!this.world.publication.published.includes(table)) this.mayHaveMissed.add(shape);
    return shape;
  }

  private release(shape: string | undefined): void {
    if (shape === undefined) return;
    this.released.add(shape);
    this.world.release(shape);
  }

  /** What is written now reaches nobody. */
  private interrupt(table: string): void {
    for (const [shape, its] of this.tableOf) {
      if (its !== table) continue;
      this.mayHaveMissed.add(shape);
      if (this.isFollowing(shape)) this.missed.add(shape);
    }
  }

  private isFollowing(shape: string): boolean {
    const answer = this.world.answers.find(({ handle }) => handle === shape)?.answer ?? (this.wasStored(shape) ? 'stored' : 'none');
    return (
      !this.world.condemnedShapes.includes(shape) && !this.released.has(shape) && (answer === 'relation.published' || answer === 'stored')
    );
  }

  /** Once; a stored shape asks nothing. */
  private isAnswered(shape: string): boolean {
    return this.world.answers.filter(({ handle }) => handle === shape).length === (this.wasStored(shape) ? 0 : 1);
  }

  private wasStored(shape: string): boolean {
    return this.world.stored.has(shape);
  }
}

test('nobody waits for ever, nobody follows a table that was interrupted, and no table is carried that nobody needs', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom(...TABLES), { maxLength: 4 }), fc.array(step, { maxLength: 25 }), async (stored, steps) => {
      const play = new Play(await ManagerWorld.start());
      await play.begin(stored);
      for (const each of steps) await play.play(each);
      await play.end();

      const { published, needed, ...mistakes } = play.outcome();
      // A table that could not be taken out stays, and so does one of which two incarnations were needed.
      const left = steps.some(({ type }) => type === 'lock') ? needed : published;
      expect({ ...mistakes, published: left }).toEqual({ unanswered: [], mistaken: [], condemnedInVain: [], published: needed });
    }),
    { numRuns: 300 },
  );
});
