/**
 * Registry: names of processes. A name belongs to one process at a time, and is free again in the same step in which
 * its process ends: nobody who learns of that end can find the name taken.
 *
 * A process has the name of its specification, if any, and those that it registered itself. Names made by `via` lie in a
 * registry of their own, whose listeners are told of what comes, and of what is given back; not of what dies, for which
 * there are monitors.
 */
import type { Entry } from './entry.ts';
import type { Name, Pid } from './process.ts';

/** What a name says. */
export interface Registration {
  readonly name: Name;
  readonly process: Pid;
  readonly value: unknown;
}

/**
 * The name of `key` in `registry`. Keys are equal when they are the same JSON: 1 and '1' are different.
 *
 * @param registry a word without a slash.
 */
export function via(registry: string, key: unknown): Name {
  return `@${registry}/${JSON.stringify(key)}`;
}

interface Holding {
  readonly entry: Entry;
  value: unknown;
}

interface Listener {
  readonly entry: Entry;
  readonly as: string;
}

export class Registry {
  private readonly holdings = new Map<Name, Holding>();
  private readonly listeners = new Map<string, Set<Listener>>();

  resolve(name: Name): Entry | undefined {
    return this.holdings.get(name)?.entry;
  }

  lookup(name: Name): Registration | undefined {
    const holding = this.holdings.get(name);
    return holding === undefined ? undefined : { name, process: holding.entry.pid, value: holding.value };
  }

  /** @returns who holds the name instead, or undefined when it is now `entry`'s. */
  register(entry: Entry, name: Name, value?: unknown): Entry | undefined {
    const holder = this.resolve(name);
    if (holder !== undefined) return holder;
    this.holdings.set(name, { entry, value });
    entry.names = [...(entry.names ?? []), name];
    this.tell(entry, name, { type: 'registered', value });
    return undefined;
  }

  /** Only its holder gives a name back; for anybody else nothing changes. */
  unregister(entry: Entry, name: Name): void {
    if (this.resolve(name) !== entry) return;
    this.holdings.delete(name);
    entry.names = entry.names?.filter((other) => other !== name);
    this.tell(entry, name, { type: 'unregistered' });
  }

  /** Only its holder changes what a name says besides. */
  update(entry: Entry, name: Name, value: unknown): void {
    const holding = this.holdings.get(name);
    if (holding?.entry === entry) holding.value = value;
  }

  /** Every name of a registry, in the order of registration. Costs as much as there are names. */
  *registered(registry: string): Iterable<Registration> {
    for (const [name, { entry, value }] of this.holdings) if (registryOf(name) === registry) yield { name, process: entry.pid, value };
  }

  listen(entry: Entry, registry: string, as: string): void {
    const listeners = this.listeners.get(registry) ?? new Set();
    this.listeners.set(registry, listeners.add({ entry, as }));
  }

  /** The process ends. */
  release(entry: Entry): void {
    for (const name of entry.names ?? []) this.holdings.delete(name);
    entry.names = undefined;
  }

  private tell(source: Entry, name: Name, { type, ...what }: { readonly type: string; readonly value?: unknown }): void {
    const listeners = this.listeners.get(registryOf(name));
    for (const listener of listeners ?? []) {
      const { entry, as } = listener;
      if (!entry.alive) listeners?.delete(listener);
      else entry.kernel.enqueue(entry, { kind: 'message', source, message: { type: `${as}.${type}`, name, process: source.pid, ...what } });
    }
  }
}

function registryOf(name: Name): string {
  const slash = name.indexOf('/');
  return slash < 0 ? '' : name.slice(1, slash);
}
