import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Pid } from '../../../src/otp/process.ts';
import { ProcessTable } from '../../../src/otp/kernel/process-table.ts';

const processOf = (serial: number) => ({ serial, pid: `a/b${serial % 3}#${serial}` as Pid });

test('is a map by pid, whatever is added and taken out in whatever order', () => {
  const changes = fc.array(fc.tuple(fc.nat(300), fc.boolean()), { maxLength: 200 });
  fc.assert(
    fc.property(changes, (told) => {
      const table = new ProcessTable<ReturnType<typeof processOf>>();
      const model = new Map<Pid, ReturnType<typeof processOf>>();
      for (const [serial, isAdded] of told) {
        const process = model.get(processOf(serial).pid) ?? processOf(serial);
        if (isAdded && !model.has(process.pid)) table.add(process);
        if (!isAdded) table.delete(process);
        if (isAdded) model.set(process.pid, process);
        else model.delete(process.pid);
      }

      const bySerial = [...table.values()].sort((one, other) => one.serial - other.serial);
      expect({ size: table.size, all: bySerial, found: bySerial.map(({ pid }) => table.get(pid)) }).toEqual({
        size: model.size,
        all: [...model.values()].sort((one, other) => one.serial - other.serial),
        found: bySerial,
      });
    }),
  );
});

test.each(['a/b1#1x', 'a/b1#', 'a/b1', '#', '', '1', 'a/c#1', 'a/b1#01', 'a/b1#-1', 'a/b1#99999999999999999999'])(
  'finds nobody under %j',
  (text) => {
    const table = new ProcessTable<ReturnType<typeof processOf>>();
    table.add(processOf(1));

  expect(table.get(text as Pid)).toBeUndefined();
});

test('a page vanishes with the last process on it, and not before', () => {
  const table = new ProcessTable<ReturnType<typeof processOf>>();
  const pageCount = () => Reflect.get(table, 'pages').size;
  for (const serial of [1, 2, 70]) table.add(processOf(serial));
  const counts = [1, 2, 70].map((serial) => {
    table.delete(processOf(serial));
    return pageCount();
  });

  expect(counts).toEqual([2, 1, 0]);
});
