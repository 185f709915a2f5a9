import { expect, test } from 'vitest';
import { parsePgSnapshot } from '../../src/model/pg-snapshot.ts';
import { LSN_ZERO } from '../../src/model/lsn.ts';
import { ShownSnapshots } from '../../src/shapes/shown-snapshots.ts';

const snapshot = (text: string) => parsePgSnapshot(text, LSN_ZERO);

test('a snapshot that is older than one that was shown of the shape lacks what that saw, whatever was shown of others', () => {
  const shown = new ShownSnapshots<object>();
  const [shape, other] = [{}, {}];
  const asked = () => ['5:9:7', '5:9:', '5:12:'].map((text) => shown.areSeenBy(shape, snapshot(text)));
  shown.note(other, snapshot('5:20:'));
  const before = asked();
  shown.note(shape, snapshot('5:9:'));
  shown.note(shape, snapshot('5:9:7'));

  expect([before, asked()]).toEqual([[true, true, true], [false, true, true]]);
});
