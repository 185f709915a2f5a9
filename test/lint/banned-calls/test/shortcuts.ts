import { describe, expect, it, test, vi } from 'vitest';
import { createActor } from 'xstate'; // refused: no-restricted-imports

vi.mock('../src/api/seams.ts'); // refused: no-restricted-properties
it.only('is alone', () => { expect(createActor).toBeDefined(); }); // refused: no-restricted-syntax
test.skip('is left out', () => undefined); // refused: no-restricted-syntax
test.todo('is promised'); // refused: no-restricted-syntax
describe.only.each([1])('is alone with %i', () => undefined); // refused: no-restricted-syntax
it('fails by hand', () => expect.fail('no reason')); // refused: no-restricted-properties
it('sleeps', () => new Promise((done) => { setTimeout(done, 10); })); // refused: no-restricted-globals
it('reads the time', () => { expect(Date.now()).toBeGreaterThan(0); }); // refused: no-restricted-properties
