/**
 * System: what the checker searches. Processes with their production machines and tables, ports that answer from a world which
 * can be copied, and what else may happen.
 *
 * A role is one process of the system at a time: when it has ended, it may be started again, as its next incarnation.
 */
import type { AnyStateMachine } from 'xstate';
import type { Address, Message, Name, Pid, Table } from '../../../src/otp/process.ts';
import type { Alive, Local, Unborn } from './local.ts';
import type { Output } from './performance.ts';
import type { UnderWay } from './signal.ts';

/** What tables and ports stand over: the logs, the database. */
export interface World<Kind> {
  clone(): Kind;
  /** Equal for equal worlds. */
  key(): string;
}

export interface Role<Kind> {
  /** The first part of its pids. */
  readonly name: string;
  readonly machine: AnyStateMachine;
  readonly registered: Name;
  /** @param args what whoever started it gave. */
  readonly input: (world: Kind, args: StartArgs) => Readonly<Record<string, unknown>>;
  readonly tables: (self: Pid, world: Kind) => Readonly<Record<string, Table>>;
  /**
   * From whom a process takes what comes next at once, before anybody else does anything: where that only leaves out ways on which
   * nothing is broken that is not broken on others. Undefined where every order is to be tried. It is not asked of who is dead.
   */
  readonly takesAtOnce?: (local: Alive | Unborn, underWay: readonly UnderWay[]) => AtOnce<Kind> | undefined;
  /**
   * What it asks of others at once, where it goes on by itself and changes nothing in the world: such a step is taken together with the
   * one before it when all that it asks is of this kind. Undefined where every order is to be tried.
   */
  readonly asksAtOnce?: (output: Output) => boolean;
}

export interface AtOnce<Kind> {
  readonly from: Address;
  /** In all worlds, where it is left out. */
  readonly over?: (world: Kind) => boolean;
}

/** One who answers from the world. */
export interface Port<Kind> {
  readonly name: Name;
  /**
   * `asked`: the answer is computed in the asking step and comes later. That leaves out no behaviour when the answer would
   * be the same in any later step. `delivered`: computed in a step of its own.
   */
  readonly computes: 'asked' | 'delivered';
  /** Does what it is asked also when the asker has ended meanwhile, as a process does that is no port. */
  readonly isProcess?: true;
  /** Whether it can answer already; it is not asked before. Left out where it always can. */
  readonly isReady?: (world: Kind, request: Message) => boolean;
  /** May change `world`. A pure function of the two. */
  readonly handle: (world: Kind, request: Message) => Answer;
}

/** What whoever is started is given, the machine's input is made of. */
export interface Start {
  readonly role: string;
  readonly args?: StartArgs;
}

export type StartArgs = Readonly<Record<string, unknown>>;

export interface Answer {
  readonly reply?: Message;
  readonly sends?: readonly { readonly to: Address; readonly event: Message }[];
  /** A process that begins now; `reply` comes when it has. */
  readonly start?: Start;
}

/** A look at one state. */
export interface View<Kind> {
  readonly world: Kind;
  /** Names of what has happened from outside so far, and is remembered; sorted. */
  readonly happened: readonly string[];
  /** A process was killed, or a time-out has fired. */
  readonly hasStruck: boolean;
  process(role: string): Local;
}

export interface ViewOfMail<Kind> extends View<Kind> {
  /** What is under way to the process of a role, each channel in order. */
  mailOf(role: string): readonly UnderWay[];
}

/** One thing that may happen from outside in a state. */
export interface Happening<Kind> {
  /** Names what it does to the world: of equal names over equal worlds the outcome is the same. */
  readonly name: string;
  /** That it has happened makes a difference which the rest of a state does not tell. */
  readonly isRemembered?: boolean;
  /** First of all, every process is gone at once with all that was under way; those that run from the beginning begin anew. */
  readonly isCrash?: boolean;
  readonly toWorld?: (world: Kind) => void;
  readonly start?: Start;
  readonly sends?: readonly { readonly from: string; readonly to: Address; readonly event: Message }[];
  /** Happens as a part of it, each when nothing is under way any more; everything is delivered in the order of its finding. */
  readonly behind?: readonly Happening<Kind>[];
}

export interface Violation {
  readonly property: string;
  readonly what: string;
}

export interface Bounds {
  /** How many processes are killed. */
  readonly kills: number;
  /** How many time-outs fire, those of silence among them. */
  readonly timeouts: number;
}

export interface System<Kind extends World<Kind>> {
  readonly world: Kind;
  readonly roles: readonly Role<Kind>[];
  readonly ports: readonly Port<Kind>[];
  /** Roles that run from the beginning. */
  readonly starts: readonly string[];
  /** Happens before the search begins, each when nothing is under way; everything is then delivered in the order of its finding. */
  readonly opening?: readonly Happening<Kind>[];
  readonly victims: readonly string[];
  /**
   * Whether it makes a difference that a victim, which lives, is killed in this state and not in a later one, or at all. It is asked where
   * what is taken at once comes first; undefined where every order is to be tried.
   */
  readonly isKilledHere?: (view: ViewOfMail<Kind>, victim: string) => boolean;
  readonly bounds: Bounds;
  /** Ports that are told of the ends of processes: `ended { role, reason }`; one that computes when asked is told at once. */
  readonly undertakers?: readonly { readonly port: Name; readonly watches: readonly string[] }[];
  readonly happenings: (view: View<Kind>) => readonly Happening<Kind>[];
  /** What is wrong in a state; `isQuiet` when nothing is under way in it. */
  readonly violation: (view: View<Kind>, isQuiet: boolean) => Violation | undefined;
}
