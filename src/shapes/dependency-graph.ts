/**
 * DependencyGraph: which shapes take values from which others. It says in which order they are brought back, and which
 * are condemned with one of them.
 *
 * An outer shape must neither begin before the inner ones that it depends on, nor go on when one of them is gone. What a
 * handle depends on never changes. Inner shapes may be added after those that depend on them, since stored shapes come
 * in any order, and they may be removed before them, since a shape that is condemned with another ends after it.
 */
import { invariant } from '../base/invariant.ts';
import type { Handle } from '../model/shape.ts';

const NOTHING: ReadonlySet<Handle> = new Set();

export class DependencyGraph {
  /** By each handle that was added, the inner shapes. */
  private readonly dependencies = new Map<Handle, ReadonlySet<Handle>>();
  /** The same edges from the inside. Only those with dependants stand here, added or not. */
  private readonly dependants = new Map<Handle, Set<Handle>>();

  /** @throws {InvariantError} the graph knows it already, or `handle` would depend on itself; nothing was added. */
  add(handle: Handle, dependsOn: readonly Handle[]): void {
    invariant(!this.dependencies.has(handle), `${handle} is added once`);
    if (dependsOn.length > 0) this.refuseCycle(handle, dependsOn);
    this.dependencies.set(handle, dependsOn.length === 0 ? NOTHING : new Set(dependsOn));
    for (const inner of dependsOn) this.dependantsOf(inner).add(handle);
  }

  /** Those who depend on it keep their edge: they are condemned, and a handle never comes back. */
  remove(handle: Handle): void {
    for (const inner of this.dependencies.get(handle) ?? NOTHING) {
      const outer = this.dependantsOf(inner);
      outer.delete(handle);
      if (outer.size === 0) this.dependants.delete(inner);
    }
    this.dependencies.delete(handle);
  }

  /**
   * Inner before outer, else as they were added. Who depends on a shape that is not here cannot be brought back, nor can
   * its dependants: they are left out.
   */
  restoreOrder(): readonly Handle[] {
    const order: Handle[] = [];
    const awaitedCounts = new Map<Handle, number>();
    for (const [handle, { size }] of this.dependencies) {
      if (size === 0) order.push(handle);
      else awaitedCounts.set(handle, size);
    }
    for (const inner of order) {
      for (const outer of this.dependants.get(inner) ?? NOTHING) {
        const awaitedCount = (awaitedCounts.get(outer) ?? 0) - 1;
        awaitedCounts.set(outer, awaitedCount);
        if (awaitedCount === 0) order.push(outer);
      }
    }
    return order;
  }

  /** No shape takes values from another. */
  get isFlat(): boolean {
    return this.dependants.size === 0;
  }

  /** What it depends on, directly. */
  innerOf(handle: Handle): Iterable<Handle> {
    return this.dependencies.get(handle) ?? NOTHING;
  }

  /** Who depends on it, directly. */
  outerOf(handle: Handle): ReadonlySet<Handle> {
    return this.dependants.get(handle) ?? NOTHING;
  }

  /** All who depend on it, directly or through others, each once, the nearest first. */
  condemnedWith(handle: Handle): readonly Handle[] {
    const reached = new Set([handle]);
    for (const inner of reached) {
      for (const outer of this.dependants.get(inner) ?? NOTHING) reached.add(outer);
    }
    reached.delete(handle);
    return [...reached];
  }

  clone(): DependencyGraph {
    const copy = new DependencyGraph();
    for (const [handle, inner] of this.dependencies) copy.dependencies.set(handle, inner);
    for (const [handle, outer] of this.dependants) copy.dependants.set(handle, new Set(outer));
    return copy;
  }

  private refuseCycle(handle: Handle, dependsOn: readonly Handle[]): void {
    const outer = new Set(this.condemnedWith(handle)).add(handle);
    for (const inner of dependsOn) invariant(!outer.has(inner), `${handle} cannot depend on ${inner}, which depends on ${handle}`);
  }

  private dependantsOf(inner: Handle): Set<Handle> {
    const known = this.dependants.get(inner);
    if (known !== undefined) return known;
    const none = new Set<Handle>();
    this.dependants.set(inner, none);
    return none;
  }
}
