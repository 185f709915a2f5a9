/**
 * Exhaustive search: every way that a run can go, up to states that are the same.
 *
 * A run cannot be copied, but it can be played again: it is the list of its choices, and only where there are two ways
 * or more is there a choice. Depth first, so that of a state's ways one goes on and only the others are played from the
 * beginning. A state whose key was seen before is not gone on from: what can follow was, or will be, seen from there.
 * So whatever a claim needs of a run's past must be in its key.
 */

/** One run, standing at one state. */
export interface Run {
  /** The ways to go on; empty where the run is over. */
  options(): readonly Option[];
  /** Canonical text of all that decides what can follow and whether it is right. */
  key(): string;
  /** What is wrong here, in words. */
  fault(): string | undefined;
}

export interface Option {
  readonly label: string;
  take(): void;
}

export interface Findings {
  /** Different ones with a choice or an end. */
  readonly states: number;
  /** Choices taken, each from a state that was new. */
  readonly transitions: number;
  /** Runs to an end, or to a state that was known. */
  readonly paths: number;
  readonly counterexample: Counterexample | undefined;
}

export interface Counterexample {
  readonly fault: string;
  /** For `replay`. */
  readonly choices: readonly number[];
  /** What happened, step by step. */
  readonly story: readonly string[];
}

/** Ends with the first fault. */
export async function explore(begin: () => Run): Promise<Findings> {
  const seen = new Set<string>();
  const ahead: (readonly number[])[] = [[]];
  let [transitions, paths] = [0, 0];
  let counterexample: Counterexample | undefined;
  for (let choices = ahead.pop(); choices !== undefined && counterexample === undefined; choices = ahead.pop()) {
    // Lets the promises of runs that are over go.
    await Promise.resolve();
    paths += 1;
    const walk = new Walk(begin(), choices);
    while (walk.fault === undefined && isNew(seen, walk.key()) && walk.ways > 0) {
      for (let way = walk.ways - 1; way > 0; way -= 1) ahead.push([...walk.choices, way]);
      transitions += walk.ways;
      walk.choose(0);
    }
    counterexample = walk.counterexample();
  }
  return { states: seen.size, transitions, paths, counterexample };
}

/** Plays a list of choices, and beyond its end the first way each time. @returns what is wrong there. */
export function replay(begin: () => Run, choices: readonly number[]): Counterexample | undefined {
  const walk = new Walk(begin(), choices);
  while (walk.fault === undefined && walk.ways > 0) walk.choose(0);
  return walk.counterexample();
}

export function describe({ fault, choices, story }: Counterexample): string {
  return [fault, ...story.map((step, index) => `${String(index + 1).padStart(3)}. ${step}`), `choices: ${choices.join(',')}`].join('\n');
}

/** A run that stands where there is a choice, an end or a fault. */
class Walk {
  readonly choices: number[] = [];
  fault: string | undefined;
  private readonly run: Run;
  private readonly story: string[] = [];
  private options: readonly Option[] = [];

  /** What the last choice leads to is looked at; what the others do was looked at when they were the last. */
  constructor(run: Run, choices: readonly number[]) {
    this.run = run;
    this.goOn(choices.length === 0);
    choices.forEach((choice, index) => this.choose(choice, index === choices.length - 1));
  }

  get ways(): number {
    return this.options.length;
  }

  key(): string {
    return this.run.key();
  }

  choose(choice: number, mustLook = true): void {
    if (this.ways === 0) return;
    this.choices.push(choice);
    this.take(this.options[choice % this.ways]);
    this.goOn(mustLook);
  }

  counterexample(): Counterexample | undefined {
    return this.fault === undefined ? undefined : { fault: this.fault, choices: this.choices, story: this.story };
  }

  private goOn(mustLook: boolean): void {
    for (;;) {
      this.fault = mustLook ? this.run.fault() : undefined;
      this.options = this.run.options();
      if (this.ways !== 1 || this.fault !== undefined) return;
      this.take(this.options[0]);
    }
  }

  private take(option: Option | undefined): void {
    if (option === undefined) return;
    this.story.push(option.label);
    option.take();
  }
}

function isNew(seen: Set<string>, key: string): boolean {
  if (seen.has(key)) return false;
  seen.add(key);
  return true;
}
