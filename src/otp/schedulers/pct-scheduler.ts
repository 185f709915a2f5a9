/**
 * PctScheduler: random orders of delivery that find a bug which needs few things in a certain order, with a known chance.
 *
 * A uniformly random order almost never keeps one message back while twenty others go by. This one does: each channel
 * gets a random priority when it first has something, the candidate of the highest is delivered, and at `depth - 1`
 * random steps the channel whose turn it is falls below all others. The algorithm is that of "A Randomized Scheduler
 * with Probabilistic Guarantees of Finding Bugs" (Burckhardt, Kothari, Musuvathi, Nagarakatte; ASPLOS 2010), with
 * messages instead of threads as in "Randomized Testing of Distributed Systems with Probabilistic Guarantees" (Ozkan,
 * Majumdar, Niksic, Tabaei Befrouei, Weissenbacher; OOPSLA 2018). A bug that `depth` ordering constraints suffice for is
 * found by one run with a chance of at least 1 / (channels × stepsMax ^ (depth - 1)).
 *
 * What must never go wrong: a channel stays one chain, or the bound is not the theorem's. Of the 2018 paper's general
 * partition into chains nothing is needed, because a channel is one by itself: its messages arrive in order.
 */
import { invariant } from '../../base/invariant.ts';
import { seededRandom, type Random } from '../../base/random.ts';
import { choosingScheduler, type Candidate, type ChoosingScheduler } from './choosing-scheduler.ts';

/** What a run is looked through for. */
export interface PctOptions {
  /** Of the priorities, and of the steps at which they change. */
  readonly seed: number;
  /** How many ordering constraints the bug may need; 1 changes no priority. */
  readonly depth: number;
  /** How many choices the run is expected to have: those among which priorities change. Later ones change none. */
  readonly stepsMax: number;
}

/** The same seed chooses the same, on every machine; `replayScheduler` plays its choices again. */
export function pctScheduler({ seed, depth, stepsMax }: PctOptions): ChoosingScheduler {
  invariant(Number.isInteger(depth) && depth >= 1, 'depth is a positive whole number');
  invariant(Number.isInteger(stepsMax) && stepsMax >= depth - 1, 'stepsMax leaves a step for each change of priority');
  const random = seededRandom(seed);
  const changes = changePoints(random, depth - 1, stepsMax);
  const ranking = new Ranking(random);
  let step = 0;
  return choosingScheduler((candidates) => {
    candidates.forEach(({ channel }) => ranking.admit(channel));
    const lowered = changes.get(step);
    if (lowered !== undefined) ranking.lower(channelAt(candidates, ranking.best(candidates)), lowered);
    step += 1;
    return ranking.best(candidates);
  });
}

/** By step: the priority that is given there; -1 is the highest of those below all that a channel begins with. */
function changePoints(random: Random, count: number, stepsMax: number): ReadonlyMap<number, number> {
  const steps = new Set<number>();
  while (steps.size < count) steps.add(random.below(stepsMax));
  return new Map(Array.from(steps, (step, index) => [step, -1 - index]));
}

/** The channels by priority: a new one takes a random place among those that were never lowered. */
class Ranking {
  private readonly random: Random;
  /** Highest first. */
  private readonly initial: string[] = [];
  private readonly lowered = new Map<string, number>();
  private readonly known = new Set<string>();

  constructor(random: Random) {
    this.random = random;
  }

  admit(channel: string): void {
    if (this.known.has(channel)) return;
    this.known.add(channel);
    this.initial.splice(this.random.below(this.initial.length + 1), 0, channel);
  }

  lower(channel: string, priority: number): void {
    this.lowered.set(channel, priority);
  }

  /** @returns the index of the candidate of highest priority. */
  best(candidates: readonly Candidate[]): number {
    const priorities = candidates.map(({ channel }) => this.priorityOf(channel));
    return priorities.indexOf(Math.max(...priorities));
  }

  private priorityOf(channel: string): number {
    return this.lowered.get(channel) ?? this.initial.length - this.initial.indexOf(channel);
  }
}

function channelAt(candidates: readonly Candidate[], index: number): string {
  return candidates[index]?.channel ?? '';
}
