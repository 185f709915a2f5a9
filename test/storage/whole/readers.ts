/**
 * Clients of a storage: who reads a log from its beginning, who stands anywhere in it, and who has some of the answers from a cache. Each
 * of them ends with the rows of the table; and where nothing was compacted each answer has the very bytes that the account expects.
 */
import type { Random } from '../../../src/base/random.ts';
import { BEFORE_ALL, compareOffsets, laterOffset, snapshotChunkIndex, type LogOffset } from '../../../src/model/log-offset.ts';
import type { Handle } from '../../../src/model/shape.ts';
import type { ShapeLog } from '../../../src/storage/shapes/shape-logs.ts';
import { StrictClient, toldOf } from '../../support/storage/row-lines.ts';
import { bodyOf } from '../../support/storage/stored-samples.ts';
import { between, type Served, type Standing, type WholeAccount } from './account.ts';
import { asClientHas } from './table.ts';

const STANDING_MAX = 12;
/** Of one shape, so many go on at each comparison. */
const STANDING_ASKED = 3;

export class Readers {
  constructor(
    private readonly account: WholeAccount,
    private readonly random: Random,
    private readonly violate: (violation: string) => void,
  ) {}

  /** Somebody reads it from its beginning, as far as it has come, and others stay where they are by then. */
  async read(shape: ShapeLog): Promise<void> {
    const { account } = this;
    const client = new StrictClient();
    for await (const answer of answersBehind(shape, BEFORE_ALL, [])) {
      client.take(answer.body);
      account.served = [...account.served, answer];
      const stays = { handle: shape.handle, at: answer.end, client: client.copy() };
      if (this.random.below(3) === 0) account.standing = [...account.standing, stays].slice(-STANDING_MAX);
    }
    if (client.complaints.length > 0) this.violate(`${shape.handle}: a reader complains of ${String(client.complaints)}`);
  }

  async compare(shape: ShapeLog, commit: number): Promise<void> {
    const { handle } = shape;
    const of = <Item extends { readonly handle: Handle }>(items: readonly Item[]) => items.filter((item) => item.handle === handle);
    const cached = of(this.account.served).filter(({ upToDate }) => !upToDate && this.random.below(2) === 0);
    const beginning = { handle, at: BEFORE_ALL, client: new StrictClient() };
    const fresh = await this.followed(shape, beginning, [], commit, 'who reads all');
    await this.followed(shape, beginning, cached, commit, 'who asks a cache');
    for (const standing of of(this.account.standing).slice(-STANDING_ASKED)) {
      const answers = this.random.below(2) === 0 ? cached : [];
      await this.followed(shape, standing, answers, commit, `who stands at ${standing.at}${answers.length > 0 ? ' and asks a cache' : ''}`);
    }
    this.compareBytes(shape, fresh, commit);
    const lastOf = new Map(of(this.account.served).map((one) => [one.after, one]));
    for (const served of lastOf.values()) if (this.random.below(2) === 0) await this.compareServed(shape, served);
  }

  private async followed(
    shape: ShapeLog, { at, client }: Standing, cached: readonly Served[], commit: number, who: string,
  ): Promise<readonly Served[]> {
    const reader = client.copy();
    const served: Served[] = [];
    for await (const answer of answersBehind(shape, at, cached)) {
      reader.take(answer.body);
      served.push(answer);
    }
    if (served.at(-1)?.upToDate !== true) this.violate(`${shape.handle}: ${who} does not come to the end`);
    this.compareRows(shape, reader, commit, who);
    return served;
  }

  private compareRows({ handle }: ShapeLog, { rows, complaints }: StrictClient, commit: number, who: string): void {
    const [found, expected] = [toldOf(rows), toldOf(asClientHas(this.account.rowsOf(handle, commit)))];
    if (found === expected && complaints.length === 0) return;
    this.violate(`${handle}: ${who} has ${found} (${String(complaints)}), not ${expected}`);
  }

  /** Behind what was compacted each answer is what the table says. */
  private compareBytes({ handle, compactedThrough }: ShapeLog, answers: readonly Served[], commit: number): void {
    const lines = this.account.linesOf(handle, commit);
    for (const { after, body, end } of answers) {
      if (after === BEFORE_ALL || snapshotChunkIndex(after) !== undefined || compareOffsets(after, compactedThrough) < 0) continue;
      const expected = between(lines, after, end);
      if (body !== expected) this.violate(`${handle} has ${body} behind ${after}, not ${expected}`);
    }
  }

  /** The same URL gives the same bytes, or more of them when the chunk was still open; but where it was compacted since. */
  private async compareServed(shape: ShapeLog, { after, body, end, upToDate, compactedThrough }: Served): Promise<void> {
    const { handle } = shape;
    const { mayGoBack } = this.account;
    const wentBack = compareOffsets(shape.compactedThrough, compactedThrough) < 0;
    if (wentBack && !mayGoBack) return this.violate(`${handle} goes back before its compaction`);
    const isAsItWas = shape.compactedThrough === compactedThrough && !mayGoBack;
    if (!isAsItWas && compareOffsets(after, laterOffset(compactedThrough, shape.compactedThrough)) < 0) return;
    const again = await answerOf(shape, after);
    const isSame = again?.body === body && (again.end === end || upToDate);
    const isMore = upToDate && (body === '' || again?.body.startsWith(`${body},`) === true);
    if (!isSame && !isMore) this.violate(`${handle} behind ${after} gave ${body}, now ${String(again?.body)}`);
  }
}

/** Reads to the end, of the answers in a cache whatever fits. */
async function* answersBehind(shape: ShapeLog, at: LogOffset, cached: readonly Served[]): AsyncGenerator<Served> {
  for (let place = at; ; ) {
    const answer = cached.find(({ after }) => after === place) ?? (await answerOf(shape, place));
    if (answer === undefined) return;
    yield answer;
    if (answer.upToDate) return;
    place = answer.end;
  }
}

async function answerOf(shape: ShapeLog, after: LogOffset): Promise<Served | undefined> {
  const { handle, compactedThrough } = shape;
  const answer = await bodyOf(shape.read(after));
  return 'body' in answer ? { handle, after, ...answer, end: answer.end as LogOffset, compactedThrough } : undefined;
}
