/** Brings a shape along the log, as its Consumer does: whole transactions, parts of large ones, and splices before those that move. */
import { invariant } from '../../../src/base/invariant.ts';
import { compareOffsets, offsetOf, type LogOffset } from '../../../src/model/log-offset.ts';
import type { LogPosition } from '../../../src/model/log-position.ts';
import type { LoggedTransaction } from '../../../src/model/transaction.ts';
import type { ShapeLog } from '../../../src/storage/shapes/shape-logs.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { bytes, lsn, text, upTo } from '../../support/storage/stored-samples.ts';
import { broughtBy, splicedLines, spliceLsn, type WholeAccount } from './account.ts';
import { changesIn, isMove, lineFor, lsnAt, type Kind } from './table.ts';

export const BLOCK_BYTES = 300;

export class Follower {
  constructor(
    private readonly storage: Storage,
    private readonly account: WholeAccount,
    private readonly shape: ShapeLog,
    private readonly kind: Kind,
  ) {}

  async follow(through: LogPosition): Promise<void> {
    const { log, shapes } = this.storage;
    for (let after = this.shape.position; after < through; ) {
      const block = await log.read({ after, through }, upTo(BLOCK_BYTES));
      let isInside = false;
      for (const transaction of block.transactions) {
        await this.take(transaction);
        isInside = transaction.isUnfinished;
      }
      if (isInside) await shapes.spill(this.shape.handle);
      else this.shape.publish(block.through);
      after = block.through;
    }
  }

  private async take({ lsn: at, end, fragments, isUnfinished }: LoggedTransaction): Promise<void> {
    const commit = Number(at) / lsnAt(1);
    const changes = fragments.map(text).flatMap(changesIn);
    if (this.kind === 'outer' && changes.some(isMove)) await this.spliceBefore(commit);
    for (const change of changes) {
      const line = lineFor(this.kind, commit, change);
      if (line !== undefined) this.shape.append(at, change.position, bytes(line));
    }
    if (this.kind === 'outer' && !isUnfinished) this.shape.publish(end);
  }

  /** Asks for rows once: what is recorded already is made as it was recorded. */
  private async spliceBefore(commit: number): Promise<void> {
    const { shape } = this;
    const first = offsetOf(lsn(spliceLsn(commit)), 0);
    if (compareOffsets(first, shape.end) <= 0) return;
    if (shape.nextSplice === undefined) await this.record(commit);
    for (const { offset, text: line } of splicedLines(commit, await this.brought(commit))) {
      shape.append(lsn(spliceLsn(commit)), Number(offset.split('_')[1]), bytes(line));
    }
    shape.takeSplice();
  }

  private async record(commit: number): Promise<void> {
    const { shape, account, storage } = this;
    const { asked } = account.spliceOf(shape.handle, commit);
    const brought = broughtBy(commit, asked.length);
    account.noteSplice(shape.handle, commit, { asked: [...asked, brought] });
    const writer = shape.beginMoved();
    for (const row of brought.match(/.*\n/g) ?? []) await writer.write(bytes(row));
    const rows = await writer.complete();
    const views = [offsetOf(lsn(lsnAt(commit)), 0)];
    shape.recordSplice({ place: shape.position, through: shape.position, views, pgSnapshot: null, first: shape.end, rows });
    await storage.log.sync();
    account.noteSplice(shape.handle, commit, { asked: [...asked, brought], told: brought });
  }

  /** By what was recorded, which is durable by now. */
  private async brought(commit: number): Promise<string> {
    const { shape, account } = this;
    const splice = shape.nextSplice;
    invariant(splice !== undefined, 'it is recorded');
    const views: readonly LogOffset[] = [offsetOf(lsn(lsnAt(commit)), 0)];
    invariant(String(splice.views) === String(views), `the next splice of ${shape.handle} is that of ${commit}`);
    const parts: Uint8Array[] = [];
    for (let at = 0; at < (splice.rows?.bytes ?? 0); at += parts.at(-1)?.length ?? 1) parts.push(await shape.readMoved(at));
    const brought = Buffer.concat(parts).toString();
    const { asked, told = brought } = account.spliceOf(shape.handle, commit);
    invariant(asked.includes(brought) && told === brought, `splice ${commit} of ${shape.handle} brings what was recorded`);
    account.noteSplice(shape.handle, commit, { asked, told });
    return brought;
  }
}
