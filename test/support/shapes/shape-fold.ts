/**
 * The rows of a shape, folded from its messages, and held to all that the protocol says of a message beyond its tags: which columns
 * it tells, what it calls old, which shapes have tags. A client that forgives hides what the service did wrong, so this one throws.
 */
import { TagFoldingClient, type EventMessage, type RowMessage, type ShapeMessage } from './tag-folding-client.ts';

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
  /** A shape with a subquery whose moves out are events has tags; no other one has. */
  readonly isTagged: boolean;
}

export class ShapeFold {
  private client = new TagFoldingClient();
  private positions: number | undefined;

  constructor(private readonly rules: FoldRules) {}

  /** @throws {ProtocolViolation} for a message that should never have come. */
  take(message: ShapeMessage): void {
    if ('key' in message) this.takeRow(this.uniform(message));
    else if ('event' in message.headers) this.takeMove({ headers: message.headers });
  }

  /** The rows by key. */
  rows(): ReadonlyMap<string, ShapeRow> {
    return this.client.rows;
  }

  clear(): void {
    this.client = new TagFoldingClient();
    this.positions = undefined;
  }

  /**
   * Holds at every *up-to-date*: whether a value is in a subquery's result does not depend on the row that has it.
   *
   * @throws {ProtocolViolation} two rows with the same hash at a position differ in its condition.
   */
  settle(): void {
    const known = new Map<string, { readonly key: string; readonly condition: boolean | undefined }>();
    for (const [key, { tags, active }] of this.client.held) {
      for (const { position, slot } of [...tags].flatMap(hashesOf)) {
        const condition = active[position];
        const other = known.get(`${position}/${slot}`) ?? { key, condition };
        known.set(`${position}/${slot}`, other);
        claim(other.condition === condition, `one value is both in and out at position ${position}: rows ${other.key} and ${key}`);
      }
    }
  }

  private takeRow(message: RowMessage): void {
    const { key, headers } = message;
    const before = this.client.held.get(key)?.values;
    this.claimMarks(message);
    if (headers.operation === 'insert') claim(sameNames(message.value, this.rules.columns), `insert without the whole row: ${key}`);
    else if (before !== undefined && headers.operation === 'update') this.claimUpdate(message, before);
    else if (before !== undefined) this.claimDelete(message, before);
    this.client.take(message);
    claim(this.client.mistakes.length === 0, `${headers.operation} of ${key}: ${this.client.mistakes[0]?.claim}`);
  }

  private claimMarks({ key, headers: { operation, tags, active_conditions: conditions } }: RowMessage): void {
    claim((tags !== undefined) === this.rules.isTagged && (conditions !== undefined) === this.rules.isTagged,
      `${operation} of ${key} ${this.rules.isTagged ? 'without tags or conditions' : 'with tags or conditions'}`);
    if (tags === undefined || conditions === undefined) return;
    this.positions ??= conditions.length;
    claim(conditions.length === this.positions && tags.every((tag) => tag.split('/').length === this.positions),
      `${operation} of ${key}: a slot and a condition for each of ${this.positions} positions`);
  }

  private claimUpdate({ key, value, old_value: old = {} }: RowMessage, before: ShapeRow): void {
    const { columns, keys, replica } = this.rules;
    claim(keys.every((name) => value[name] === before[name]), `update of ${key} with another key in its value`);
    claim(sameNames({ ...before, ...value }, columns), `update of ${key} with an unknown column`);
    if (replica === 'default') return;
    const changed = columns.filter((name) => before[name] !== value[name]);
    claim(sameNames(value, columns), `full update of ${key} without the whole row`);
    claim(sameNames(old, changed), `full update of ${key}: old values of ${Object.keys(old).join()}, but changed are ${changed.join()}`);
    claim(changed.every((name) => old[name] === before[name]), `full update of ${key} with an old value that never was`);
  }

  private claimDelete({ key, value }: RowMessage, before: ShapeRow): void {
    const names = this.rules.replica === 'full' ? this.rules.columns : this.rules.keys;
    claim(sameNames(value, names), `delete of ${key} tells ${Object.keys(value).join()}`);
    claim(names.every((name) => value[name] === before[name]), `delete of ${key} tells another row than was there`);
  }

  private takeMove(message: EventMessage): void {
    const { event, patterns } = message.headers;
    claim(this.rules.isTagged, `${event} in a shape without tags`);
    claim(patterns.length > 0, `${event} of nothing`);
    this.client.take(message);
  }

  private uniform(message: RowMessage): RowMessage {
    const { value, old_value: old } = message;
    return { ...message, value: this.whole(value), ...(old === undefined ? {} : { old_value: this.whole(old) }) };
  }

  private whole(row: Partial<ShapeRow>): ShapeRow {
    const { booleans } = this.rules;
    const whole = (name: string, value: string | null = null) => (booleans.includes(name) ? wholeText(value) : value);
    return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, whole(name, value)]));
  }
}

function claim(holds: boolean, sentence: string): asserts holds {
  if (!holds) throw new ProtocolViolation(sentence);
}

/** The slots of subqueries; those of plain terms say `1`, whatever their row. */
function hashesOf(tag: string): readonly { readonly position: number; readonly slot: string }[] {
  return tag.split('/').flatMap((slot, position) => (slot === '' || slot === '1' ? [] : [{ position, slot }]));
}

function sameNames(row: Partial<ShapeRow>, names: readonly string[]): boolean {
  return Object.keys(row).length === names.length && names.every((name) => name in row);
}

function wholeText(value: string | null): string | null {
  return value === 't' ? 'true' : value === 'f' ? 'false' : value;
}
