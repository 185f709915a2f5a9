/**
 * The instances of the built service on one storage: one, and at times a second one, behind a front that leads to whichever takes a
 * connection. None ends but by a hand of ours, and none says anything fatal.
 */
import { once } from 'node:events';
import { systemClock } from '../../src/base/clock.ts';
import { pause } from '../../src/base/pause.ts';
import { openFront, type DeployFront } from '../support/operations/deploy-front.ts';
import { freePort, healthOf, spawnService, type ServiceProcess } from '../support/service/service-process.ts';
import { Finding } from './finding.ts';

export interface Instance extends ServiceProcess {
  readonly name: string;
  readonly port: number;
  /** It may be asked: a connection of its clients no longer breaks by itself. */
  isListening: boolean;
  /** A signal of ours ends it. */
  isMeantToEnd: boolean;
}

export interface InstancesOptions {
  readonly databaseUrl: string;
  readonly storageDirectory: string;
  readonly environment: Readonly<Record<string, string>>;
}

const LOOK_EVERY_MS = 15;
const ENDS_WITHIN_MS = 60_000;
const FATAL = /^.*"level":"fatal".*$/m;

export class Instances {
  /** The oldest first. */
  readonly running: Instance[] = [];
  /** What those that have ended printed last. */
  private printed = '';
  private changes = 0;
  private started = 0;
  private wrong: Finding | undefined;
  /** Whether one may end by itself now: it finds no room for its lock. */
  mayRefuse = false;

  private constructor(private readonly options: InstancesOptions, private readonly front: DeployFront) {}

  static async behindFront(options: InstancesOptions): Promise<Instances> {
    return new Instances(options, await openFront());
  }

  get shapeUrl(): string {
    return `${this.front.url}/v1/shape`;
  }

  /** For `ranSince`. */
  get moment(): number {
    return this.changes;
  }

  /** From `moment` on somebody was there to be asked, and nobody came or went. */
  ranSince(moment: number): boolean {
    return this.changes === moment && this.running.some(({ isListening, isMeantToEnd }) => isListening && !isMeantToEnd);
  }

  output(): string {
    return [this.printed, ...this.running.map(({ name, output }) => `--- ${name}\n${output()}`)].join('\n');
  }

  /** @throws {Finding} */
  check(): void {
    if (this.wrong !== undefined) throw this.wrong;
    for (const { name, output } of this.running) throwIfFatal(name, output());
  }

  /** Does not wait for it. */
  async spawn(): Promise<Instance> {
    const port = await freePort();
    this.started += 1;
    const service = await spawnService({ ...this.options, port });
    const instance: Instance = { ...service, name: `instance ${this.started}`, port, isListening: false, isMeantToEnd: false };
    this.running.push(instance);
    instance.child.once('exit', (code, signal) => this.ended(instance, code, signal));
    this.changed();
    void this.untilListening(instance);
    return instance;
  }

  async kill(instance: Instance): Promise<void> {
    await this.end(instance, 'SIGKILL');
  }

  /** Drains. @throws {Finding} it ends otherwise than with 0. */
  async drain(instance: Instance): Promise<void> {
    if (!instance.isListening) return await this.kill(instance); // Nobody has taught it to drain yet.
    await this.end(instance, 'SIGTERM');
    const { exitCode, signalCode } = instance.child;
    if (exitCode === 0 || this.mayRefuse) return;
    throw new Finding(`${instance.name} ended with ${exitCode ?? signalCode} when it was told to drain`);
  }

  /** One is there and active. @throws {Finding} */
  async untilActive(withinMs: number): Promise<void> {
    for (const untilMs = systemClock.nowMs() + withinMs; ; await pause(systemClock, LOOK_EVERY_MS)) {
      this.check();
      if (this.running.length === 0) await this.spawn();
      const told = await Promise.all(this.running.map(healthOf));
      if (told.includes('active')) return;
      if (systemClock.nowMs() > untilMs) throw new Finding(`not active in ${withinMs} ms: ${told.join()}`);
    }
  }

  /** Of that kind, or ended: how long it may take is not said here. */
  async until(instance: Instance, status: string, withinMs: number): Promise<void> {
    const untilMs = systemClock.nowMs() + withinMs;
    while (systemClock.nowMs() < untilMs && instance.child.exitCode === null && (await healthOf(instance)) !== status) {
      await pause(systemClock, LOOK_EVERY_MS);
    }
  }

  async close(): Promise<void> {
    for (const instance of [...this.running]) await this.kill(instance);
    await this.front.close();
  }

  private async end(instance: Instance, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const { child } = instance;
    if (child.exitCode !== null || child.signalCode !== null) return;
    instance.isMeantToEnd = true;
    this.changed();
    const exited = once(child, 'exit');
    child.kill(signal);
    const inTime = new AbortController();
    const late = pause(systemClock, ENDS_WITHIN_MS, inTime.signal).then(() => 'late');
    const outcome = await Promise.race([exited, late]);
    inTime.abort(); // Nobody waits for the rest of it.
    if (outcome === 'late') throw new Finding(`${instance.name} has not ended ${ENDS_WITHIN_MS} ms after ${signal}`);
  }

  private ended(instance: Instance, code: number | null, signal: string | null): void {
    const { name, isMeantToEnd, output } = instance;
    this.running.splice(this.running.indexOf(instance), 1);
    this.printed = `--- ${name}\n${output()}`;
    this.changed();
    try {
      throwIfFatal(name, output());
      if (!isMeantToEnd && !this.mayRefuse) throw new Finding(`${name} ended by itself, with ${code ?? signal}`);
    } catch (error) {
      if (!(error instanceof Finding)) throw error;
      this.wrong ??= error;
    }
  }

  private async untilListening(instance: Instance): Promise<void> {
    while (instance.child.exitCode === null && instance.child.signalCode === null) {
      if ((await healthOf(instance)) !== 'unreachable') break;
      await pause(systemClock, LOOK_EVERY_MS);
    }
    instance.isListening = true;
    this.changed();
  }

  private changed(): void {
    this.changes += 1;
    this.front.lead(this.running.map(({ port }) => port));
  }
}

function throwIfFatal(name: string, output: string): void {
  const line = FATAL.exec(output)?.[0];
  if (line !== undefined) throw new Finding(`${name} says something fatal: ${line}`);
}
