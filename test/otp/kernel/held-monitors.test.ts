/** The monitors that a process holds, against a list of them. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HeldMonitors } from '../../../src/otp/kernel/held-monitors.ts';
import type { Address } from '../../../src/otp/process.ts';

const ADDRESSES = ['one#1', 'two#2', 'three#3'] as Address[];
/** Several of each address, and more than are looked through. */
const MONITORS = [1, 2, 3].flatMap((number) => ADDRESSES.map((address) => ({ number, address })));
const anyStep = fc.record({ does: fc.constantFrom('add', 'delete'), which: fc.constantFrom(...MONITORS) } as const);

test('it holds what was added and not deleted, in order for each address', () => {
  const run = fc.property(fc.array(anyStep, { maxLength: 40 }), (steps) => {
    const [held, model] = [new HeldMonitors<(typeof MONITORS)[number]>(), new Set<(typeof MONITORS)[number]>()];
    for (const { does, which } of steps) {
      held[does](which);
      model[does](which);
    }

    const of = (address: Address) => [...model].filter((monitor) => monitor.address === address);
    const watched = new Set([...model].map(({ address }) => address));
    const { size } = held;
    const all = [...held];
    const told = { size, all: new Set(all), addresses: new Set(held.addresses()), each: ADDRESSES.map((at) => held.of(at)) };
    expect({ ...told, count: all.length }).toEqual({
      size: watched.size, all: model, addresses: watched, each: ADDRESSES.map(of), count: model.size,
    });
  });
  fc.assert(run);
});
