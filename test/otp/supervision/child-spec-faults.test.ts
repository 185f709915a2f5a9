import { expect, test } from 'vitest';
import type { DynamicSupervisorSpec, SupervisorSpec } from '../../../src/otp/supervision/child-spec.ts';
import { checkChildSpecs, InvalidSpecError, type SpecFault } from '../../../src/otp/supervision/child-spec-faults.ts';
import { dynamicSupervisor } from '../../../src/otp/supervision/dynamic-supervisor.ts';
import { supervisor } from '../../../src/otp/supervision/supervisor.ts';
import { puppetSpec } from '../../support/otp/puppet.ts';

const start = () => puppetSpec();
const valid = { id: 'a', start };

function faultOf(make: () => unknown): SpecFault | undefined {
  try {
    make();
    return undefined;
  } catch (error) {
    if (error instanceof InvalidSpecError) return error.fault;
    throw error;
  }
}

test.each([
  [{}, { code: 'missing_id' }],
  [{ id: 'a' }, { code: 'missing_start' }],
  [{ id: '', start }, { code: 'invalid_id', value: '' }],
  [{ id: 'a', start: 'puppet', restart: 'often' }, { code: 'invalid_start', value: 'puppet' }],
  [{ ...valid, restart: 'often', significant: 1 }, { code: 'invalid_restart_type', value: 'often' }],
  [{ ...valid, significant: 1, type: 'boss' }, { code: 'invalid_significant', value: 1 }],
  [{ ...valid, type: 'boss', shutdown: -1 }, { code: 'invalid_child_type', value: 'boss' }],
  [{ ...valid, shutdown: -1 }, { code: 'invalid_shutdown', value: -1 }],
  [{ ...valid, shutdown: 'soon' }, { code: 'invalid_shutdown', value: 'soon' }],
  [{ ...valid, significant: true }, { code: 'bad_combination', value: { restart: 'permanent', significant: true } }],
  ['a', { code: 'invalid_child_spec', value: 'a' }],
])('the first fault of %o is %o', (spec, fault) => {
  expect(checkChildSpecs([valid, spec])).toEqual(fault);
});

test('finds what a list has wrong as a whole', () => {
  const transient = { ...valid, restart: 'transient', significant: true };

  const faults = [
    checkChildSpecs([valid, valid]),
    checkChildSpecs('a'),
    checkChildSpecs([], 'often'),
    checkChildSpecs([transient]),
    checkChildSpecs([transient], 'never'),
  ];

  expect(faults).toEqual([
    { code: 'duplicate_child_name', value: 'a' },
    { code: 'badarg', value: 'a' },
    { code: 'badarg', value: 'often' },
    undefined,
    { code: 'bad_combination', value: { autoShutdown: 'never', significant: true } },
  ]);
});

test('every combination that contradicts nothing is valid, whatever else stands there', () => {
  const shutdowns = [undefined, 0, 1, 'infinity', 'brutal_kill'];
  const specs = ['permanent', 'transient', 'temporary'].flatMap((restart) =>
    shutdowns.flatMap((shutdown) =>
      ['worker', 'supervisor'].flatMap((type) =>
        [true, false]
          .filter((significant) => !significant || restart !== 'permanent')
          .map((significant) => ({ ...valid, restart, type, significant, color: 'red', ...(shutdown === undefined ? {} : { shutdown }) })),
      ),
    ),
  );

  const faults = ['any_significant', 'all_significant'].flatMap((autoShutdown) =>
    specs.map((spec) => checkChildSpecs([spec], autoShutdown)),
  );

  expect({ checked: faults.length, faults: faults.filter((fault) => fault !== undefined) }).toEqual({ checked: 100, faults: [] });
});

test.each([
  [{ strategy: 'one_for_none', maxRestarts: -1 }, { code: 'invalid_strategy', value: 'one_for_none' }],
  [{ strategy: undefined }, { code: 'invalid_strategy', value: undefined }],
  [{ maxRestarts: -1, maxSeconds: 0 }, { code: 'invalid_intensity', value: -1 }],
  [{ maxRestarts: 'infinity' }, { code: 'invalid_intensity', value: 'infinity' }],
  [{ maxSeconds: 0, autoShutdown: 'often' }, { code: 'invalid_period', value: 0 }],
  [{ autoShutdown: 'often' }, { code: 'invalid_auto_shutdown', value: 'often' }],
  [{ name: 'top' }, { code: 'invalid_name', value: 'top' }],
  [{ templates: { a: 1 } }, { code: 'invalid_templates', value: { a: 1 } }],
  [
    { children: [{ ...valid, restart: 'transient', significant: true }] },
    { code: 'bad_combination', value: { autoShutdown: 'never', significant: true } },
  ],
  [{ children: [valid, valid] }, { code: 'duplicate_child_name', value: 'a' }],
])('a supervisor is not made of %o', (spec, fault) => {
  const full = { strategy: 'one_for_one', children: [], ...spec } as unknown as SupervisorSpec;

  expect(faultOf(() => supervisor(full))).toEqual(fault);
});

test.each([
  [{ strategy: 'one_for_all', maxRestarts: -1 }, { code: 'invalid_strategy', value: 'one_for_all' }],
  [{ maxRestarts: 0.5 }, { code: 'invalid_intensity', value: 0.5 }],
  [{ maxSeconds: 0, maxChildren: -1 }, { code: 'invalid_period', value: 0 }],
  [{ maxChildren: -1, extraArgs: [] }, { code: 'invalid_max_children', value: -1 }],
  [{ extraArgs: [], autoShutdown: 'any_significant' }, { code: 'invalid_extra_args', value: [] }],
  [{ autoShutdown: 'any_significant' }, { code: 'invalid_auto_shutdown', value: 'any_significant' }],
  [{ templates: undefined }, { code: 'invalid_templates', value: undefined }],
])('a dynamic supervisor is not made of %o', (spec, fault) => {
  const full = { templates: {}, ...spec } as unknown as DynamicSupervisorSpec;

  expect(faultOf(() => dynamicSupervisor(full))).toEqual(fault);
});
