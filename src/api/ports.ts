/**
 * What serving a shape needs from the rest of the house: narrow ports, wired by the service.
 *
 * Reads are synchronous wherever the answer lies in memory, because between reading an offset and parking on a shape
 * no other code may run. A refusal by the world is an answer, not a throw.
 */
import type { EntryRuns } from '../model/log-entry.ts';
import type { LogOffset } from '../model/log-offset.ts';
import type { Lsn } from '../model/lsn.ts';
import type { Relation } from '../model/relation.ts';
import type { Handle, ShapeDefinition } from '../model/shape.ts';
import type { TimeZone } from '../model/time-zone.ts';
import type { Where, WhereLanguage } from '../sql/where.ts';
import type { ExplainSource } from './explain/explain-source.ts';
import type { Unreadiness } from './refusal.ts';
import type { SubsetSource } from './subsets/subset-source.ts';

/** Postgres's tables, cached: the same table gives the same object until it changes. */
export interface RelationSource {
  relation(schema: string, name: string): Promise<RelationLookup>;
  /** Asked of Postgres after this call, if it can be reached. */
  relationNow(schema: string, name: string): Promise<RelationLookup>;
  /** Whether it is, for certain, what `relation` would find by its name; nobody is asked for that. */
  isCurrent(relation: Relation): boolean;
}

/** Postgres's time zones. */
export interface ZoneSource {
  /** @returns a text that says why there is no such zone; undefined when Postgres did not answer. */
  zone(name: string): Promise<TimeZone | string | undefined>;
}

export type RelationLookup =
  | { readonly outcome: 'found'; readonly relation: Relation }
  | { readonly outcome: 'missing' }
  /** Something has that name of which no shape can be made: `a view`, say. */
  | { readonly outcome: 'unservable'; readonly kindName: string }
  /** Nothing is cached and Postgres did not answer: the table may or may not exist. */
  | { readonly outcome: 'unreachable' };

/** The handles that there are. A log can be read under each of them, at the latest once its snapshot has started. */
export interface ServedShapes {
  find(definition: ShapeDefinition): Handle | undefined;
  /**
   * Likewise for a reader, and notes that it is in use: not one that has yet to wait for others, nor one that was made for others alone. It
   * must ask for these.
   */
  findReadable(definition: ShapeDefinition): Handle | undefined;
  definitionOf(handle: Handle): ShapeDefinition | undefined;
  /** Whether `wanted`, not known here, may be the log that has replaced `found`: made elsewhere a moment ago, and known here soon. */
  mayReplace(wanted: Handle, found: Handle): boolean;
  /** A client reads by this handle: it is in use, and if it was made for others alone it stays for the client from now on. */
  noteReader(handle: Handle): void;
  /** Finds the shape or makes it; callers that ask at once get the same handle. */
  create(definition: ShapeDefinition): Promise<ShapeCreation>;
  /** Answers at once for a shape whose snapshot has started already. Bounded by the directory. */
  awaitSnapshotStart(handle: Handle): Promise<SnapshotStart>;
  /** Of one that is gone: what kept it from its first row, or that nothing is known to have. */
  howItEnded(handle: Handle): SnapshotStart;
  /** Resolves when readers no longer find the shape; changes nothing for a handle that is unknown. */
  delete(handle: Handle): Promise<void>;
  /** The same for a shape whose stored bytes are damaged. @param why names what was found, for the operator. */
  condemn(handle: Handle, why: string): Promise<void>;
}

export type ShapeCreation =
  | { readonly outcome: 'created'; readonly handle: Handle }
  /** Nothing was made; the same request may be repeated. */
  | { readonly outcome: 'refused' }
  /** Nothing was made: the storage is at its limit. */
  | { readonly outcome: 'full' };

export type SnapshotStart =
  | { readonly outcome: 'started' }
  /** The shape ended before its snapshot began: deleted, rotated, or its table changed under the query. */
  | { readonly outcome: 'gone' }
  /** A known condition that the operator can mend, in the words of the wire; the shape is removed. */
  | { readonly outcome: 'failed'; readonly message: string; readonly code?: string }
  /** Its filter has an error in a row: `code` is the SQLSTATE, `message` what Postgres says; the shape is removed. */
  | { readonly outcome: 'filterFailed'; readonly code: string; readonly message: string }
  /** A failure nobody classified, in the words of the wire; the shape is removed. */
  | { readonly outcome: 'unexpected'; readonly message: string };

/** The shapes' logs, as readers see them. */
export interface ReadableLogs {
  get(handle: Handle): ReadableLog | undefined;
  /** Whether a body threw this because its shape ended while it was read. That is nobody's fault. */
  isGone(error: unknown): boolean;
  /** Whether a body threw this because its next row has not come for too long. It may come yet. */
  isStalled(error: unknown): boolean;
  /**
   * What to tell a reader whose body threw this because another instance keeps the log, and has replaced it, or because it cannot be read
   * from here; undefined for any other error.
   */
  elsewhereOf(error: unknown): string | undefined;
  /** What was found damaged, when a body threw this because its bytes are not what was stored; undefined for any other error. */
  damageOf(error: unknown): string | undefined;
}

export interface ReadableLog {
  readonly handle: Handle;
  /** Offset of the last entry that readers may see; `0_inf` while no operation was replicated. */
  readonly end: LogOffset;
  /**
   * While the shape is behind the others: it holds what Postgres had logged up to here, and what its own entries tell, but
   * perhaps nothing else. Undefined while what the whole service has processed holds for it as well.
   */
  readonly waitsAt: Lsn | undefined;
  /**
   * What its entries alone tell: nothing is missing of what committed up to here. The LSN of the last one, as a rule; undefined for a
   * shape that depends on others: moves may be to come that lie before its entries.
   */
  readonly reached: Lsn | undefined;
  /** What `read` comes to now. Nothing is read. */
  outcome(after: LogOffset): LogStretch['outcome'];
  /** What a request from `after` gets, decided at once and from one instant. */
  read(after: LogOffset): LogStretch;
}

export interface EntriesRead {
  readonly outcome: 'entries';
  readonly runs: EntryRuns;
  /** The runs are one and the same for all who ask for them, for as long as they are asked for. */
  readonly areKept?: boolean;
  readonly end: LogOffset;
  readonly upToDate: boolean;
}

export type LogStretch =
  /** What lies behind `after` up to `end`, possibly nothing; `upToDate` when nothing lies behind that. */
  | EntriesRead
  /** `after` lies beyond `end`. */
  | { readonly outcome: 'beyond' }
  /** The snapshot has not begun: ask `awaitSnapshotStart` to say when. */
  | { readonly outcome: 'notStarted' };

/** `waiting`: another instance holds the lock, yet stored shapes can be read here. */
export type ServiceLevel = 'starting' | 'waiting' | 'active';

/** How much of the limits of the storage is used, as it was some seconds ago: plain JSON. What is not limited has no `limit`. */
export interface LimitsStanding {
  readonly shapes: { readonly used?: number; readonly limit?: number };
  /** Of snapshots and lines. */
  readonly bytes: { readonly used?: number; readonly limit?: number };
  /** That a shape may be unread. */
  readonly unreadSeconds?: { readonly limit: number };
  /** Shapes that a limit has ended since the service began. */
  readonly ended: LimitEvents;
  /** New shapes that found no room. */
  readonly refused: LimitEvents;
}

export interface LimitEvents {
  readonly count: number;
  /** ISO 8601; left out where it never was. */
  readonly lastAt?: string;
  /** A sentence. */
  readonly lastWhy?: string;
}

/**
 * Stored shapes can be read; the connections to Postgres are not closed for want of use, as `isAwake` has it; Postgres can be asked; or
 * all that makes the service `active`.
 */
export type ReadinessGoal = 'readable' | 'awake' | 'connected' | 'active';

export interface ServiceStatus {
  /** What health says. */
  level(): ServiceLevel;
  /** Stored shapes are loaded: they stay readable while Postgres is away. */
  isReadable(): boolean;
  /** Somebody asks for what the database has. */
  noteUse(): void;
  /** The connections to Postgres are open, and what happened while they were closed for want of use is followed. Waiting for it wakes. */
  isAwake(): boolean;
  /** The catalogue can be asked: Postgres was there when it was looked at last. */
  isConnected(): boolean;
  /** Somebody brings what is stored up to date: we, or the instance whose storage we view. Then "nothing new" may be said. */
  isFollowed(): boolean;
  /** The first unmet condition, in the words of the wire; undefined when active. */
  whyNotReady(): Unreadiness | undefined;
  /**
   * What is waited for, in a sentence for an operator; undefined when all is well. Bounded in time.
   *
   * @param isTrusted what names others (their address, an error of Postgres) is told as well.
   */
  cause(isTrusted: boolean): Promise<string | undefined>;
  /** Undefined where no limit is set. */
  limits(): LimitsStanding | undefined;
  /** @returns false when `timeoutMs` passed first. */
  waitUntil(goal: ReadinessGoal, timeoutMs: number): Promise<boolean>;
}

/** Called from below when a shape's log has moved. Synchronous, cheap, never throws. */
export interface ShapeAnnouncements {
  /** Everything up to `end` is readable now. @returns whether somebody has waited for that. */
  announce(handle: Handle, end: LogOffset): boolean;
  /** The shape is over; `replacement` when there already is one. */
  rotate(handle: Handle, replacement?: Handle): void;
}

/** Filters as they were parsed: whoever makes a shape of a definition need not parse its filter anew. */
export interface ParsedFilters {
  /** That of a definition which was made just now. */
  keep(definition: ShapeDefinition, where: Where): void;
}

export interface ApiPorts {
  readonly relations: RelationSource;
  readonly zones: ZoneSource;
  readonly shapes: ServedShapes;
  readonly logs: ReadableLogs;
  readonly status: ServiceStatus;
  /** In which filters are written. */
  readonly language: WhereLanguage;
  /** Undefined where no shapes are made. */
  readonly filters?: ParsedFilters;
  readonly subsets: SubsetSource;
  readonly explain: ExplainSource;
  /** Every shape that does not lag has stored all transactions up to here; undefined when none was processed yet. */
  lastProcessedLsn(): Lsn | undefined;
}
