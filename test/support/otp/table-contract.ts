/**
 * What every table promises, as `Table` in src/otp/process.ts says it, tried over generated steps.
 *
 * A table is tried together with the world that it stands over, which is copied with it. What a step does to the two is
 * the subject's business. A step that breaks a claim would crash the table's owner, so no path goes on with it: it is tried on
 * a copy first, and on a table that was made anew and led the same way, since a copy alone may lack what its original has.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Fork, type Forkable } from '../../../src/base/fork.ts';
import { invariant, InvariantError } from '../../../src/base/invariant.ts';
import type { RecipientsTable, Table } from '../../../src/otp/process.ts';

/** What tables stand over. */
export interface World<Kind> extends Forkable<Kind> {
  /** Equal for equal worlds. */
  key(): string;
}

type Forked<Kind> = Omit<Table<never>, 'clone'> & Forkable<Kind>;

export interface TableSubject<Kind extends Forked<Kind>, Outside extends World<Outside>, Step> {
  readonly world: () => Outside;
  readonly table: (world: Outside) => Kind;
  readonly steps: fc.Arbitrary<Step>;
  /** @returns what came of it. */
  readonly play: (table: Kind, step: Step, world: Outside) => unknown;
}

/** The world of a table that reaches nothing outside. */
export class Nowhere implements World<Nowhere> {
  clone(): Nowhere {
    return this;
  }

  key(): string {
    return '';
  }
}

const STEPS_MAX = 12;
const RUNS = 1_000;

export function tableContract<Kind extends Forked<Kind>, Outside extends World<Outside>, Step>(
  name: string,
  subject: TableSubject<Kind, Outside, Step>,
): void {
  const some = fc.array(subject.steps, { maxLength: STEPS_MAX });

  test(`${name}: a copy is like its original, and goes the same way`, () => {
    fc.assert(
      fc.property(some, some, (before, behind) => {
        const original = Stand.begin(subject).run(before);
        const copy = original.fork();

        expect([copy.look(), ...copy.paths(behind)]).toEqual([original.look(), ...original.paths(behind)]);
      }),
      { numRuns: RUNS },
    );
  });

  test(`${name}: what is done to a copy or to its original, its end included, never shows in the other`, () => {
    fc.assert(
      fc.property(some, some, some, fc.boolean(), (before, elsewhere, behind, isCopyKept) => {
        const original = Stand.begin(subject).run(before);
        const [copy, untouched] = [original.fork(), original.fork()];
        const [kept, other] = isCopyKept ? [copy, original] : [original, copy];
        other.run(elsewhere).close();

        expect([kept.look(), ...kept.paths(behind)]).toEqual([untouched.look(), ...untouched.paths(behind)]);
      }),
      { numRuns: RUNS },
    );
  });

  test(`${name}: tables of equal keys answer equally, and then have equal keys again`, () => {
    const pasts = fc.array(subject.steps, { maxLength: 5 }).chain((steps) => fc.tuple(fc.constant(steps), shuffled(steps)));
    fc.assert(
      fc.property(pasts, fc.array(pasts, { maxLength: 2 }), some, (two, others, behind) => {
        const stands = [two, ...others].flat().map((past) => Stand.begin(subject).run(past));
        const alike = stands.filter((stand) => stand.key() === stands[0]?.key());
        const ways = alike.map((stand) => stand.paths(behind));

        expect(ways).toEqual(ways.map(() => ways[0]));
      }),
      { numRuns: RUNS },
    );
  });
}

function shuffled<Step>(steps: readonly Step[]): fc.Arbitrary<readonly Step[]> {
  return fc.shuffledSubarray([...steps], { minLength: steps.length });
}

/** A table over its world. */
class Stand<Kind extends Forked<Kind>, Outside extends World<Outside>, Step> {
  private constructor(
    private readonly subject: TableSubject<Kind, Outside, Step>,
    private readonly table: Kind,
    private readonly world: Outside,
    private past: readonly Step[] = [],
  ) {}

  static begin<Kind extends Forked<Kind>, Outside extends World<Outside>, Step>(
    subject: TableSubject<Kind, Outside, Step>,
  ): Stand<Kind, Outside, Step> {
    const world = subject.world();
    return new Stand<Kind, Outside, Step>(subject, subject.table(world), world);
  }

  fork(): Stand<Kind, Outside, Step> {
    const fork = new Fork();
    return new Stand<Kind, Outside, Step>(this.subject, this.table.clone(fork), this.world.clone(fork), this.past);
  }

  run(steps: readonly Step[]): this {
    for (const step of steps) this.step(step);
    return this;
  }

  /** What came of each step, and what can be seen then. */
  paths(steps: readonly Step[]): readonly unknown[] {
    return steps.map((step) => [this.step(step), this.look()]);
  }

  /** Recipients are told side by side: their order is nobody's business. */
  look(): unknown {
    return { key: this.key(), recipients: hasRecipients(this.table) ? [...this.table.recipients()].sort() : [] };
  }

  key(): string {
    return `${this.table.key()} over ${this.world.key()}`;
  }

  close(): void {
    this.table.close?.();
  }

  private step(step: Step): unknown {
    const crash = this.fork().crashOf(step);
    if (crash === undefined) return this.go(step);
    const anew = Stand.begin(this.subject);
    for (const gone of this.past) anew.go(gone);
    invariant(anew.crashOf(step) === crash, `a copy crashes only where its original does: ${crash}`);
    return crash;
  }

  private go(step: Step): unknown {
    this.past = [...this.past, step];
    return this.subject.play(this.table, step, this.world);
  }

  private crashOf(step: Step): string | undefined {
    try {
      this.subject.play(this.table, step, this.world);
      return undefined;
    } catch (error) {
      if (error instanceof InvariantError) return error.message;
      throw error;
    }
  }
}

function hasRecipients(table: object): table is Pick<RecipientsTable, 'recipients'> {
  return 'recipients' in table;
}
