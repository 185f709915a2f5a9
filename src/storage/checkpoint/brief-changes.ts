/**
 * BriefChanges: the shapes of one frame, each without what it has in common with those before it. Of thousands that differ in a constant of
 * their filter, the table, its columns and the rest of a definition stand there once for each frame.
 *
 * Left out is what the last one that told it told alike; null stands for what that one has and this one has not. So a frame is read from
 * its beginning, and needs no other one. Below the fields of a filter nothing is left out: names that others chose, as those of columns,
 * are never taken for names of ours.
 */
import { areAlike } from '../../base/alike.ts';
import { invariant } from '../../base/invariant.ts';
import type { DefinitionParts } from '../../model/definition-parts.ts';
import type { PgSnapshot } from '../../model/pg-snapshot.ts';
import type { ShapeDefinition, WhereSource } from '../../model/shape.ts';
import type { SnapshotState } from '../shapes/shape-logs.ts';
import type { StateChange } from './checkpoint-states.ts';

/** Where it is told at all, a definition or a snapshot is there, though nothing may be left of it. */
export interface BriefChange extends Partial<Omit<StateChange, 'handle' | 'definition' | 'snapshot'>>, Pick<StateChange, 'handle'> {
  readonly definition?: BriefDefinition;
  readonly snapshot?: BriefSnapshot;
}

type BriefDefinition = Brief<Omit<ShapeDefinition, 'where'>> & { where?: Brief<WhereSource> | null };
type Brief<Whole> = { -readonly [Name in keyof Whole]?: Whole[Name] | null };
type BriefSnapshot = BriefOfSnapshot<SnapshotState>;
type BriefOfSnapshot<Each> = Each extends Begun ? Omit<Each, 'pgSnapshot'> & Partial<Begun> : Each;
type Draft<Whole> = { -readonly [Name in keyof Whole]: Whole[Name] };
type Begun = { readonly pgSnapshot: PgSnapshot };

/** What is told of every shape, and mostly alike: it has no lines, or goes along with the others. */
type Standing = Pick<StateChange, 'end' | 'bytes' | 'count' | 'openBytes' | 'position' | 'isLagging'>;

/** One for each frame. */
export class BriefWriter {
  private standing: Standing | undefined;
  private definition: ShapeDefinition | undefined;
  private chunkBytesMax: number | undefined;
  private pgSnapshot: PgSnapshot | undefined;

  brief(change: StateChange): BriefChange {
    const { handle, end, bytes, count, openBytes, position, isLagging, filterBy, definition, chunkBytesMax, snapshot, ...others } = change;
    const standing = { end, bytes, count, openBytes, position, isLagging };
    const brief: Draft<BriefChange> = Object.assign({ handle }, differing(standing, this.standing), others);
    if (!areAlike(filterBy, usualFilter(snapshot))) brief.filterBy = filterBy;
    if (definition !== undefined) brief.definition = briefDefinition(definition, this.definition);
    if (chunkBytesMax !== undefined && chunkBytesMax !== this.chunkBytesMax) brief.chunkBytesMax = chunkBytesMax;
    if (snapshot !== undefined) brief.snapshot = this.briefSnapshot(snapshot);
    this.standing = standing;
    this.definition = definition ?? this.definition;
    this.chunkBytesMax = chunkBytesMax ?? this.chunkBytesMax;
    return brief;
  }

  private briefSnapshot(snapshot: SnapshotState): BriefSnapshot {
    if (snapshot.state === 'awaited') return snapshot;
    const { pgSnapshot, ...rest } = snapshot;
    const isKnown = areAlike(pgSnapshot, this.pgSnapshot);
    this.pgSnapshot = pgSnapshot;
    return isKnown ? rest : snapshot;
  }
}

/** Reads what one writer has made, in its order. */
export class BriefReader {
  private last: Standing | undefined;
  private definition: ShapeDefinition | undefined;
  private chunkBytesMax: number | undefined;
  private pgSnapshot: PgSnapshot | undefined;

  /** @param parts what definitions are to have in common with those of other frames. */
  constructor(private readonly parts: Pick<DefinitionParts, 'shared'>) {}

  /** @param brief as it was parsed: very many are read before the first is served, so it is made whole where it is, and no copy. */
  whole(brief: BriefChange): StateChange {
    const { end, bytes, count, openBytes, position, isLagging } = this.last ?? (brief as Standing);
    const snapshot = brief.snapshot && this.snapshotOf(brief.snapshot);
    const change = brief as Draft<StateChange>;
    change.end ??= end;
    change.bytes ??= bytes;
    change.count ??= count;
    change.openBytes ??= openBytes;
    change.position ??= position;
    change.isLagging ??= isLagging;
    if (brief.filterBy === undefined) change.filterBy = usualFilter(snapshot);
    if (snapshot !== undefined) change.snapshot = snapshot;
    if (brief.definition !== undefined) this.define(change, brief.definition);
    this.last = change;
    return change;
  }

  private define(change: Draft<StateChange>, told: BriefDefinition): void {
    change.definition = this.definition = this.parts.shared(definitionOf(told, this.definition));
    const { chunkBytesMax = this.chunkBytesMax } = change;
    if (chunkBytesMax !== undefined) change.chunkBytesMax = this.chunkBytesMax = chunkBytesMax;
  }

  private snapshotOf(told: BriefSnapshot): SnapshotState {
    if (told.state === 'awaited') return told;
    const { pgSnapshot = this.pgSnapshot } = told;
    invariant(pgSnapshot !== undefined, 'the first of a frame leaves nothing out');
    this.pgSnapshot = pgSnapshot;
    const snapshot = told as Draft<typeof told & Begun>;
    snapshot.pgSnapshot = pgSnapshot;
    return snapshot;
  }
}

/** Of one that is not told otherwise. */
function usualFilter(snapshot: SnapshotState | undefined): PgSnapshot | null {
  return snapshot === undefined || snapshot.state === 'awaited' ? null : snapshot.pgSnapshot;
}

function briefDefinition(now: ShapeDefinition, last: ShapeDefinition | undefined): BriefDefinition {
  const { where, ...told } = unlike(now, last);
  if (where === undefined) return told;
  return { ...told, where: where && unlike(where, last?.where) };
}

function definitionOf(told: BriefDefinition, last: ShapeDefinition | undefined): ShapeDefinition {
  if (last === undefined) return told as ShapeDefinition;
  const { where } = told;
  if (where && last.where) told.where = like(where, last.where);
  return like<ShapeDefinition>(told as Brief<ShapeDefinition>, last);
}

function differing<Whole extends object>(now: Whole, last: Whole | undefined): Partial<Whole> {
  if (last === undefined) return now;
  const told: Partial<Whole> = {};
  for (const name in now) if (!areAlike(now[name], last[name])) told[name] = now[name];
  return told;
}

function unlike<Whole extends object>(now: Whole, last: Whole | undefined): Brief<Whole> {
  const told: Brief<Whole> = differing(now, last);
  for (const name in last) if (now[name] === undefined) told[name] = null;
  return told;
}

/** The way back. */
function like<Whole extends object>(told: Brief<Whole>, last: Whole): Whole {
  const all: Brief<Whole> = { ...last };
  let isLess = false;
  for (const name in told) {
    all[name] = told[name];
    if (told[name] === null) isLess = true;
  }
  return (isLess ? withoutNulls(all) : all) as Whole;
}

function withoutNulls(all: object): object {
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null));
}
