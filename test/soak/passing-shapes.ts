/** PassingShapes: shapes that are made all the time. Half are read for a while and deleted, the others left unread until they expire. */
import { ShapeFollower } from '../support/service/shape-follower.ts';
import { shapeOf } from './workload.ts';

/** So many are read before the oldest of them is deleted. */
const READ_MAX = 8;

export class PassingShapes {
  made = 0;
  deleted = 0;
  private readonly read: { readonly follower: ShapeFollower; readonly number: number }[] = [];

  constructor(private readonly shapeUrl: string) {}

  /** Makes one, reads on in those that are read, and deletes one when these are many. */
  async step(): Promise<void> {
    const { shapeUrl, read } = this;
    this.made += 1;
    const follower = new ShapeFollower(shapeUrl, shapeOf(this.made));
    await follower.catchUp();
    if (this.made % 2 === 0) read.push({ follower, number: this.made });
    for (const { follower: each } of read) await each.catchUp();
    const oldest = read.length > READ_MAX ? read.shift() : undefined;
    if (oldest !== undefined) await this.delete(oldest.number, oldest.follower.handle ?? '');
  }

  private async delete(number: number, handle: string): Promise<void> {
    const query = new URLSearchParams({ ...shapeOf(number), handle });
    const { status } = await fetch(`${this.shapeUrl}?${query.toString()}`, { method: 'DELETE' });
    if (status !== 202) throw new Error(`DELETE of a shape: status ${status}`);
    this.deleted += 1;
  }
}
