/** Mailboxes: as numbers, with what steps do to them looked up. */
import type { Address } from '../../../src/otp/process.ts';
import { NONE, union, type Named } from './call-ids.ts';
import { Interner } from './interner.ts';
import { PairMemo } from './pair-memo.ts';
import { PairTable } from './pair-table.ts';
import type { Part } from './part.ts';
import { isOfCall, mailboxKey, without, withoutFirst, withSignal, type Mailbox, type Signal } from './signal.ts';

const MAILBOXES_MAX = 1 << 26;
/** No signal. */
const NOTHING = -1;

export class Mailboxes {
  private readonly all = new Interner<Part<Mailbox>>(MAILBOXES_MAX);
  /** From whom, and the signal. */
  private readonly posts = new PairTable();
  private readonly heads = new PairMemo();
  private readonly longer = new PairMemo();
  private readonly shorter = new PairMemo();
  private readonly cleaned = new PairMemo();

  constructor(
    private readonly signals: Interner<Part<Signal>>,
    private readonly addresses: Interner<string>,
  ) {}

  get count(): number {
    return this.all.count;
  }

  idOf(mailbox: Mailbox): number {
    return this.all.idOf(mailboxKey(mailbox), () => ({ it: mailbox, named: this.namedIn(mailbox) }));
  }

  at(id: number): Part<Mailbox> {
    return this.all.at(id);
  }

  /** @param from the number of an address. */
  postOf(from: number, signal: number): number {
    return this.posts.idOf(from, signal);
  }

  addressOf(post: number): number {
    return this.posts.leftOf(post);
  }

  signalOf(post: number): number {
    return this.posts.rightOf(post);
  }

  /** The signal that comes next from an address; -1 when there is none. */
  headOf(mailbox: number, from: number): number {
    return this.heads.of(mailbox, from, () => this.channel(mailbox, from)?.signals[0] ?? NOTHING);
  }

  with(mailbox: number, post: number): number {
    return this.longer.of(mailbox, post, () => {
      return this.idOf(withSignal(this.at(mailbox).it, this.addresses.at(this.posts.leftOf(post)) as Address, this.signalOf(post)));
    });
  }

  withoutHead(mailbox: number, from: number): number {
    return this.shorter.of(mailbox, from, () => {
      const channel = this.channel(mailbox, from);
      return channel === undefined ? mailbox : this.idOf(withoutFirst(this.at(mailbox).it, channel));
    });
  }

  /** Without what would arrive on account of a call. */
  withoutCall(mailbox: number, call: number): number {
    return this.cleaned.of(mailbox, call, () => {
      return this.idOf(without(this.at(mailbox).it, (signal) => isOfCall(this.signals.at(signal).it, call)));
    });
  }

  private channel(mailbox: number, from: number) {
    const address = this.addresses.at(from);
    return this.at(mailbox).it.find((channel) => channel.from === address);
  }

  private namedIn(mailbox: Mailbox): Named {
    return mailbox.flatMap(({ signals }) => signals).reduce((named, signal) => union(named, this.signals.at(signal).named), NONE);
  }
}
