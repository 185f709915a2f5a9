/** Specifications: what is filled in, what is refused with which code, and in which order the fields are checked. */
import { describe, expect, test } from 'vitest';
import {
  checkChildSpecs, InvalidSpecError, supervisorFault, dynamicSupervisorFault, type SpecFault,
} from '../../../../src/otp/supervision/child-spec-faults.ts';
import { dynamicSupervisor } from '../../../../src/otp/supervision/dynamic-supervisor.ts';
import { supervisor } from '../../../../src/otp/supervision/supervisor.ts';
import { puppetSpec } from '../../../support/otp/puppet.ts';

type Fields = Readonly<Record<string, unknown>>;

const start = () => puppetSpec();
const valid: Fields = { id: 'a', start };
const top: Fields = { strategy: 'one_for_one', children: [] };

describe('a child', () => {
  test.each([
    ['S5-003 no id', { start }, { code: 'missing_id' }],
    ['S5-003 no start', { id: 'a' }, { code: 'missing_start' }],
    ['S5-003 neither: the id is missed first', {}, { code: 'missing_id' }],
    ['S5-004 a start that is no function', { id: 'a', start: ['m', 'f', []] }, { code: 'invalid_start', value: ['m', 'f', []] }],
    ['S5-005 no such restart', { ...valid, restart: 'prmanent' }, { code: 'invalid_restart_type', value: 'prmanent' }],
    ['S5-006 a negative time to stop', { ...valid, shutdown: -1 }, { code: 'invalid_shutdown', value: -1 }],
    ['S5-006 half a millisecond to stop', { ...valid, shutdown: 0.5 }, { code: 'invalid_shutdown', value: 0.5 }],
    ['S5-006 no such way to stop', { ...valid, shutdown: 'brutally' }, { code: 'invalid_shutdown', value: 'brutally' }],
    ['S5-007 no such type', { ...valid, type: 'wrker' }, { code: 'invalid_child_type', value: 'wrker' }],
    ['S5-009 neither significant nor not', { ...valid, significant: 'yes' }, { code: 'invalid_significant', value: 'yes' }],
    [
      'S5-011 significant and permanent',
      { ...valid, significant: true, restart: 'permanent' },
      { code: 'bad_combination', value: { restart: 'permanent', significant: true } },
    ],
    [
      'S5-011 significant and permanent by default',
      { ...valid, significant: true },
      { code: 'bad_combination', value: { restart: 'permanent', significant: true } },
    ],
    ['S5-014 no object', 'a child', { code: 'invalid_child_spec', value: 'a child' }],
    ['S5-014 a list', ['a', start], { code: 'invalid_child_spec', value: ['a', start] }],
  ] as const)('S5-003 S5-004 S5-005 S5-006 S5-007 S5-009 S5-011 S5-014 refused: %s', (_, spec, fault) => {
    expect(checkChildSpecs([spec], 'any_significant')).toEqual(fault);
  });

  test.each([0, 1, 'infinity', 'brutal_kill'].flatMap((shutdown) => ['worker', 'supervisor'].map((type) => [type, shutdown])))(
    'S5-006 a %s may have %s to stop',
    (type, shutdown) => {
      expect(checkChildSpecs([{ ...valid, type, shutdown }])).toBeUndefined();
    },
  );

  test('S5-010 significant under a supervisor that never shuts itself down: this is said before that it is permanent', () => {
    expect(checkChildSpecs([{ ...valid, significant: true }], 'never')).toEqual({
      code: 'bad_combination',
      value: { autoShutdown: 'never', significant: true },
    });
  });

  test('S5-013 what else stands in a specification does no harm', () => {
    const faults = [
      checkChildSpecs([{ ...valid, colour: 'red' }]),
      supervisorFault({ ...top, colour: 'red' }),
      dynamicSupervisorFault({ templates: {}, colour: 'red' }),
    ];

    expect(faults).toEqual([undefined, undefined, undefined]);
  });

  test('S5-012 the whole product of all values: a fault is a combination that contradicts itself, and nothing else', () => {
    const products = product({
      autoShutdown: ['never', 'any_significant', 'all_significant'],
      restart: [undefined, 'permanent', 'transient', 'temporary'],
      shutdown: [undefined, 0, 5_000, 'infinity', 'brutal_kill'],
      type: [undefined, 'worker', 'supervisor'],
      significant: [undefined, true, false],
      colour: [undefined, 'red'],
    });

    const found = products.map(
      ({ autoShutdown, ...fields }) => checkChildSpecs([{ ...valid, ...withoutUndefined(fields) }], autoShutdown)?.code,
    );

    const predicted = products.map(({ autoShutdown, restart = 'permanent', significant }) =>
      significant === true && (autoShutdown === 'never' || restart === 'permanent') ? 'bad_combination' : undefined,
    );
    expect({ checked: found.length, found }).toEqual({ checked: 1_080, found: predicted });
  });

  test('S5-021 the first fault is found: in the order id, start, form of start, restart, significant, type, shutdown', () => {
    const faulty: Fields = { restart: 'often', significant: 1, type: 'boss', shutdown: -1 };
    const cures: readonly Fields[] = [
      {},
      { id: 'a' },
      { start: 1 },
      { start },
      { restart: 'transient' },
      { significant: false },
      { type: 'worker' },
      { shutdown: 0 },
    ];

    expect(codesWhileCured(faulty, cures, (spec) => checkChildSpecs([spec]))).toEqual([
      'missing_id',
      'missing_start',
      'invalid_start',
      'invalid_restart_type',
      'invalid_significant',
      'invalid_child_type',
      'invalid_shutdown',
      undefined,
    ]);
  });
});

describe('a list of children', () => {
  test('S5-015 no two of one id', () => {
    expect(checkChildSpecs([valid, { ...valid, id: 'b' }, valid])).toEqual({ code: 'duplicate_child_name', value: 'a' });
  });

  test('S5-016 it is one, the first fault in it is told, and an autoShutdown that there is not is refused', () => {
    const faults = [
      checkChildSpecs(valid),
      checkChildSpecs([]),
      checkChildSpecs([valid, { ...valid, id: 'b', shutdown: -1 }, { id: 'c' }]),
      checkChildSpecs([valid], 'sometimes'),
    ];

    expect(faults).toEqual([
      { code: 'badarg', value: valid },
      undefined,
      { code: 'invalid_shutdown', value: -1 },
      { code: 'badarg', value: 'sometimes' },
    ]);
  });
});

describe('a supervisor', () => {
  test.each([
    ['S5-019 no such strategy', { strategy: 'one_for_none' }, { code: 'invalid_strategy', value: 'one_for_none' }],
    ['S5-025 no strategy', { strategy: undefined }, { code: 'invalid_strategy', value: undefined }],
    ['S5-019 a negative number of restarts', { maxRestarts: -1 }, { code: 'invalid_intensity', value: -1 }],
    ['S5-019 half a restart', { maxRestarts: 0.5 }, { code: 'invalid_intensity', value: 0.5 }],
    ['S5-019 restarts without limit', { maxRestarts: 'infinity' }, { code: 'invalid_intensity', value: 'infinity' }],
    ['S5-019 restarts without limit, as a number', { maxRestarts: Infinity }, { code: 'invalid_intensity', value: Infinity }],
    ['S5-019 no period', { maxSeconds: 0 }, { code: 'invalid_period', value: 0 }],
    ['S5-019 a period without end', { maxSeconds: 'infinity' }, { code: 'invalid_period', value: 'infinity' }],
    ['S5-019 no such autoShutdown', { autoShutdown: 'sometimes' }, { code: 'invalid_auto_shutdown', value: 'sometimes' }],
    ['S5-018 a faulty child', { children: [{ id: 'a' }] }, { code: 'missing_start' }],
    ['S5-018 children that are no list', { children: 'a' }, { code: 'badarg', value: 'a' }],
    ['S5-027 a name that is none', { name: 'top' }, { code: 'invalid_name', value: 'top' }],
  ] as const)('S5-018 S5-019 S5-025 S5-027 is not made: %s', (_, fields, fault) => {
    expect(supervisorFault({ ...top, ...fields })).toEqual(fault);
  });

  test('S5-019 is not made of what is no specification', () => {
    expect([supervisorFault('top'), dynamicSupervisorFault([])]).toEqual([
      { code: 'invalid_type', value: 'top' },
      { code: 'invalid_type', value: [] },
    ]);
  });

  test('S5-020 the first fault is found: in the order strategy, intensity, period, autoShutdown, combination', () => {
    const faulty: Fields = {
      strategy: 'none',
      maxRestarts: -1,
      maxSeconds: 0,
      autoShutdown: 'often',
      children: [{ ...valid, restart: 'transient', significant: true }],
    };
    const cures: readonly Fields[] = [
      {},
      { strategy: 'one_for_all' },
      { maxRestarts: 0 },
      { maxSeconds: 1 },
      { autoShutdown: 'never' },
      { autoShutdown: 'any_significant' },
    ];

    expect(codesWhileCured(faulty, cures, supervisorFault)).toEqual([
      'invalid_strategy', 'invalid_intensity', 'invalid_period', 'invalid_auto_shutdown', 'bad_combination', undefined,
    ]);
  });

  test('S5-018 the fault is thrown where the supervisor is specified, before there is any process (OTP: the start returns it)', () => {
    const thrown = [
      thrownBy(() => supervisor({ strategy: 'one_for_one', children: [{ id: 'a', start, shutdown: -1 }] })),
      thrownBy(() => dynamicSupervisor({ templates: {}, maxChildren: -1 })),
    ];

    expect(thrown).toEqual([
      new InvalidSpecError({ code: 'invalid_shutdown', value: -1 }),
      new InvalidSpecError({ code: 'invalid_max_children', value: -1 }),
    ]);
  });
});

test.each([
  ['any_significant', { code: 'invalid_auto_shutdown', value: 'any_significant' }],
  ['all_significant', { code: 'invalid_auto_shutdown', value: 'all_significant' }],
  ['never', undefined],
])('S5-022 S6-002 a dynamic supervisor shuts itself down: %s', (autoShutdown, fault) => {
  expect(dynamicSupervisorFault({ templates: {}, autoShutdown })).toEqual(fault);
});

test('S5-023 a dynamic supervisor may have no template, one, or many (OTP: exactly one specification)', () => {
  const template = () => ({ start });

  const faults = [{}, { template }, { template, other: template }].map((templates) => dynamicSupervisorFault({ templates }));

  expect(faults).toEqual([undefined, undefined, undefined]);
});

function codesWhileCured(faulty: Fields, cures: readonly Fields[], check: (spec: Fields) => SpecFault | undefined): readonly unknown[] {
  return cures.map((_, index) => check(Object.assign({}, faulty, ...cures.slice(0, index + 1)) as Fields)?.code);
}

function product(values: Readonly<Record<string, readonly unknown[]>>): readonly Fields[] {
  return Object.entries(values).reduce<readonly Fields[]>(
    (all, [field, choices]) => all.flatMap((fields) => choices.map((choice) => ({ ...fields, [field]: choice }))),
    [{}],
  );
}

function withoutUndefined(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function thrownBy(make: () => unknown): unknown {
  try {
    return make();
  } catch (error) {
    return error;
  }
}
