/** A publication manager with its table, over a publication in memory; who asks it, whom it condemns, and what is written down. */
import { publicationManager } from '../../../src/actors/publication/publication-manager.ts';
import { PublishedRelations } from '../../../src/actors/publication/published-relations.ts';
import { uncopied } from '../../../src/base/fork.ts';
import type { PublishedRelation } from '../../../src/model/relation.ts';
import type { Message, PortSpec } from '../../../src/otp/process.ts';
import { createRuntime } from '../../../src/otp/runtime.ts';
import { replayScheduler } from '../../../src/otp/schedulers/choosing-scheduler.ts';
import { journalPort } from '../../../src/telemetry/journal-port.ts';
import { keptLog } from '../storage/log-lines.ts';
import { ManualClock } from '../manual-clock.ts';
import { ModelPublication } from './model-publication.ts';

export const CHECK_EVERY_MS = 10_000;
/** More than an answer of the model takes. */
const TURNS = 5;

export class ManagerWorld {
  readonly publication = new ModelPublication();
  /** For which table and shape whoever asked was told what. */
  readonly answers: { readonly table: string; readonly handle: string; readonly answer: string }[] = [];
  readonly condemned: Message[] = [];
  readonly stored = new Set<string>();
  readonly doubted: string[] = [];
  private readonly log = keptLog('info');
  private readonly clock = new ManualClock();
  private readonly runtime = createRuntime({ clock: this.clock, scheduler: replayScheduler() });
  private deliveryCount = 0;

  static async start(): Promise<ManagerWorld> {
    const world = new ManagerWorld();
    await world.startAll();
    return world;
  }

  get questions(): [string, number][] {
    return this.publication.questions.map(({ type, relations }) => [type, (relations as readonly PublishedRelation[]).length]);
  }

  /** What the manager was told so far, by whomever. */
  get deliveries(): number {
    return this.deliveryCount;
  }

  get told(): [string, string][] {
    return this.answers.map(({ table, answer }) => [table, answer]);
  }

  get condemnedShapes(): string[] {
    return this.condemned.flatMap(({ handles }) => handles as string[]);
  }

  get lines(): readonly unknown[] {
    return this.log.lines();
  }

  retain(handle: string, table: string): void {
    this.stored.add(handle);
    this.runtime.send('@publication-manager', { type: 'retainRelation', handle, relation: this.publication.relation(table) });
  }

  /** As the stream does that tells of partitions. */
  doubt(table: string): void {
    this.runtime.send('@publication-manager', { type: 'doubtTables', oids: [this.publication.relation(table).oid] });
  }

  /** As the stream does whose slot was made anew. */
  renew(): void {
    this.runtime.send('@publication-manager', { type: 'slot.renewed' });
  }

  release(handle: string): void {
    this.runtime.send('@publication-manager', { type: 'releaseShape', handle, why: 'asked' });
  }

  add(handle: string, table: string): void {
    const asked = this.runtime.call('@publication-manager', { type: 'addRelation', handle, relation: this.publication.relation(table) });
    void asked.then(({ type, error }) => {
      this.answers.push({ table, handle, answer: error === undefined ? type : (error as { code: string }).code });
    });
  }

  async restored(): Promise<this> {
    this.runtime.send('@publication-manager', { type: 'shapesRestored' });
    return await this.settle();
  }

  async pass(ms: number): Promise<this> {
    this.clock.advance(ms);
    return await this.settle();
  }

  /** As far as it comes without another answer. */
  async turn(ms = 0): Promise<void> {
    this.clock.advance(ms);
    this.runtime.drain();
    await Promise.resolve();
    this.runtime.drain();
  }

  async settle(): Promise<this> {
    do for (let turn = 0; turn < TURNS; turn += 1) await Promise.resolve();
    while (this.runtime.drain() > 0);
    return this;
  }

  private async startAll(): Promise<void> {
    const casts = { condemnShapes: (message: Message) => void this.condemned.push(message) };
    const cache: PortSpec = { name: '@shape-cache', open: () => ({ requests: {}, casts }) };
    const manager = {
      machine: publicationManager,
      name: '@publication-manager',
      input: { checkEveryMs: CHECK_EVERY_MS },
      tables: () => ({
        relations: new PublishedRelations({
          lost: ({ name }) => void this.doubted.push(name),
          isStored: () => true,
          clone: uncopied('what a runtime works on'),
        }),
      }),
    } as const;
    const specs = { journal: journalPort(this.log.logger), cache, publication: this.publication.port, manager };
    for (const [id, spec] of Object.entries(specs)) void this.runtime.start(spec, { id });
    await this.settle();
    this.runtime.trace((record) => {
      if (record.type === 'deliver' && record.to === this.runtime.whereis('@publication-manager')) this.deliveryCount += 1;
    });
  }
}
