/** The shape cache with its directory against rules that look at all shapes again and again, whatever is asked and whoever ends. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { definitionKey, type Handle, type ShapeDefinition } from '../../../src/model/shape.ts';
import type { ExitReason, Pid, ReplyTo } from '../../../src/otp/process.ts';
import { LoneShapeCache } from '../../support/actors/lone-shape-cache.ts';
import { NaiveDirectory, type Families } from '../../support/actors/naive-directory.ts';
import { shapeOf } from '../../support/shapes.ts';
import { pgSnapshot } from '../../support/storage/stored-samples.ts';

/** Two that stand alone, two layers above them, and one that depends on both layers. */
const FAMILIES: Families = { A: [], B: [], C: ['A'], D: ['A', 'B'], E: ['C', 'B'] };
const NAMES = Object.keys(FAMILIES);
const DEFINITIONS = new Map(NAMES.map((name) => [name, definitionOf(name)]));

function definitionOf(name: string): ShapeDefinition {
  const dependencies = (FAMILIES[name] ?? []).map((inner) => ({ shape: definitionOf(inner), column: 'id' }));
  return { ...shapeOf({ where: { column: 'title', equals: name } }), ...(dependencies.length === 0 ? {} : { dependencies }) };
}

const DOWN: Readonly<Record<'drain' | 'unwatched' | 'crash' | 'end', ExitReason>> = {
  drain: { shutdown: 'drain' },
  unwatched: 'noproc',
  crash: 'killed',
  end: { shutdown: { delete: 'truncate' } },
};

type What = keyof typeof DOWN | 'ask' | 'start' | 'refuse' | 'delay' | 'completeSnapshot' | 'delete' | 'condemn' | 'purge' | 'restart';

interface Step {
  readonly what: What;
  /** Which of those that it can be done to. */
  readonly of: number;
}

const anyStep: fc.Arbitrary<Step> = fc.record({
  what: fc.oneof(
    { weight: 5, arbitrary: fc.constant<What>('ask') },
    { weight: 8, arbitrary: fc.constant<What>('start') },
    { weight: 5, arbitrary: fc.constant<What>('completeSnapshot') },
    { weight: 6, arbitrary: fc.constantFrom<What>('drain', 'drain', 'unwatched', 'crash', 'end', 'end') },
    { weight: 3, arbitrary: fc.constantFrom<What>('delete', 'condemn', 'delete', 'condemn', 'purge') },
    { weight: 2, arbitrary: fc.constantFrom<What>('refuse', 'delay', 'restart') },
  ),
  of: fc.nat(30),
});

/** Both at once. */
class Pair {
  readonly real = new LoneShapeCache();
  readonly naive = new NaiveDirectory(FAMILIES);
  private readonly handles = new Map<string, Handle>();
  private readonly names = new Map<Handle, string>();
  private readonly wrongs: string[] = [];
  private readonly consumers = new Map<string, Pid>();
  private calls = 0;
  private starts = 0;

  constructor() {
    this.real.restart();
  }

  play({ what, of }: Step): void {
    const caller = `call#${(this.calls += 1)}` as ReplyTo;
    if (what === 'restart') this.restart();
    else if (what === 'start' || what === 'refuse' || what === 'delay') this.answerStart(what, pick(this.starting, of));
    else if (what === 'completeSnapshot') this.completeSnapshot(pick([...this.consumers.keys()], of));
    else if (what in DOWN) this.end(what as keyof typeof DOWN, pick([...this.consumers.keys()], of));
    else if (this.real.isServing || what !== 'ask') this.wish(what, of, caller); // What is asked for has to wait while others come back.
    this.noteNames();
    this.naive.settle();
    if (this.naive.isRestoring) this.noteRestoring();
  }

  /** While stored shapes come back, which is asked for next is the directory's own affair. */
  private noteRestoring(): void {
    const { real, naive, wrongs } = this;
    naive.isRestoring = !real.isServing;
    if (real.isServing && !naive.mayServe) wrongs.push('it serves before all are back');
    if (!real.isServing && real.starting.size === 0) wrongs.push('it asks for nobody, and does not serve');
    for (const name of this.starting) {
      if (naive.isStartable(name)) naive.of(name).life = 'starting';
      if (!naive.isAwaited(name)) wrongs.push(`${name} is asked for too early`);
    }
    naive.settle();
  }

  /** What can be seen of the one and of the other. */
  views(): readonly [unknown, unknown] {
    const { real, naive } = this;
    const { directory, logs } = real;
    return [
      {
        wrongs: this.wrongs,
        found: NAMES.map((name) => this.names.get(directory.find(DEFINITIONS.get(name) ?? definitionOf(name)) ?? ('' as Handle))),
        serving: [...this.handles].filter(([, handle]) => directory.definitionOf(handle) !== undefined).map(([name]) => name).sort(),
        size: directory.size,
        stored: Array.from(logs.all(), ({ handle }) => this.names.get(handle)).sort(),
        starting: [...this.starting].sort(),
        stopped: [...real.stopped].sort(),
        answers: [...real.answers].sort(),
      },
      {
        wrongs: [],
        found: NAMES.map((name) => naive.found(name)),
        serving: [...naive.lives.keys()].filter((name) => naive.isServing(name)).sort(),
        size: [...naive.lives.keys()].filter((name) => naive.isServing(name)).length,
        stored: [...naive.lives.keys()].sort(),
        starting: [...naive.lives.keys()].filter((name) => naive.isAwaited(name)).sort(),
        stopped: [...naive.stopped].sort(),
        answers: [...naive.answers].sort(),
      },
    ];
  }

  private get starting(): readonly string[] {
    return Array.from(this.real.starting, (handle) => this.names.get(handle) ?? '');
  }

  private restart(): void {
    this.consumers.clear();
    this.real.restart();
    this.naive.restart();
  }

  private answerStart(what: 'start' | 'refuse' | 'delay', name: string | undefined): void {
    const handle = name === undefined ? undefined : this.handles.get(name);
    if (name === undefined || handle === undefined) return;
    const pid = `consumer#${(this.starts += 1)}` as Pid;
    this.real.starting.delete(handle);
    if (what !== 'start') {
      this.naive[what](name);
      this.real.tell({ type: 'child.refused', id: handle, reason: 'no room', ...(what === 'delay' ? { pid } : {}) });
      return;
    }
    this.consumers.set(name, pid);
    this.naive.start(name, pid);
    this.real.tell({ type: 'child.started', id: handle, pid });
  }

  private completeSnapshot(name: string | undefined): void {
    const log = name === undefined ? undefined : this.real.logs.get(this.handles.get(name) ?? ('' as Handle));
    if (name === undefined || log === undefined || log.snapshot.state === 'complete') return;
    log.takeSnapshot(pgSnapshot);
    this.naive.completeSnapshot(name);
  }

  private end(how: keyof typeof DOWN, name: string | undefined): void {
    const process = name === undefined ? undefined : this.consumers.get(name);
    if (name === undefined || process === undefined) return;
    this.consumers.delete(name);
    this.naive.down(name, how === 'drain' || how === 'unwatched');
    this.real.tell({ type: 'consumer.down', process, reason: DOWN[how] });
  }

  private wish(what: What, of: number, caller: ReplyTo): void {
    const name = what === 'ask' ? undefined : pick([...this.handles.keys()], of);
    const handle = name === undefined ? undefined : this.handles.get(name);
    if (what === 'ask') {
      const asked = pick(NAMES, of) ?? 'A';
      this.naive.ask(asked, caller);
      this.real.tell({ type: 'createShape', definition: DEFINITIONS.get(asked), replyTo: caller });
    } else if (what === 'purge') {
      this.naive.purge(caller);
      this.real.tell({ type: 'purge', why: 'asked', replyTo: caller });
    } else if (name !== undefined && what === 'delete') {
      this.naive.delete(name, caller);
      this.real.tell({ type: 'deleteShape', handle, why: 'asked', replyTo: caller });
    } else if (name !== undefined) {
      this.naive.condemn(name);
      this.real.tell({ type: 'condemnShapes', handles: [handle], why: 'lost' });
    }
  }

  /** Names are given in the order in which shapes are made. */
  private noteNames(): void {
    for (const { handle, definition } of this.real.logs.all()) {
      if (this.names.has(handle)) continue;
      const letter = NAMES.find((name) => definitionKey(definitionOf(name)) === definitionKey(definition)) ?? '';
      const count = [...this.handles.keys()].filter((name) => name.startsWith(letter)).length + 1;
      this.names.set(handle, `${letter}${count}`);
      this.handles.set(`${letter}${count}`, handle);
    }
  }
}

function pick<Item>(items: readonly Item[], of: number): Item | undefined {
  return items[of % items.length];
}

test('whatever is asked, starts, drains, ends and is restored, the directory does what the rules of lives and dependencies say', () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 60, size: 'max' }), (steps) => {
      const pair = new Pair();
      for (const step of steps) {
        pair.play(step);
        const [real, naive] = pair.views();
        expect(real).toEqual(naive);
      }
    }),
    { numRuns: 500 },
  );
});
