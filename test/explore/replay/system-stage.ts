/** SystemStage: a searched system on stage. It can be looked at as the search looks at its states, by the same properties. */
import { invariant } from '../../../src/base/invariant.ts';
import type { Address } from '../../../src/otp/process.ts';
import type { ChoosingScheduler } from '../../../src/otp/schedulers/choosing-scheduler.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { Evaluator } from '../checker/evaluator.ts';
import type { Local } from '../checker/local.ts';
import { opened } from '../checker/moves.ts';
import { turnsOf, type Turn } from '../checker/note.ts';
import type { Happening, Port, System, View, Violation, World } from '../checker/system.ts';
import { isVoid, type Offer } from './offer.ts';
import { RunningSystem } from './running-system.ts';
import { Stage } from './stage.ts';
import { SystemPids } from './system-pids.ts';

export class SystemStage<Kind extends World<Kind>> extends Stage implements View<Kind> {
  protected readonly clock = new ManualClock();
  readonly pids = new SystemPids();
  private readonly changing: Kind;
  private running: RunningSystem<Kind>;
  /** A copy of the world as it stands, for whoever looks: what was found about a world is remembered by the world. */
  private seen: Kind | undefined;
  private remembered: readonly string[] = [];
  private struck = false;
  /** What comes behind that which has happened last. */
  private awaited: readonly Happening<Kind>[];

  private constructor(private readonly system: System<Kind>) {
    super();
    this.changing = system.world.clone();
    this.awaited = system.opening ?? [];
    this.running = this.run();
  }

  /** Where the search begins. */
  static async open<Kind extends World<Kind>>(system: System<Kind>): Promise<SystemStage<Kind>> {
    const stage = new SystemStage(system);
    await stage.catchUp();
    for (const turn of turnsOf(opened(system, new Evaluator<Kind>()).told)) {
      invariant(await stage.take(turn), `a system opens on the runtime as it does in the search: ${JSON.stringify(turn)}`);
    }
    return stage;
  }

  override take(turn: Turn): Promise<boolean> {
    this.struck ||= 'kill' in turn || 'timeout' in turn || 'silence' in turn;
    return super.take(turn);
  }

  /** The oldest of what is under way comes. @returns false when nothing is. */
  async goOn(): Promise<boolean> {
    const isGoingOn = this.choose(isUnderWay);
    await this.catchUp();
    return isGoingOn;
  }

  // --- the view

  get world(): Kind {
    return (this.seen ??= this.changing.clone());
  }

  get happened(): readonly string[] {
    return this.remembered;
  }

  get hasStruck(): boolean {
    return this.struck;
  }

  process(role: string): Local {
    return this.running.process(role);
  }

  /** What is wrong now, in the system's names. */
  get violation(): Violation | undefined {
    const isQuiet = !this.offers().some(isUnderWay);
    return this.pids.named(this.system.violation(this, isQuiet) ?? null) ?? undefined;
  }

  /** All that is under way, each channel in order. */
  get underWay(): ReturnType<ChoosingScheduler['underWay']> {
    return this.scheduler.underWay();
  }

  // --- the turns

  protected get scheduler(): ChoosingScheduler {
    return this.running.scheduler;
  }

  override nameOf(address: string): string {
    return this.running.names.get(address) ?? this.pids.toSystem(address);
  }

  /** A port is not asked before it can answer. */
  protected override offers(): readonly Offer[] {
    return super.offers().filter(({ to, signal }) => {
      const { isReady } = this.portOf(to) ?? {};
      return isReady === undefined || signal.kind !== 'message' || isReady(this.world, signal.message);
    });
  }

  protected isAtOnce({ to, signal }: Offer): boolean {
    const port = this.portOf(to);
    if (port !== undefined) return signal.kind === 'init' || port.computes === 'asked';
    return isVoid(signal) || !this.system.roles.some(({ name }) => name === to);
  }

  protected happen(name: string): boolean {
    const [next, ...behind] = this.awaited;
    const happening = next?.name === name ? next : this.system.happenings(this).find((each) => this.pids.toSystem(each.name) === name);
    if (happening === undefined) return false;
    this.awaited = happening === next ? behind : (happening.behind ?? []);
    this.perform(happening);
    return true;
  }

  protected strike(role: string): void {
    this.running.kill(role);
  }

  protected deliver(offer: Offer): void {
    this.seen = undefined;
    this.running.deliver(offer);
  }

  /** The stand-ins answer at once. */
  protected settle(): Promise<void> {
    return Promise.resolve();
  }

  /** When all is gone, what runs from the beginning begins anew over the world that is left. */
  private perform({ name, isRemembered, isCrash, toWorld, start, sends = [] }: Happening<Kind>): void {
    this.seen = undefined;
    if (isRemembered === true) this.remembered = [...this.remembered, name].sort();
    toWorld?.(this.changing);
    if (isCrash === true) this.running = this.run();
    if (start !== undefined) this.running.start(start);
    for (const { from, to, event } of sends) this.running.send(from as Address, to, event);
  }

  private run(): RunningSystem<Kind> {
    return new RunningSystem(this.system, this.changing, this.pids, this.clock, () => this.next);
  }

  private portOf(name: string): Port<Kind> | undefined {
    return this.system.ports.find((port) => port.name === name);
  }
}

/** A time-out that nobody has chosen is not on its way. */
function isUnderWay({ signal }: Offer): boolean {
  return signal.kind !== 'timeout' && signal.kind !== 'silence';
}
