/**
 * NaiveDirectory: what becomes of shapes that depend on each other, by rules that look at all of them again and again. A shape is named by
 * its definition, and by how many of that there were before it.
 */
import { invariant } from '../../../src/base/invariant.ts';
import type { Pid, ReplyTo } from '../../../src/otp/process.ts';

/** By its name, each definition's inner ones. */
export type Families = Readonly<Record<string, readonly string[]>>;

interface NaiveLife {
  readonly definition: string;
  readonly dependsOn: readonly string[];
  /** `coming`: it has no Consumer, and none was asked for. */
  life: 'coming' | 'starting' | 'live' | 'condemned';
  consumer?: Pid | undefined;
  isWhole: boolean;
  isRequested: boolean;
  waiting: ReplyTo[];
}

export class NaiveDirectory {
  readonly lives = new Map<string, NaiveLife>();
  readonly answers = new Map<ReplyTo, string>();
  readonly stopped = new Set<Pid>();
  /** While stored shapes come back, their Consumers are asked for one after the other. */
  isRestoring = false;
  private readonly counts = new Map<string, number>();
  private purgers: ReplyTo[] = [];

  constructor(private readonly families: Families) {}

  ask(definition: string, caller: ReplyTo): void {
    const shape = this.of(this.found(definition) ?? this.make(definition, true));
    shape.isRequested = true;
    if (shape.life === 'live') this.answers.set(caller, 'shape.created');
    else shape.waiting.push(caller);
  }

  /** Its Consumer has started. */
  start(name: string, consumer: Pid): void {
    const shape = this.of(name);
    shape.consumer = consumer;
    if (shape.life === 'condemned') this.stopped.add(consumer);
    this.answer(shape, shape.life === 'condemned' ? 'shape.deleted' : 'shape.created');
    if (shape.life === 'starting') shape.life = 'live';
  }

  refuse(name: string): void {
    this.end(name);
  }

  /** The supervisor still has the Consumer before. */
  delay(name: string): void {
    const shape = this.of(name);
    if (shape.life === 'condemned') this.end(name);
    else shape.life = 'coming';
  }

  completeSnapshot(name: string): void {
    this.of(name).isWhole = true;
  }

  /** @param mayGoOn what is stored is good, if all of it is. */
  down(name: string, mayGoOn: boolean): void {
    const shape = this.of(name);
    if (!mayGoOn || !shape.isWhole || shape.life === 'condemned') return this.end(name);
    shape.life = 'coming';
    shape.consumer = undefined;
  }

  delete(name: string, caller: ReplyTo): void {
    this.answers.set(caller, this.isServing(name) ? 'shape.deleted' : 'shape.unknown');
    this.condemn(name);
  }

  condemn(name: string): void {
    const shape = this.lives.get(name);
    if (shape === undefined || shape.life === 'condemned') return;
    if (shape.life === 'coming') return this.end(name);
    shape.life = 'condemned';
    if (shape.consumer !== undefined) this.stopped.add(shape.consumer);
  }

  purge(caller: ReplyTo): void {
    this.purgers.push(caller);
    for (const name of [...this.lives.keys()]) this.condemn(name);
  }

  /** Of each definition the last shape comes back, if it has its snapshot. */
  restart(): void {
    this.stopped.clear();
    this.purgers = [];
    this.isRestoring = true;
    const newest = new Map([...this.lives].map(([name, { definition }]) => [definition, name]));
    for (const [name, { definition, isWhole }] of [...this.lives]) if (newest.get(definition) !== name || !isWhole) this.lives.delete(name);
    for (const shape of this.lives.values()) Object.assign(shape, { life: 'coming', consumer: undefined, waiting: [] });
    while (this.dropOne(([name, { dependsOn }]) => dependsOn.some((inner) => !this.lives.has(inner)) || this.isForsaken(name)));
  }

  /** Until no rule changes anything. */
  settle(): void {
    while (this.condemnOne((name) => this.of(name).dependsOn.some((inner) => !this.isServing(inner))));
    this.answerPurgers(); // Whoever is forsaken by now goes on its own account.
    while (this.change());
    this.answerPurgers();
  }

  /** The last stored shape may have come back: none is on its way. */
  get mayServe(): boolean {
    return [...this.lives.values()].every(({ life }) => life === 'live' || life === 'condemned');
  }

  found(definition: string): string | undefined {
    return [...this.lives.keys()].find((name) => this.of(name).definition === definition && this.isServing(name));
  }

  isServing(name: string): boolean {
    return this.lives.has(name) && this.of(name).life !== 'condemned';
  }

  /** Its Consumer can be asked for: those of its inner shapes are live. */
  isStartable(name: string): boolean {
    const { life, dependsOn } = this.of(name);
    return life === 'coming' && dependsOn.every((inner) => this.lives.get(inner)?.life === 'live');
  }

  /** Its Consumer was asked for, and the supervisor has not answered. */
  isAwaited(name: string): boolean {
    const { life, consumer } = this.of(name);
    return life === 'starting' || (life === 'condemned' && consumer === undefined);
  }

  of(name: string): NaiveLife {
    const shape = this.lives.get(name);
    invariant(shape !== undefined, `${name} is there`);
    return shape;
  }

  private make(definition: string, isRequested: boolean): string {
    const dependsOn = (this.families[definition] ?? []).map((inner) => this.found(inner) ?? this.make(inner, false));
    const count = (this.counts.get(definition) ?? 0) + 1;
    this.counts.set(definition, count);
    this.lives.set(`${definition}${count}`, { definition, dependsOn, life: 'coming', isWhole: false, isRequested, waiting: [] });
    return `${definition}${count}`;
  }

  private answerPurgers(): void {
    if ([...this.lives.values()].some(({ life }) => life === 'condemned')) return;
    for (const purger of this.purgers.splice(0)) this.answers.set(purger, 'shapes.purged');
  }

  private change(): boolean {
    if (this.isRestoring) return false;
    if (this.condemnOne((name) => this.isForsaken(name))) return true;
    const next = [...this.lives.keys()].find((name) => this.isStartable(name));
    if (next !== undefined) this.of(next).life = 'starting';
    return next !== undefined;
  }

  private condemnOne(isDue: (name: string) => boolean): boolean {
    const due = [...this.lives.keys()].find((name) => this.isServing(name) && isDue(name));
    if (due !== undefined) this.condemn(due);
    return due !== undefined;
  }

  private isForsaken(name: string): boolean {
    return !this.of(name).isRequested && ![...this.lives.values()].some(({ dependsOn }) => dependsOn.includes(name));
  }

  private dropOne(isUnfit: (entry: readonly [string, NaiveLife]) => boolean): boolean {
    const unfit = [...this.lives].find(isUnfit);
    if (unfit !== undefined) this.lives.delete(unfit[0]);
    return unfit !== undefined;
  }

  private end(name: string): void {
    this.answer(this.of(name), 'shape.notCreated');
    this.lives.delete(name);
  }

  private answer(shape: NaiveLife, what: string): void {
    for (const caller of shape.waiting.splice(0)) this.answers.set(caller, what);
  }
}
