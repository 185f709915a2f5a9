/** `<lsn>_0` of an up-to-date lies behind all that was sent and before all that may come: some clients go on from there. */
import { compareOffsets, offsetOf, type LogOffset } from '../../src/model/log-offset.ts';
import type { Handle } from '../../src/model/shape.ts';
import type { LayeredWorld } from '../support/layers/layered-world.ts';

/** Looks before each delivery at what readers would be told, and at what has come since. */
export class ToldOffsets {
  private readonly told = new Map<Handle, LogOffset>();
  private readonly ends = new Map<Handle, LogOffset>();

  /** @returns entries that came behind an up-to-date, and stand before what that told. */
  early(world: LayeredWorld): readonly string[] {
    return [...world.storage.shapes.all()].flatMap((log) => {
      const { handle, end, snapshot } = log;
      const [told, before] = [this.told.get(handle), this.ends.get(handle)];
      const first = before === undefined || before === end ? undefined : world.ledgers.get(handle)?.firstBehind(before);
      const isEarly = told !== undefined && first !== undefined && compareOffsets(first, told) <= 0;
      const tells = offsetOf(world.promisedLsn(log), 0);
      const isTold = snapshot.state !== 'awaited' && world.isServed(log);
      if (isTold && (told === undefined || compareOffsets(tells, told) > 0)) this.told.set(handle, tells);
      this.ends.set(handle, end);
      return isEarly ? [`${handle} was up to date at ${told}, and ${first} came`] : [];
    });
  }
}
