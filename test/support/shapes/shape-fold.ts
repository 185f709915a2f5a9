/**
 * The rows of a shape, folded from its messages by the letter of the protocol: changes, and moves in and out by tags.
 *
 * It is stricter than any real client, because a client that forgives hides what the service did wrong: an insert of a row it has,
 * an update or delete of one it has not, a row that its own conditions hide, an old value that it never had are violations.
 */
import type { ShapeMessage } from '../service/shape-follower.ts';

/** The service told what the protocol does not allow, or what is not so. */
export class ProtocolViolation extends Error {
  override readonly name = 'ProtocolViolation';
}

export type ShapeRow = Readonly<Record<string, string | null>>;

export interface FoldRules {
  /** The columns of the shape, those of the key among them. */
  readonly columns: readonly string[];
  readonly keys: readonly string[];
  /** Values that are written in two ways, `t` and `true`, are held in one. */
  readonly booleans: readonly string[];
  readonly replica: 'default' | 'full';
  /** `ignored`: the client knows no tags, and hears of every row that leaves. */
  readonly moves: 'none' | 'folded' | 'ignored';
}

interface HeldRow {
  readonly row: ShapeRow;
  /** One for each disjunct, with a slot for each position; empty where the shape has no subquery. */
  readonly tags: readonly string[];
  /** By position: is the condition true. */
  readonly conditions: readonly boolean[];
}

interface Pattern {
  readonly pos: number;
  readonly value: string;
}

export class ShapeFold {
  private readonly held = new Map<string, HeldRow>();
  /** Positions by disjunct, as the first tags show them. */
  private disjuncts: readonly (readonly number[])[] | undefined;

  constructor(private readonly rules: FoldRules) {}

  /** @throws {ProtocolViolation} the rows are as before the message. */
  take(message: ShapeMessage): void {
    const { headers } = message;
    if (headers['event'] !== undefined) this.move(headers);
    else if (headers['control'] === undefined) this.change(message);
  }

  /** The rows by key. */
  rows(): ReadonlyMap<string, ShapeRow> {
    return new Map([...this.held].map(([key, { row }]) => [key, row]));
  }

  clear(): void {
    this.held.clear();
    this.disjuncts = undefined;
  }

  /**
   * Holds at every *up-to-date*: whether a value is in a subquery's result does not depend on the row that has it.
   *
   * @throws {ProtocolViolation} two rows with the same hash at a position differ in its condition.
   */
  settle(): void {
    const known = new Map<string, { readonly key: string; readonly condition: boolean }>();
    for (const [key, { tags, conditions }] of this.held) {
      for (const [position, condition] of conditions.entries()) {
        const slot = slotOf(tags, position);
        if (slot === '' || slot === '1') continue;
        const other = known.get(`${position} ${slot}`);
        if (other === undefined) known.set(`${position} ${slot}`, { key, condition });
        else claim(other.condition === condition, `one value is both in and out at position ${position}: rows ${other.key} and ${key}`);
      }
    }
  }

  private change({ key, value, old_value, headers }: ShapeMessage): void {
    claim(key !== undefined && value !== undefined, 'a message is neither a change, nor an event, nor a control');
    const operation = String(headers['operation']);
    const before = this.held.get(key);
    const told = this.uniform(value);
    if (operation === 'insert') {
      claim(before === undefined, `insert of a row that is there: ${key}`);
      this.insert(key, told, headers);
    } else if (before === undefined) {
      claim(false, `${operation} of a row that is not there: ${key}`);
    } else if (operation === 'update') {
      this.update(key, before, { told, old: this.uniform(old_value ?? {}) }, headers);
    } else {
      claim(operation === 'delete', `unknown operation ${operation}`);
      this.delete(key, before, told);
    }
  }

  private insert(key: string, told: ShapeRow, headers: ShapeMessage['headers']): void {
    claim(sameNames(told, this.rules.columns), `insert without some column, or with one too many: ${key}`);
    this.hold(key, { row: told, ...this.placeOf(headers) });
  }

  private update(
    key: string,
    before: HeldRow,
    { told, old }: { readonly told: ShapeRow; readonly old: ShapeRow },
    headers: ShapeMessage['headers'],
  ): void {
    claim(this.rules.keys.every((name) => told[name] === before.row[name]), `update of ${key} with another key in its value`);
    const row = { ...before.row, ...told };
    claim(sameNames(row, this.rules.columns), `update of ${key} with an unknown column`);
    if (this.rules.replica === 'full') this.claimWhole(key, before.row, told, old);
    const place = this.placeOf(headers);
    const removed = new Set(this.rules.moves === 'folded' ? textsOf(headers['removed_tags']) : []);
    claim([...removed].every((tag) => before.tags.includes(tag)), `update of ${key} removes a tag that it had not`);
    const isTold = before.tags.every((tag) => place.tags.includes(tag) !== removed.has(tag));
    claim(isTold, `update of ${key}: removed tags are not those that went`);
    this.hold(key, { row, ...place });
  }

  /** A full update tells the whole row, and as old values those that changed. */
  private claimWhole(key: string, before: ShapeRow, told: ShapeRow, old: ShapeRow): void {
    claim(sameNames(told, this.rules.columns), `full update of ${key} without the whole row`);
    const changed = this.rules.columns.filter((name) => before[name] !== told[name]);
    claim(sameNames(old, changed), `full update of ${key}: old values of ${Object.keys(old).join()}, but changed are ${changed.join()}`);
    claim(changed.every((name) => old[name] === before[name]), `full update of ${key} with an old value that never was`);
  }

  private delete(key: string, { row }: HeldRow, told: ShapeRow): void {
    const names = this.rules.replica === 'full' ? this.rules.columns : this.rules.keys;
    claim(sameNames(told, names) && names.every((name) => told[name] === row[name]), `delete of ${key} tells another row than was there`);
    this.held.delete(key);
  }

  private hold(key: string, row: HeldRow): void {
    claim(this.isVisible(row), `a row is told that its own conditions hide: ${key}`);
    this.held.set(key, row);
  }

  private placeOf(headers: ShapeMessage['headers']): Pick<HeldRow, 'tags' | 'conditions'> {
    if (this.rules.moves !== 'folded') return { tags: [], conditions: [] };
    const tags = textsOf(headers['tags']);
    const conditions = booleansOf(headers['active_conditions']);
    this.disjuncts ??= tags.map((tag) => tag.split('/').flatMap((slot, position) => (slot === '' ? [] : [position])));
    claim(tags.length > 0 && tags.length === this.disjuncts.length, 'as many tags as the shape has disjuncts');
    claim(tags.every((tag) => tag.split('/').length === conditions.length), 'a slot and a condition for each position');
    return { tags, conditions };
  }

  private isVisible({ conditions }: HeldRow): boolean {
    if (this.rules.moves !== 'folded') return true;
    return (this.disjuncts ?? []).some((positions) => positions.every((position) => conditions[position]));
  }

  private move(headers: ShapeMessage['headers']): void {
    claim(this.rules.moves !== 'none', 'an event of moves in a shape without a subquery');
    const event = String(headers['event']);
    const patterns = patternsOf(headers['patterns']);
    claim(event === 'move-in' || event === 'move-out', `unknown event ${event}`);
    claim(patterns.length > 0 && Array.isArray(headers['txids']), `${event} without patterns or without txids`);
    if (this.rules.moves === 'ignored') return;
    for (const [key, held] of this.held) this.moveRow(key, held, patterns, event === 'move-in');
  }

  private moveRow(key: string, { row, tags, conditions }: HeldRow, patterns: readonly Pattern[], comes: boolean): void {
    const moved = new Set(patterns.filter(({ pos, value }) => slotOf(tags, pos) === value).map(({ pos }) => pos));
    if (moved.size === 0) return;
    const after = { row, tags, conditions: conditions.map((condition, position) => (moved.has(position) ? comes : condition)) };
    if (this.isVisible(after)) this.held.set(key, after);
    else this.held.delete(key);
  }

  private uniform(row: ShapeRow): ShapeRow {
    const { booleans } = this.rules;
    return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, booleans.includes(name) ? whole(value) : value]));
  }
}

function claim(holds: boolean, sentence: string): asserts holds {
  if (!holds) throw new ProtocolViolation(sentence);
}

/** What the disjunct that uses the position says there. */
function slotOf(tags: readonly string[], position: number): string {
  return tags.map((tag) => tag.split('/')[position] ?? '').find((slot) => slot !== '') ?? '';
}

function sameNames(row: ShapeRow, names: readonly string[]): boolean {
  return Object.keys(row).length === names.length && names.every((name) => name in row);
}

function whole(value: string | null): string | null {
  return value === 't' ? 'true' : value === 'f' ? 'false' : value;
}

function textsOf(told: unknown): string[] {
  claim(Array.isArray(told) && told.every((text) => typeof text === 'string'), 'tags and removed tags are lists of texts');
  return told;
}

function booleansOf(told: unknown): boolean[] {
  claim(Array.isArray(told) && told.every((flag) => typeof flag === 'boolean'), 'active conditions are a list of booleans');
  return told;
}

function patternsOf(told: unknown): Pattern[] {
  claim(Array.isArray(told) && told.every(isPattern), 'patterns are positions with values');
  return told;
}

function isPattern(told: unknown): told is Pattern {
  return typeof told === 'object' && told !== null && 'pos' in told && 'value' in told
    && typeof told.pos === 'number' && typeof told.value === 'string';
}
