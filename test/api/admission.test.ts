/** Permits: counted once each, whatever order their ends come in. */
import { expect, test } from 'vitest';
import { Admission, type Permit } from '../../src/api/admission.ts';
import { invariant } from '../../src/base/invariant.ts';
import { seededRandom } from '../../src/base/random.ts';

function admitted(): { readonly admission: Admission; readonly permit: Permit } {
  const admission = new Admission({ initial: 1, existing: 1 }, seededRandom(1));
  const permit = admission.acquire('initial');
  invariant('release' in permit, 'the first is admitted');
  return { admission, permit };
}

const held = (admission: Admission) => [admission.held('initial'), admission.held('existing')];

test('a permit that is released twice was held once', () => {
  const { admission, permit } = admitted();
  permit.release();
  permit.release();
  expect(held(admission)).toEqual([0, 0]);
});

test('a promotion moves a permit to the readers, once; behind its release it changes nothing', () => {
  const { admission, permit } = admitted();
  permit.promote();
  permit.promote();
  const promoted = held(admission);
  permit.release();
  permit.promote();
  expect([promoted, held(admission)]).toEqual([
    [0, 1],
    [0, 0],
  ]);
});

test('each refusal is counted by its class', () => {
  const { admission, permit } = admitted();
  admission.acquire('initial');
  admission.acquire('initial');
  permit.release();
  admission.acquire('initial');
  expect([admission.refusals('initial'), admission.refusals('existing')]).toEqual([2, 0]);
});
