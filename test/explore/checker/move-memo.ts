/**
 * MoveMemo: what moves do, as they did it before. A move is known by the questions that it asked of a state, one after the other,
 * by the answers that it was given, and by what it wrote in between. Where the answers are the same, so is everything.
 *
 * A step of one process asks nothing about most others, so the millions of steps of a search are some ten thousands here. All
 * ways of all moves lie in one tree: behind a question there is one branch for each answer.
 */
import { invariant } from '../../../src/base/invariant.ts';
import { larger } from './larger.ts';
import { PairTable } from './pair-table.ts';

/** Of a state that can be asked, and changed. */
export interface Asked {
  answer(question: number): number;
  write(write: number, at: number, value: number): void;
}

/** One thing on the way of a move. */
export type Happened =
  | { readonly type: 'asked'; readonly question: number; readonly answer: number }
  | { readonly type: 'wrote'; readonly write: number; readonly at: number; readonly value: number };

const NODES_FIRST = 1 << 10;
/** No move has come here, or its way ends here. */
const [UNKNOWN, END] = [-2, -1];
const PER_WRITE = 3;

export class MoveMemo {
  /** A node is the pair of the one before it and the answer there; a root, that of a kind of moves, below nought, and what it is about. */
  private readonly nodes = new PairTable();
  private questions = new Int32Array(NODES_FIRST).fill(UNKNOWN);
  private begins = new Int32Array(NODES_FIRST);
  private ends = new Int32Array(NODES_FIRST);
  private writes = new Int32Array(NODES_FIRST * PER_WRITE);
  private written = 0;

  get count(): number {
    return this.nodes.count;
  }

  rootOf(kind: number, about: number): number {
    return this.nodes.idOf(-1 - kind, about);
  }

  /** @returns where the way ends; -1 where it goes on as none did before: then the state is spoilt. */
  replay(root: number, state: Asked): number {
    const { nodes, questions, begins, ends, writes } = this;
    for (let node = root; node !== -1; ) {
      const question = questions[node] ?? UNKNOWN;
      if (question === UNKNOWN) return -1;
      const end = ends[node] ?? 0;
      for (let at = begins[node] ?? 0; at < end; at += PER_WRITE) state.write(writes[at] ?? 0, writes[at + 1] ?? 0, writes[at + 2] ?? 0);
      if (question === END) return node;
      node = nodes.find(node, state.answer(question));
    }
    return -1;
  }

  /** What happened on the way to where one ended. */
  wayTo(end: number): readonly Happened[] {
    const way: Happened[] = [];
    for (let node = end; node >= 0; node = this.nodes.leftOf(node)) {
      for (let at = (this.ends[node] ?? 0) - PER_WRITE; at >= (this.begins[node] ?? 0); at -= PER_WRITE) {
        way.push({ type: 'wrote', write: this.writes[at] ?? 0, at: this.writes[at + 1] ?? 0, value: this.writes[at + 2] ?? 0 });
      }
      const before = this.nodes.leftOf(node);
      if (before >= 0) way.push({ type: 'asked', question: this.questions[before] ?? UNKNOWN, answer: this.nodes.rightOf(node) });
    }
    return way.reverse();
  }

  recording(root: number): Recording {
    return new Recording(this, root);
  }

  next(node: number, answer: number): number {
    return this.nodes.idOf(node, answer);
  }

  /** What is written at a node, and asked then. The first who comes says it for all. */
  define(node: number, writes: readonly number[], question = END): void {
    if (node >= this.questions.length) this.grow(node);
    const known = this.questions[node] ?? UNKNOWN;
    invariant(known === UNKNOWN || known === question, 'what a move does follows from what it was answered');
    if (known !== UNKNOWN) return;
    this.questions[node] = question;
    this.begins[node] = this.written;
    for (const each of writes) this.push(each);
    this.ends[node] = this.written;
  }

  private push(value: number): void {
    if (this.written === this.writes.length) this.writes = larger(this.writes);
    this.writes[this.written] = value;
    this.written += 1;
  }

  private grow(node: number): void {
    while (this.questions.length <= node) {
      const { length } = this.questions;
      this.questions = larger(this.questions).fill(UNKNOWN, length);
      this.begins = larger(this.begins);
      this.ends = larger(this.ends);
    }
  }
}

/** A way that is gone step by step, and known from then on. */
export class Recording {
  private readonly answered = new Set<number>();
  private writes: number[] = [];

  constructor(
    private readonly memo: MoveMemo,
    private node: number,
  ) {}

  /** @param isLasting it was asked before on this way and answered, or written: the answer says nothing new. */
  asked(question: number, answer: number, isLasting: boolean): void {
    if (this.answered.has(question)) return;
    if (isLasting) this.answered.add(question);
    this.memo.define(this.node, this.writes, question);
    this.writes = [];
    this.node = this.memo.next(this.node, answer);
  }

  wrote(write: number, at: number, value: number): void {
    this.writes.push(write, at, value);
  }

  /** From here on the answer follows from what was said. */
  settled(question: number): void {
    this.answered.add(question);
  }

  end(): number {
    this.memo.define(this.node, this.writes);
    return this.node;
  }
}
