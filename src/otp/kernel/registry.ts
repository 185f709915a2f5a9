/**
 * Registry: names of processes. A name belongs to one process at a time, and is free again in the same step in which
 * its process ends: nobody who learns of that end can find the name taken.
 *
 * A process has the name of its specification, if any, and those that it registered itself. Names made by `via` belong to a
 * registry of their own. Its listeners are told of names that are taken and given back, and not of names that a process
 * loses by its end: for that there are monitors.
 */
import { FewSet } from '../../base/few-set.ts';
import { invariant } from '../../base/invariant.ts';
import type { Message, Name, Pid } from '../process.ts';

/** What a name says. */
export interface Registration {
  /** As it was registered. */
  readonly name: Name;
  /** Who has it. */
  readonly process: Pid;
  /** What it says besides; undefined for nothing. */
  readonly value: unknown;
}

/**
 * The name of `key` in `registry`. Keys are equal when they are the same JSON, in whatever order the fields of an object
 * stand: 1 and '1' are different.
 *
 * @param registry a word without a slash that does not begin with `@`: so a name tells its registry, and no two make one name.
 * @param key plain JSON.
 */
export function via(registry: string, key: unknown): Name {
  invariant(isRegistry(registry), "a registry is a word that has no slash and does not begin with '@'");
  return `@${registry}/${JSON.stringify(key, inOrder)}`;
}

function isRegistry(word: unknown): boolean {
  return typeof word === 'string' && /^[^@/][^/]*$/.test(word);
}

function inOrder(_field: string, value: unknown): unknown {
  invariant(isJson(value), 'the key of a name is plain JSON');
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** A Map or a Set would be `{}` as JSON: all of them would be the same key. */
function isJson(value: unknown): boolean {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (isObject) return Object.prototype.toString.call(value) === '[object Object]';
  return typeof value === 'number' ? Number.isFinite(value) : ['string', 'boolean', 'object'].includes(typeof value);
}

/** What the registry knows of a process. */
interface Nameable {
  readonly pid: Pid;
  /** Held at present; the registry alone writes it. */
  names: FewSet<Name> | undefined;
}

interface Holding<Process> {
  readonly entry: Process;
  value: unknown;
}

export class Registry<Process extends Nameable> {
  private readonly holdings = new Map<Name, Holding<Process>>();
  /** By registry, the processes that listen, each with the words by which it wants to be told. */
  private readonly listeners = new Map<string, Map<Process, Set<string>>>();
  /** The registries that each process listens to, so that its listening is found, and dropped, when it ends. */
  private readonly listening = new WeakMap<Process, Set<string>>();
  private readonly send: (from: Process, to: Process, message: Message) => void;

  constructor(send: (from: Process, to: Process, message: Message) => void) {
    this.send = send;
  }

  resolve(name: Name): Process | undefined {
    return this.holdings.get(name)?.entry;
  }

  lookup(name: Name): Registration | undefined {
    const holding = this.holdings.get(name);
    return holding === undefined ? undefined : { name, process: holding.entry.pid, value: holding.value };
  }

  /** @returns who holds the name instead, or undefined when it is now `entry`'s. */
  register(entry: Process, name: Name, value?: unknown): Process | undefined {
    invariant(typeof name === 'string' && name.startsWith('@'), `a name begins with '@'`);
    const holder = this.resolve(name);
    if (holder !== undefined) return holder;
    this.holdings.set(name, { entry, value });
    entry.names ??= new FewSet();
    entry.names.add(name);
    this.tell(entry, name, { type: 'registered', value });
    return undefined;
  }

  /** Only its holder gives a name back; for anybody else nothing changes. */
  unregister(entry: Process, name: Name): void {
    if (this.resolve(name) !== entry) return;
    this.holdings.delete(name);
    entry.names?.delete(name);
    this.tell(entry, name, { type: 'unregistered' });
  }

  /** Only its holder changes the value of a name. */
  update(entry: Process, name: Name, value: unknown): void {
    const holding = this.holdings.get(name);
    if (holding?.entry === entry) holding.value = value;
  }

  /** Every name of a registry, in the order of registration. Costs as much as there are names. */
  *registered(registry: string): Iterable<Registration> {
    for (const [name, { entry, value }] of this.holdings) if (registryOf(name) === registry) yield { name, process: entry.pid, value };
  }

  /** A process that asks twice by the same word is told once. */
  listen(entry: Process, registry: string, as: string): void {
    const listeners = placeOf(this.listeners, registry, () => new Map<Process, Set<string>>());
    placeOf(listeners, entry, () => new Set<string>()).add(as);
    placeOf(this.listening, entry, () => new Set<string>()).add(registry);
  }

  /** The process ends. */
  release(entry: Process): void {
    if (entry.names !== undefined) for (const name of entry.names) this.holdings.delete(name);
    const registries = this.listening.get(entry);
    if (registries !== undefined) for (const registry of registries) this.listeners.get(registry)?.delete(entry);
  }

  private tell(source: Process, name: Name, { type, ...what }: { readonly type: string; readonly value?: unknown }): void {
    for (const [entry, words] of this.listeners.get(registryOf(name)) ?? []) {
      for (const as of words) this.send(source, entry, { type: `${as}.${type}`, name, process: source.pid, ...what });
    }
  }
}

/** The name under which a process is shown: its own, or the first that it took. */
export function firstOf(names: Iterable<Name> | undefined): Name | undefined {
  for (const name of names ?? []) return name;
  return undefined;
}

interface Places<Key, Value> {
  get(key: Key): Value | undefined;
  set(key: Key, value: Value): unknown;
}

function placeOf<Key, Value>(map: Places<Key, Value>, key: Key, make: () => Value): Value {
  const value = map.get(key) ?? make();
  map.set(key, value);
  return value;
}

function registryOf(name: Name): string {
  const slash = name.indexOf('/');
  return slash < 0 ? '' : name.slice(1, slash);
}
