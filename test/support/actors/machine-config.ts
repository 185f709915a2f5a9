/** The same machine with another config: for negative controls, and for finding out which transitions were taken. */
import { createMachine, type AnyStateMachine, type MachineConfig } from 'xstate';

/** A part of a config, as data: what stands in it is the machine's business. */
export interface ConfigNode {
  entry?: unknown;
  exit?: unknown;
  on?: Record<string, unknown>;
  always?: unknown;
  states?: Record<string, ConfigNode>;
  [field: string]: unknown;
}

/** @param edit gets a copy of the config and may change it; the implementations stay as they are. */
export function withConfig(machine: AnyStateMachine, edit: (config: ConfigNode) => void): AnyStateMachine {
  const config = copyOf(machine.config) as ConfigNode;
  edit(config);
  return createMachine(config as MachineConfig<object, { type: string }>, machine.implementations as object);
}

/** The config of the state at `path`, `'running.ingest.live'`; the whole config for an empty path. */
export function stateAt(config: ConfigNode, path: string): ConfigNode {
  if (path === '') return config;
  return path.split('.').reduce((node, name) => {
    const child = node.states?.[name];
    if (child === undefined) throw new RangeError(`the machine has no state ${path}`);
    return child;
  }, config);
}

/** Copies arrays and plain objects; functions are shared. */
function copyOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyOf);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, copyOf(member)]));
}
