/**
 * PublishedRelations: which shapes need which table in the publication, and who waits for one to be there. The
 * publication manager's table.
 *
 * Postgres is asked about many tables at once, and about each once, however many shapes are on it. Whoever asks for one
 * that is not there yet waits here: requests that were postponed instead would be looked at again after each of Postgres's answers.
 * Several tables that it refuses together are tried one by one, so that only those are refused whom it concerns.
 *
 * A shape that follows its table has lost changes as soon as the publication does not carry it: no matter who took the
 * table out, and whether it could be added again, the shape must go.
 */
import type { Fork, Forkable } from '../../base/fork.ts';
import type { GapCause } from '../../model/change.ts';
import { EVER } from '../../model/partition-tree.ts';
import type { PublishedRelation } from '../../model/relation.ts';
import { bornMicros, type Handle } from '../../model/shape.ts';
import type { ReplyTo, Table } from '../../otp/process.ts';
import { RelationLots, type RelationLot, type RelationWork } from './relation-lots.ts';
import type { SnapshotFault } from '../snapshot-fault.ts';
import { TURNED } from '../turned-table.ts';

export type PublishedRelationsChange =
  /** A new shape waits for its table. */
  | { readonly type: 'need'; readonly handle: Handle; readonly relation: PublishedRelation; readonly replyTo: ReplyTo }
  /** A stored shape follows its table. */
  | { readonly type: 'retain'; readonly handle: Handle; readonly relation: PublishedRelation }
  | { readonly type: 'retainAll'; readonly handles: readonly Handle[]; readonly relations: readonly PublishedRelation[] }
  | { readonly type: 'release'; readonly handle: Handle; readonly why: string }
  /** Every table that is followed is to be reviewed again. */
  | { readonly type: 'doubt' }
  /** Likewise these, by their oids. */
  | { readonly type: 'doubtTables'; readonly oids: readonly number[] }
  /** The publication was made anew, or may have been: what was in it need not be. */
  | { readonly type: 'distrust' }
  /** Asks what is to be done or told next. Work that is handed out is in hand until one of the changes below says how it ended. */
  | { readonly type: 'next' }
  | { readonly type: 'reviewed'; readonly faults: readonly RelationFault[]; readonly turns: readonly RelationTurn[] }
  /** `added` were not carried before, also of those that are followed. */
  | { readonly type: 'altered'; readonly added: readonly PublishedRelation[]; readonly turns: readonly RelationTurn[] }
  | { readonly type: 'refused'; readonly error: SnapshotFault }
  /** Postgres cannot be asked: whoever waits is refused, and what nobody waits for is done later. */
  | { readonly type: 'unavailable'; readonly error: SnapshotFault };

export type PublishedRelationsTold =
  /** There is something to do, for somebody who waits. */
  | { readonly type: 'relations.awaited' }
  /** There is something to do, for nobody who waits. */
  | { readonly type: 'relations.due' }
  | { readonly type: 'relations.published'; readonly asked: readonly ReplyTo[] }
  | { readonly type: 'relations.refused'; readonly asked: readonly ReplyTo[]; readonly error: SnapshotFault }
  /** The answers to `next`. */
  | { readonly type: 'relations.toReview' | 'relations.toAdd' | 'relations.toDrop'; readonly relations: readonly PublishedRelation[] }
  | { readonly type: 'shapes.lost'; readonly handles: readonly Handle[]; readonly why: string }
  | { readonly type: 'refusals.gathered'; readonly count: number; readonly refusals: readonly NamedRefusal[] }
  | { readonly type: 'relations.settled' };

/** As the log names it. */
export interface NamedRefusal {
  readonly relation: string;
  readonly error: SnapshotFault;
}

export interface RelationFault {
  readonly relation: PublishedRelation;
  readonly fault: 'isDropped' | 'isNotPublished' | 'hasLeft' | 'isNotFull' | 'isNotItself' | 'isUnwritable' | 'isToldAsRoot' | 'isUntold';
}

/**
 * Rows came or went with partitions of the table, as no change tells: shapes that have rows from before have others than they should.
 * `EVER`, where that is found out now: all that follow it; whoever waits has none yet. Later it concerns what has not heard of it, by
 * its birth.
 */
export interface RelationTurn {
  readonly relation: PublishedRelation;
  readonly beforeMicros: number;
}

export interface PublicationPorts extends Forkable<PublicationPorts> {
  /** Told of a table that is not published any more: it may be gone, or another one under its name. */
  lost(relation: PublishedRelation): void;
  /** Whether the shape is there. It goes before it is released. */
  isStored(handle: Handle): boolean;
}

const WHY_LOST = {
  isDropped: 'the table was dropped or renamed',
  isNotPublished: 'the table is not published any more',
  hasLeft: 'the table was not published for a while, or with other rows or columns',
  isUnwritable: 'the table got generated columns that are not published: as long as it is published, nobody can update or delete its rows',
  isToldAsRoot: 'the publication tells changes of partitions under the name of their root',
  isUntold: 'the table got a partition that Postgres does not replicate',
} as const;
/** Somebody has altered its replica identity: who comes next waits until Postgres has been asked again. */
const WITHOUT_OLD_ROWS: GapCause = 'replicaIdentity';
/** Somebody else had the table, or a partition of it. */
const BUSY = 'lock_timeout';
const SHAPE_GONE: SnapshotFault = { code: 'schema_changed', message: 'The shape is gone', status: 409 };
const TO_DO = { review: 'relations.toReview', add: 'relations.toAdd', drop: 'relations.toDrop' } as const;
/** In one line of the log. */
const NAMED_MAX = 10;

/** `before` is of an earlier run, or was there when an answer was lost: what has been found out already may concern it. */
type Origin = 'before' | 'now';

interface Need {
  readonly key: string;
  readonly relation: PublishedRelation;
  /** Shapes that have rows of it, or may read them. */
  readonly followers: Map<Handle, Origin>;
  /** Shapes that wait until they may. */
  readonly waiting: Map<Handle, ReplyTo>;
  /** What Postgres said last. `unknown` is one that may be there, and must be taken out when nobody needs it. */
  standing: 'unknown' | 'published' | 'missing';
  /** For what it was refused last: that is told once, not after each review. */
  refusedFor: string | undefined;
}

export class PublishedRelations implements Table<PublishedRelationsChange> {
  private readonly ports: PublicationPorts;
  /** By all that makes a table's identity: one that was renamed is another one. */
  private readonly needs = new Map<string, Need>();
  private readonly keys = new Map<Handle, string>();
  private lots = new RelationLots();
  /** Shapes whose loss is still to be told, by its reason. */
  private readonly lost = new Map<string, Handle[]>();
  private refusals: (readonly [PublishedRelation, SnapshotFault])[] = [];

  constructor(ports: PublicationPorts) {
    this.ports = ports;
  }

  apply(change: PublishedRelationsChange): PublishedRelationsTold | undefined {
    switch (change.type) {
      case 'need':
        return this.need(change.handle, change.relation, change.replyTo);
      case 'retain':
        return this.retain(change.handle, change.relation);
      case 'retainAll':
        return this.retainAll(change.handles, change.relations);
      case 'release':
        return this.release(change.handle, change.why);
      case 'doubt':
        return this.doubt();
      case 'distrust':
        return this.distrust();
      case 'doubtTables':
        return this.doubtTables(new Set(change.oids));
      case 'next':
        return this.next();
      case 'reviewed':
        this.turn(change.turns);
        return this.reviewed(change.faults);
      case 'altered':
        this.turn(change.turns);
        return this.altered(change.added);
      case 'refused':
        return this.refused(change.error);
      case 'unavailable':
        return this.unavailable(change.error);
    }
  }

  clone(fork: Fork): PublishedRelations {
    const copy = new PublishedRelations(this.ports.clone(fork));
    for (const [key, { followers, waiting, ...need }] of this.needs) {
      copy.needs.set(key, { ...need, followers: new Map(followers), waiting: new Map(waiting) });
    }
    for (const [handle, key] of this.keys) copy.keys.set(handle, key);
    copy.lots = this.lots.clone();
    for (const [why, handles] of this.lost) copy.lost.set(why, [...handles]);
    copy.refusals = [...this.refusals];
    return copy;
  }

  /** Everything in its order: in that order it is told. */
  key(): string {
    const needs = Array.from(this.needs.values(), ({ followers, waiting, ...need }) => {
      return { ...need, followers: [...followers], waiting: [...waiting] };
    });
    return JSON.stringify([needs, this.lots.key(), [...this.lost], this.refusals]);
  }

  /** A Snapshotter may ask for a shape that has gone, and was released, before its request came: nobody would release that again. */
  private need(handle: Handle, relation: PublishedRelation, replyTo: ReplyTo): PublishedRelationsTold | undefined {
    if (!this.ports.isStored(handle)) return refused([replyTo], SHAPE_GONE);
    const need = this.enter(handle, relation);
    need.waiting.set(handle, replyTo);
    if (this.lots.isInHand(need.key)) return undefined;
    if (need.standing === 'published') return published(this.follow(need));
    this.lots.put('add', need.key);
    return { type: 'relations.awaited' };
  }

  /** It is reviewed before the first alteration, or with all others. */
  private retain(handle: Handle, relation: PublishedRelation, key = keyOf(relation)): undefined {
    const need = this.enter(handle, relation, key);
    if (need.followers.has(handle)) return; // Its Consumer began anew.
    need.followers.set(handle, 'before');
    if (need.standing === 'missing') need.standing = 'unknown';
    this.lots.put('review', key);
  }

  /** Mostly one behind the other on one table, which is put into words once for them. */
  private retainAll(handles: readonly Handle[], relations: readonly PublishedRelation[]): undefined {
    let last: { readonly relation: PublishedRelation; readonly key: string } | undefined;
    for (const [index, relation] of relations.entries()) {
      if (last?.relation !== relation) last = { relation, key: keyOf(relation) };
      const handle = handles[index];
      if (handle !== undefined) this.retain(handle, relation, last.key);
    }
  }

  private enter(handle: Handle, relation: PublishedRelation, key = keyOf(relation)): Need {
    this.keys.set(handle, key);
    const known = this.needs.get(key);
    if (known !== undefined) return known;
    const need: Need = { key, relation, followers: new Map(), waiting: new Map(), standing: 'missing', refusedFor: undefined };
    this.needs.set(key, need);
    return need;
  }

  private release(handle: Handle, why: string): PublishedRelationsTold | undefined {
    const need = this.needs.get(this.keys.get(handle) ?? '');
    if (need === undefined) return undefined;
    this.keys.delete(handle);
    need.followers.delete(handle);
    need.waiting.delete(handle);
    if (why === WITHOUT_OLD_ROWS && need.standing === 'published') need.standing = 'unknown';
    return this.letGo(need);
  }

  /** One that is in hand is looked at again when that is over. */
  private letGo(need: Need): PublishedRelationsTold | undefined {
    if (isNeeded(need) || this.lots.isInHand(need.key)) return undefined;
    if (need.standing !== 'missing') {
      this.lots.put('drop', need.key);
      return { type: 'relations.due' };
    }
    this.lots.forget(need.key);
    this.needs.delete(need.key);
    return undefined;
  }

  private doubt(): undefined {
    for (const { key, followers } of this.needs.values()) if (followers.size > 0) this.lots.put('review', key);
  }

  /** Whoever comes next has the table added, and one that nobody needs is taken out. */
  private distrust(): undefined {
    for (const need of this.needs.values()) if (need.standing === 'published') need.standing = 'unknown';
  }

  private doubtTables(oids: ReadonlySet<number>): PublishedRelationsTold | undefined {
    const doubted = [...this.needs.values()].filter(({ relation, followers }) => oids.has(relation.oid) && followers.size > 0);
    for (const { key } of doubted) this.lots.put('review', key);
    return doubted.length === 0 ? undefined : { type: 'relations.due' };
  }

  private turn(turns: readonly RelationTurn[]): void {
    for (const { relation, beforeMicros } of turns) {
      const need = this.needs.get(keyOf(relation));
      if (need === undefined) continue;
      const isLost = (handle: Handle, origin: Origin): boolean => origin === 'before' && bornMicros(handle) < beforeMicros;
      this.loseFollowers(need, TURNED, beforeMicros === EVER ? undefined : isLost);
    }
  }

  private next(): PublishedRelationsTold {
    for (const [why, handles] of this.lost) {
      this.lost.delete(why);
      return { type: 'shapes.lost', handles, why };
    }
    const lot = this.lots.take();
    if (lot !== undefined) return { type: TO_DO[lot.work], relations: this.needsOf(lot).map(({ relation }) => relation) };
    return this.gatherRefusals() ?? { type: 'relations.settled' };
  }

  private gatherRefusals(): PublishedRelationsTold | undefined {
    const { refusals } = this;
    if (refusals.length === 0) return undefined;
    this.refusals = [];
    const named = refusals.slice(0, NAMED_MAX).map(([{ schema, name }, error]) => ({ relation: `${schema}.${name}`, error }));
    return { type: 'refusals.gathered', count: refusals.length, refusals: named };
  }

  private reviewed(faults: readonly RelationFault[]): PublishedRelationsTold | undefined {
    const faultOf = new Map(faults.map(({ relation, fault }) => [keyOf(relation), fault]));
    return published(
      this.needsOf(this.lots.finish()).flatMap((need) => {
        const fault = faultOf.get(need.key);
        if (fault === undefined) return this.follow(need);
        if (fault === 'isNotFull' || fault === 'isNotItself') this.repair(need);
        else if (fault === 'isDropped' || fault === 'isNotPublished') this.lose(need, WHY_LOST[fault]);
        else this.giveUp(need, WHY_LOST[fault]);
        return [];
      }),
    );
  }

  /** Whoever waits for it need not wait any longer. */
  private follow(need: Need): readonly ReplyTo[] {
    const asked = [...need.waiting.values()];
    for (const handle of need.waiting.keys()) need.followers.set(handle, 'now');
    need.waiting.clear();
    need.standing = 'published';
    need.refusedFor = undefined;
    this.lots.cancel('add', need.key);
    this.lots.cancel('drop', need.key);
    this.letGo(need);
    return asked;
  }

  /**
   * It is carried, but without its old rows, or with a table above it alone. Where that cannot be mended, it is tried once, or when
   * somebody waits for it; a table that was busy is tried with each review.
   */
  private repair(need: Need): void {
    need.standing = 'unknown';
    if (need.refusedFor === undefined || need.refusedFor === BUSY) this.lots.put('add', need.key);
    this.letGo(need);
  }

  private lose(need: Need, why: string): void {
    this.loseFollowers(need, why);
    need.standing = 'missing';
    this.ports.lost(need.relation);
    this.dropOrAdd(need);
  }

  /** It goes out of the publication, for it is still there. */
  private giveUp(need: Need, why: string): void {
    this.loseFollowers(need, why);
    need.standing = 'unknown';
    this.ports.lost(need.relation);
    this.dropOrAdd(need);
  }

  private loseFollowers(need: Need, why: string, isLost: (handle: Handle, origin: Origin) => boolean = () => true): void {
    const handles = [...need.followers].flatMap(([handle, origin]) => (isLost(handle, origin) ? [handle] : []));
    if (handles.length === 0) return;
    this.lost.set(why, [...(this.lost.get(why) ?? []), ...handles]);
    for (const handle of handles) {
      need.followers.delete(handle);
      this.forget(handle, need);
    }
  }

  private altered(added: readonly PublishedRelation[]): PublishedRelationsTold | undefined {
    const lot = this.lots.finish();
    const needs = this.needsOf(lot);
    if (lot.work === 'add') return published(this.added(needs, new Set(added.map(keyOf))));
    for (const need of needs) {
      need.standing = 'missing';
      this.dropOrAdd(need);
    }
    return undefined;
  }

  private added(needs: readonly Need[], added: ReadonlySet<string>): readonly ReplyTo[] {
    for (const need of needs) if (added.has(need.key)) this.loseFollowers(need, WHY_LOST.isNotPublished);
    return needs.flatMap((need) => this.follow(need));
  }

  private refused(error: SnapshotFault): PublishedRelationsTold | undefined {
    const lot = this.lots.finish();
    const needs = this.needsOf(lot);
    const [need] = needs;
    if (lot.keys.size === 1 && need !== undefined) return refused(this.refuse(need, lot.work, error), error);
    for (const each of needs) {
      if (isNeeded(each) === (lot.work === 'add')) this.lots.putSingle(lot.work, each.key);
      else this.dropOrAdd(each);
    }
    return undefined;
  }

  private refuse(need: Need, work: RelationWork, error: SnapshotFault): readonly ReplyTo[] {
    if (need.refusedFor !== error.code) this.refusals.push([need.relation, error]);
    need.refusedFor = error.code;
    const asked = work === 'add' ? this.dismiss(need) : [];
    // A table that stays in the publication costs WAL, and no correctness.
    if (work === 'drop') need.standing = 'missing';
    this.dropOrAdd(need);
    return asked;
  }

  /** What is needed, and by whom, may have changed while it was in hand. */
  private dropOrAdd(need: Need): void {
    if (need.waiting.size > 0) this.lots.put('add', need.key);
    else this.letGo(need);
  }

  private unavailable(error: SnapshotFault): PublishedRelationsTold | undefined {
    const lot = this.lots.finish();
    const waitedFor = new Set([...lot.keys, ...this.lots.queued('add')]);
    const asked = [...waitedFor].flatMap((key) => {
      const need = this.needs.get(key);
      return need === undefined ? [] : this.putOff(need);
    });
    return refused(asked, error);
  }

  private putOff(need: Need): readonly ReplyTo[] {
    const asked = this.dismiss(need);
    this.lots.forget(need.key);
    for (const handle of need.followers.keys()) need.followers.set(handle, 'before');
    if (need.followers.size > 0) this.lots.put('review', need.key);
    else this.letGo(need);
    return asked;
  }

  /** Whoever waits is to be refused. */
  private dismiss(need: Need): readonly ReplyTo[] {
    const [handles, asked] = [[...need.waiting.keys()], [...need.waiting.values()]];
    need.waiting.clear();
    for (const handle of handles) this.forget(handle, need);
    return asked;
  }

  /** One that waited may follow as well: whoever ends it is to find it. */
  private forget(handle: Handle, { followers, waiting }: Need): void {
    if (!followers.has(handle) && !waiting.has(handle)) this.keys.delete(handle);
  }

  private needsOf({ keys }: RelationLot): Need[] {
    return [...keys].flatMap((key) => this.needs.get(key) ?? []);
  }
}

function keyOf({ oid, schema, name }: PublishedRelation): string {
  return JSON.stringify([oid, schema, name]);
}

function isNeeded({ followers, waiting }: Need): boolean {
  return followers.size + waiting.size > 0;
}

function published(asked: readonly ReplyTo[]): PublishedRelationsTold | undefined {
  return asked.length === 0 ? undefined : { type: 'relations.published', asked };
}

function refused(asked: readonly ReplyTo[], error: SnapshotFault): PublishedRelationsTold | undefined {
  return asked.length === 0 ? undefined : { type: 'relations.refused', asked, error };
}
