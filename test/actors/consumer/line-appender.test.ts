import { expect, test } from 'vitest';
import type { LogOffset } from '../../../src/model/log-offset.ts';
import type { Lsn } from '../../../src/model/lsn.ts';
import { LineAppender } from '../../../src/actors/consumer/line-appender.ts';
import { PlacedLines } from '../../../src/model/placed-lines.ts';
import { memoryStorage } from '../../../src/storage/memory-storage.ts';
import { handleOf, shapeOf } from '../../support/shapes.ts';
import { bytes, entriesOf, snapshotOf } from '../../support/storage/stored-samples.ts';

const inner = shapeOf({});
const outer = { ...shapeOf({ where: { column: 'title', equals: 'x' } }), dependencies: [{ shape: inner, column: 'id' }] };

async function appenderTo(definition: typeof inner) {
  const shapeLog = memoryStorage().shapes.create(handleOf(1), definition);
  await snapshotOf(shapeLog, []);
  const appender = new LineAppender(shapeLog);
  const splice = (first: string) => {
    appender.goOnBehind(first as LogOffset);
    const { position } = shapeLog;
    shapeLog.recordSplice({ place: position, through: position, views: [], pgSnapshot: null, first: first as LogOffset, rows: null });
    shapeLog.takeSplice();
  };
  const offsets = async () => {
    shapeLog.publish(shapeLog.position);
    return (await entriesOf(shapeLog.read('0_inf' as LogOffset))).map(({ offset }) => offset);
  };
  return { appender, shapeLog, splice, offsets };
}

const lines = (...positions: number[]) => PlacedLines.of(positions.map((position) => ({ position, bytes: bytes('"x"') })));

test('an operation that the log has already is dropped', async () => {
  const { appender, offsets } = await appenderTo(inner);
  appender.append('5' as Lsn, lines(0, 2));
  appender.append('5' as Lsn, lines(2, 4));
  appender.append('4' as Lsn, lines(0));

  expect(await offsets()).toEqual(['5_0', '5_2', '5_4']);
});

test('what is appended is counted, without its commas, and what the log has already is not', async () => {
  const { appender } = await appenderTo(inner);
  appender.append('5' as Lsn, lines(0, 2));
  appender.append('5' as Lsn, lines(2, 4, 6));

  expect(appender).toMatchObject({ lines: 4, bytes: 4 * bytes('"x"').length });
});

test('where a shape depends on others, an operation behind a splice goes on from where readers of event streams stand', async () => {
  const { appender, offsets } = await appenderTo(outer);
  appender.append('5' as Lsn, lines(0));
  appender.finish();
  appender.goOnBehind('9_0' as LogOffset);
  appender.appendNext(bytes('"moved"'));
  appender.appendNext(bytes('"moved"'));
  appender.finish();
  for (const lsn of ['7', '8']) {
    appender.append(lsn as Lsn, lines(0, 2));
    appender.finish();
  }
  appender.append('20' as Lsn, lines(4));

  expect(await offsets()).toEqual(['5_0', '9_1', '9_2', '10_1', '10_2', '11_1', '11_2', '20_4']);
});

test('where a shape depends on others, nothing stands in the place at which readers of event streams do', async () => {
  const { appender, offsets } = await appenderTo(outer);
  for (const lsn of ['5', '6']) {
    appender.append(lsn as Lsn, lines(0, 2));
    appender.finish();
  }
  appender.goOnBehind('6_0' as LogOffset);
  appender.appendNext(bytes('"moved"'));

  expect(await offsets()).toEqual(['5_0', '5_2', '6_1', '6_2', '7_1']);
});

test('the parts of one transaction have one LSN, and whoever appends the next begins behind what is shown', async () => {
  const { appender, shapeLog, splice, offsets } = await appenderTo(outer);
  splice('9_0');
  appender.append('7' as Lsn, lines(0));
  appender.append('7' as Lsn, lines(2));
  appender.finish();
  await offsets();
  const another = new LineAppender(shapeLog);
  another.append('8' as Lsn, lines(0));

  expect(await offsets()).toEqual(['9_1', '9_2', '10_1']);
});

test('splices that brought no line do not move the end, and what comes next stands behind all of them, whoever appends it', async () => {
  const { appender, shapeLog, splice, offsets } = await appenderTo(outer);
  appender.append('5' as Lsn, lines(0));
  appender.finish();
  splice('9_0');
  splice('8_0');
  const { end } = appender;
  await offsets();
  const another = new LineAppender(shapeLog);
  another.append('7' as Lsn, lines(0, 2));

  expect([end, await offsets()]).toEqual(['5_0', ['5_0', '9_1', '9_2']]);
});

test('nothing stands before the end of the snapshot, and the end never goes back', async () => {
  const { appender, offsets } = await appenderTo(outer);
  appender.appendNext(bytes('"moved"'));
  appender.goOnBehind('0_0' as LogOffset);
  appender.appendNext(bytes('"moved"'));

  expect(await offsets()).toEqual(['1_1', '1_2']);
});
