/**
 * SpecFault: what is wrong with a specification that breaks the rules of its types or contradicts itself.
 *
 * Specifications come from templates, from configuration, from code without types: so each field is checked, in OTP's
 * order, and the first fault is a value with a stable code. A supervisor is not made of a faulty one; a child that is
 * asked for by a faulty template is refused, and nothing is kept of it.
 */
import { inJson } from '../kernel/error-report.ts';

/** What is wrong, by a stable code. */
export type SpecFaultCode =
  | 'badarg' // Not a list of specifications, or no `autoShutdown`.
  | 'invalid_type' // A supervisor's specification that is no object.
  | 'invalid_child_spec' // A child's specification that is no object.
  | 'missing_id'
  | 'missing_start'
  | 'invalid_id' // Not a text, or empty.
  | 'invalid_start'
  | 'invalid_restart_type'
  | 'invalid_significant'
  | 'invalid_child_type'
  | 'invalid_shutdown'
  | 'bad_combination' // Significant, and permanent or under a supervisor that never shuts down by itself.
  | 'duplicate_child_name'
  | 'invalid_strategy'
  | 'invalid_intensity' // `maxRestarts` is no whole number.
  | 'invalid_period' // `maxSeconds` is no positive whole number.
  | 'invalid_auto_shutdown'
  | 'invalid_max_children'
  | 'invalid_extra_args'
  | 'invalid_templates'
  | 'invalid_partitions'
  | 'invalid_name';

/** The first fault of a specification, in OTP's order of fields. */
export interface SpecFault {
  /** What is wrong. */
  readonly code: SpecFaultCode;
  /** What stood there. */
  readonly value?: unknown;
}

/** A supervisor cannot be made of this specification, and none was. */
export class InvalidSpecError extends Error {
  override readonly name = 'InvalidSpecError';
  /** What is wrong with it. */
  readonly fault: SpecFault;

  constructor(fault: SpecFault) {
    super('value' in fault ? `${fault.code}: ${inJson(fault.value)}` : fault.code);
    this.fault = fault;
  }
}

/** A specification whose type nothing guarantees. */
type Fields = Readonly<Record<string, unknown>>;

type Check = readonly [holds: boolean, code: SpecFaultCode, value?: unknown];

const RESTARTS: readonly unknown[] = ['permanent', 'transient', 'temporary'];
const TYPES: readonly unknown[] = [undefined, 'worker', 'supervisor'];
const STRATEGIES: readonly unknown[] = ['one_for_one', 'one_for_all', 'rest_for_one'];
const AUTO_SHUTDOWNS: readonly unknown[] = ['never', 'any_significant', 'all_significant'];

/**
 * The first fault of a list of children.
 *
 * @param autoShutdown of the supervisor that they are for; without it, a significant child is held against nobody.
 */
export function checkChildSpecs(specs: unknown, autoShutdown?: unknown): SpecFault | undefined {
  if (autoShutdown !== undefined && !AUTO_SHUTDOWNS.includes(autoShutdown)) return { code: 'badarg', value: autoShutdown };
  if (!Array.isArray(specs)) return { code: 'badarg', value: specs };
  const ids = new Set<unknown>();
  for (const spec of specs as readonly unknown[]) {
    if (!isObject(spec)) return { code: 'invalid_child_spec', value: spec };
    const fault = firstFault([...childChecks(spec, autoShutdown), [!ids.has(spec.id), 'duplicate_child_name', spec.id]]);
    if (fault !== undefined) return fault;
    ids.add(spec.id);
  }
  return undefined;
}

/** Of a child of a dynamic supervisor: it needs no id, and is never significant. */
export function dynamicChildFault(spec: unknown): SpecFault | undefined {
  if (!isObject(spec)) return { code: 'invalid_child_spec', value: spec };
  const { id = 'nameless', significant = false } = spec;
  const checks = childChecks({ ...spec, id, significant: false }, undefined);
  return firstFault([...checks, [significant === false, 'invalid_significant', significant]]);
}

export function supervisorFault(spec: unknown): SpecFault | undefined {
  if (!isObject(spec)) return { code: 'invalid_type', value: spec };
  const { strategy, autoShutdown = 'never', templates = {}, children } = spec;
  const flags = firstFault([
    [STRATEGIES.includes(strategy), 'invalid_strategy', strategy],
    ...intensityChecks(spec),
    [AUTO_SHUTDOWNS.includes(autoShutdown), 'invalid_auto_shutdown', autoShutdown],
    ...nameChecks(spec),
    [areTemplates(templates), 'invalid_templates', templates],
  ]);
  return flags ?? checkChildSpecs(children, autoShutdown);
}

export function dynamicSupervisorFault(spec: unknown): SpecFault | undefined {
  if (!isObject(spec)) return { code: 'invalid_type', value: spec };
  const { strategy = 'one_for_one', autoShutdown = 'never', maxChildren = Infinity, extraArgs = {}, templates } = spec;
  return firstFault([
    [strategy === 'one_for_one', 'invalid_strategy', strategy],
    ...intensityChecks(spec),
    [maxChildren === Infinity || isWhole(maxChildren, 0), 'invalid_max_children', maxChildren],
    [isObject(extraArgs), 'invalid_extra_args', extraArgs],
    [autoShutdown === 'never', 'invalid_auto_shutdown', autoShutdown],
    ...nameChecks(spec),
    [areTemplates(templates), 'invalid_templates', templates],
  ]);
}

export function refuseFaulty(fault: SpecFault | undefined): void {
  if (fault !== undefined) throw new InvalidSpecError(fault);
}

function childChecks(spec: Fields, autoShutdown: unknown): readonly Check[] {
  const { id, start, restart = 'permanent', significant = false, type, shutdown = 0 } = spec;
  return [
    [id !== undefined, 'missing_id'],
    [start !== undefined, 'missing_start'],
    [typeof id === 'string' && id !== '', 'invalid_id', id],
    [typeof start === 'function', 'invalid_start', start],
    [RESTARTS.includes(restart), 'invalid_restart_type', restart],
    [significant !== true || autoShutdown !== 'never', 'bad_combination', { autoShutdown, significant }],
    [significant !== true || restart !== 'permanent', 'bad_combination', { restart, significant }],
    [typeof significant === 'boolean', 'invalid_significant', significant],
    [TYPES.includes(type), 'invalid_child_type', type],
    [isWhole(shutdown, 0) || shutdown === 'infinity' || shutdown === 'brutal_kill', 'invalid_shutdown', shutdown],
  ];
}

function intensityChecks({ maxRestarts = 0, maxSeconds = 1 }: Fields): readonly Check[] {
  return [
    [isWhole(maxRestarts, 0), 'invalid_intensity', maxRestarts],
    [isWhole(maxSeconds, 1), 'invalid_period', maxSeconds],
  ];
}

function nameChecks({ name = '@' }: Fields): readonly Check[] {
  return [[typeof name === 'string' && name.startsWith('@'), 'invalid_name', name]];
}

function firstFault(checks: readonly Check[]): SpecFault | undefined {
  const broken = checks.find(([holds]) => !holds);
  if (broken === undefined) return undefined;
  const [, code, ...value] = broken;
  return value.length === 0 ? { code } : { code, value: value[0] };
}

function areTemplates(templates: unknown): boolean {
  return isObject(templates) && Object.values(templates).every((template) => typeof template === 'function');
}

function isWhole(value: unknown, atLeast: number): boolean {
  return Number.isInteger(value) && Number(value) >= atLeast;
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
