/**
 * LoneShapeCache: the shape cache with its directory, over logs in memory and without a runtime. What it asks of others is kept, and who
 * answers, and when, is up to the test.
 */
import { initialTransition, transition, type AnyMachineSnapshot } from 'xstate';
import { shapeCache } from '../../../src/actors/directory/shape-cache.ts';
import { ShapeDirectory, type DirectoryChange } from '../../../src/actors/directory/shape-directory.ts';
import { invariant } from '../../../src/base/invariant.ts';
import { uncopied } from '../../../src/base/fork.ts';
import type { Handle } from '../../../src/model/shape.ts';
import type { Message, Pid, ReplyTo } from '../../../src/otp/process.ts';
import { ModelShapeLogs } from '../storage/model-shape-logs.ts';

type Effect = { readonly type: string; readonly params?: unknown };

export class LoneShapeCache {
  readonly logs = new ModelShapeLogs();
  /** What callers were answered. */
  readonly answers = new Map<ReplyTo, string>();
  /** Shapes whose Consumers were asked of the supervisor, which has not answered. */
  readonly starting = new Set<Handle>();
  /** Consumers that were told to stop. */
  readonly stopped = new Set<Pid>();
  private incarnation = this.begin();
  private micros = 0;

  get directory(): ShapeDirectory {
    return this.incarnation.directory;
  }

  get isServing(): boolean {
    return this.incarnation.snapshot.value === 'serving';
  }

  tell(event: Message): void {
    const [snapshot, actions] = transition(shapeCache, this.incarnation.snapshot, event as never);
    this.incarnation.snapshot = snapshot;
    this.perform(actions);
  }

  /** It ends with all Consumers, and a new one finds the logs. */
  restart(): void {
    this.starting.clear();
    this.stopped.clear();
    this.incarnation = this.begin();
    this.perform(this.incarnation.begun);
  }

  private begin(): { readonly directory: ShapeDirectory; snapshot: AnyMachineSnapshot; readonly begun: readonly Effect[] } {
    const [snapshot, begun] = initialTransition(shapeCache, { self: 'cache#1' as Pid });
    const clock = { epochMicros: () => (this.micros += 1) };
    const nothing = { faultOf: () => undefined, mayRest: () => false, rotated: () => {} };
    const ports = { shapeLogs: this.logs, clock, ...nothing, clone: uncopied('a clock') };
    return { directory: new ShapeDirectory(ports), snapshot, begun };
  }

  /** What the table tells comes before whatever waits: first what the first effect made it tell, with all that follows. */
  private perform(effects: readonly Effect[]): void {
    const told = effects.flatMap((effect) => this.performOne(effect) ?? []);
    for (const message of told) this.tell(message);
  }

  private performOne({ type, params }: Effect): Message | undefined {
    invariant(type !== 'postpone', 'the test asks for nothing that has to wait');
    if (type === 'apply') return this.directory.apply((params as { change: DirectoryChange }).change);
    if (type === 'call') this.starting.add((params as { request: { args: { handle: Handle } } }).request.args.handle);
    const { to, event } = params as { to: unknown; event: Message };
    if (type === 'reply') this.answers.set(to as ReplyTo, event.type);
    if (type === 'replyToEach') for (const each of to as readonly ReplyTo[]) this.answers.set(each, event.type);
    if (type === 'sendToEach') for (const each of to as readonly Pid[]) this.stopped.add(each);
    return undefined;
  }
}
