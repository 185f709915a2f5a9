/**
 * A database of tables by name, and its publication, in memory: held to the same contract as the real one. What it is asked through
 * its port is kept, to be counted.
 */
import type { PublishedRelation } from '../../../src/model/relation.ts';
import type { Message, PortSpec } from '../../../src/otp/process.ts';
import type { PartitionTurn, PublicationFault } from '../../../src/postgres/catalog/publication.ts';

interface ModelTable {
  readonly relation: PublishedRelation;
  isFull: boolean;
  isPublished: boolean;
  /** It was taken out, and put back by somebody else, since it was added. */
  hasLeft: boolean;
  /** It has a generated column that no publication carries. */
  isUnwritable: boolean;
  /** When partitions of it came or went; 0 for never. */
  turnedMicros: number;
}

export class ModelPublication {
  /** Nobody answers. */
  isAway = false;
  /** There are tables, and nothing that they could be published in. */
  isMissing = false;
  readonly questions: Message[] = [];
  private readonly tables = new Map<string, ModelTable>();
  private readonly locked = new Set<string>();
  private oids = 0;

  get port(): PortSpec {
    const ask = async (request: Message): Promise<Message> => {
      this.questions.push(request);
      return this.answer(request); // In a later turn, as from a database.
    };
    return { name: '@publication', open: () => ({ requests: { reviewRelations: ask, addRelations: ask, dropRelations: ask } }) };
  }

  /** What the port answers. */
  answer({ type, relations }: Message): Message {
    if (this.isAway) return unavailable('connection_not_available', 'Database connection not available');
    if (this.isMissing) return unavailable('publication_missing', 'Publication "pub" not found in the database');
    const asked = relations as readonly PublishedRelation[];
    if (type === 'reviewRelations') return this.review(asked);
    return type === 'addRelations' ? this.add(asked) : this.drop(asked);
  }

  /** Without what was asked. */
  clone(): ModelPublication {
    const copy = new ModelPublication();
    for (const [name, table] of this.tables) copy.tables.set(name, { ...table });
    for (const name of this.locked) copy.locked.add(name);
    return Object.assign(copy, { isAway: this.isAway, isMissing: this.isMissing, oids: this.oids });
  }

  key(): string {
    return JSON.stringify([[...this.tables], [...this.locked], this.isAway, this.isMissing]);
  }

  get published(): string[] {
    return [...this.tables].flatMap(([name, { isPublished }]) => (isPublished ? [name] : [])).sort();
  }

  /** The table of that name, made when there is none. */
  relation(name: string): PublishedRelation {
    const known = this.tables.get(name);
    if (known !== undefined) return known.relation;
    this.oids += 1;
    const relation = { oid: this.oids, schema: 'public', name };
    this.tables.set(name, { relation, isFull: false, isPublished: false, hasLeft: false, isUnwritable: false, turnedMicros: 0 });
    return relation;
  }

  /** A table that was added before. */
  carry(name: string): void {
    this.relation(name);
    this.alter(name, { isPublished: true, isFull: true });
  }

  dropTable(name: string): void {
    this.tables.delete(name);
  }

  takeOut(name: string): void {
    this.alter(name, { isPublished: false });
  }

  /** A table that was added before. */
  putBack(name: string): void {
    this.alter(name, { isPublished: true, hasLeft: true });
  }

  forgetOldRows(name: string): void {
    this.alter(name, { isFull: false });
  }

  addVirtualColumn(name: string): void {
    this.alter(name, { isUnwritable: true });
  }

  /** A partition is attached or detached. */
  turn(name: string, turnedMicros: number): void {
    this.alter(name, { turnedMicros });
  }

  /** Whoever alters it is refused. */
  lock(name: string): void {
    this.locked.add(name);
  }

  unlock(name: string): void {
    this.locked.delete(name);
  }

  private alter(name: string, change: Partial<ModelTable>): void {
    const table = this.tables.get(name);
    if (table !== undefined) Object.assign(table, change);
  }

  private review(relations: readonly PublishedRelation[]): Message {
    const faults = relations.flatMap((relation): PublicationFault[] => {
      const table = this.present(relation);
      if (table === undefined) return [{ relation, fault: 'isDropped' }];
      if (!table.isPublished) return [{ relation, fault: 'isNotPublished' }];
      if (table.hasLeft) return [{ relation, fault: 'hasLeft' }];
      if (table.isUnwritable) return [{ relation, fault: 'isUnwritable' }];
      return table.isFull ? [] : [{ relation, fault: 'isNotFull' }];
    });
    return { type: 'publication.reviewed', faults, turns: this.turnsOf(relations) };
  }

  private add(relations: readonly PublishedRelation[]): Message {
    for (const relation of relations) {
      const table = this.present(relation);
      if (table === undefined) return refusal('table_dropped');
      if (table.isUnwritable) return refusal('generated_columns_not_carried');
      if (this.locked.has(relation.name) && !(table.isPublished && table.isFull)) return refusal('lock_timeout');
    }
    const added = relations.filter(({ name }) => {
      const table = this.tables.get(name);
      return table?.isPublished === false || table?.hasLeft === true;
    });
    for (const { name } of relations) this.alter(name, { isPublished: true, hasLeft: false, isFull: true });
    return { type: 'publication.altered', added, turns: this.turnsOf(relations) };
  }

  private drop(relations: readonly PublishedRelation[]): Message {
    const present = relations.filter((relation) => this.present(relation)?.isPublished);
    if (present.some(({ name }) => this.locked.has(name))) return refusal('lock_timeout');
    for (const { name } of present) this.takeOut(name);
    return { type: 'publication.altered', added: [], turns: [] };
  }

  private turnsOf(relations: readonly PublishedRelation[]): readonly PartitionTurn[] {
    return relations.flatMap((relation) => {
      const { turnedMicros = 0 } = this.present(relation) ?? {};
      return turnedMicros === 0 ? [] : [{ relation, beforeMicros: turnedMicros }];
    });
  }

  private present({ oid, name }: PublishedRelation): ModelTable | undefined {
    const table = this.tables.get(name);
    return table?.relation.oid === oid ? table : undefined;
  }
}

function unavailable(code: string, message: string): Message {
  return { type: 'publication.unavailable', error: { name: code, code, message, status: 503 } };
}

function refusal(code: string): Message {
  return { type: 'publication.refused', error: { name: code, code, message: code, status: code === 'table_dropped' ? 409 : 503 } };
}
