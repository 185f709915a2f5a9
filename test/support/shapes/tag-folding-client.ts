/**
 * A client that follows a shape with subqueries by its tags, as those of TanStack DB and Elixir do: of each row it keeps the tags
 * and the conditions, a move turns conditions of the rows whose tags it names, and a row of which no disjunct is left true goes.
 *
 * It is strict where those forgive: what a service should never send is noted as a mistake.
 */
type Values = Readonly<Record<string, string | null>>;

export interface RowMessage {
  readonly key: string;
  readonly value: Values;
  readonly old_value?: Partial<Values>;
  readonly headers: {
    readonly operation: 'insert' | 'update' | 'delete';
    readonly tags?: readonly string[];
    readonly removed_tags?: readonly string[];
    readonly active_conditions?: readonly boolean[];
  };
}

export interface EventMessage {
  readonly headers: {
    readonly event: 'move-in' | 'move-out';
    readonly patterns: readonly { readonly pos: number; readonly value: string }[];
  };
}

export interface ControlMessage {
  readonly headers: { readonly control: string };
}

export type ShapeMessage = RowMessage | EventMessage | ControlMessage;

interface HeldRow {
  readonly values: Values;
  /** None for a row of a shape whose lines have no tags: it goes by a delete alone. */
  readonly tags: ReadonlySet<string>;
  readonly active: readonly boolean[];
}

export class TagFoldingClient {
  readonly held = new Map<string, HeldRow>();
  /** What was strange, and the message that was. */
  readonly mistakes: { readonly claim: string; readonly message: ShapeMessage }[] = [];

  /** The rows that it shows, by key. */
  get rows(): ReadonlyMap<string, Values> {
    return new Map([...this.held].map(([key, { values }]) => [key, values]));
  }

  take(message: ShapeMessage): void {
    if ('key' in message) this.takeRow(message);
    else if ('event' in message.headers) this.takeMove(message.headers);
  }

  private takeRow(message: RowMessage): void {
    const held = this.held.get(message.key);
    const { operation } = message.headers;
    this.expect((operation === 'insert') === (held === undefined), 'an insert is of an absent row, all else of a present one', message);
    if (operation === 'delete') this.held.delete(message.key);
    else this.held.set(message.key, this.changed(held, message));
  }

  private changed(held: HeldRow | undefined, message: RowMessage): HeldRow {
    const { tags = [], removed_tags: removed = [], active_conditions: active = [] } = message.headers;
    const kept = [...(held?.tags ?? [])].filter((tag) => !removed.includes(tag));
    const row = { values: { ...held?.values, ...message.value }, tags: new Set([...kept, ...tags]), active };
    this.expect(removed.every((tag) => held?.tags.has(tag)), 'a tag that is removed was there', message);
    this.expect(row.tags.size === tags.length, 'what is not removed of the old tags is among the new ones', message);
    this.expect(isVisible(row), 'a row that is told is in the shape', message);
    return row;
  }

  private takeMove({ event, patterns }: EventMessage['headers']): void {
    const named = new Set(patterns.map(({ pos, value }) => slotName(pos, value)));
    for (const [key, row] of this.held) {
      const positions = [...row.tags].flatMap(slotsOf).filter(({ name }) => named.has(name)).map(({ pos }) => pos);
      const active = row.active.map((condition, pos) => (positions.includes(pos) ? event === 'move-in' : condition));
      if (isVisible({ ...row, active })) this.held.set(key, { ...row, active });
      else this.held.delete(key);
    }
  }

  private expect(holds: boolean, claim: string, message: ShapeMessage): void {
    if (!holds) this.mistakes.push({ claim, message });
  }
}

/** What a tag says of its disjunct: a slot for each of its positions, those of others are empty. */
function slotsOf(tag: string): readonly { readonly pos: number; readonly name: string }[] {
  return tag.split('/').flatMap((slot, pos) => (slot === '' ? [] : [{ pos, name: slotName(pos, slot) }]));
}

function slotName(pos: number, slot: string): string {
  return `${pos}/${slot}`;
}

function isVisible({ tags, active }: HeldRow): boolean {
  return tags.size === 0 || [...tags].some((tag) => slotsOf(tag).every(({ pos }) => active[pos] === true));
}
