/** OldestView: how far back the values of an inner shape must be kept for the stored shapes that depend on them. */
import { BEFORE_ALL, compareOffsets, type LogOffset } from '../model/log-offset.ts';
import type { Handle, ShapeDefinition } from '../model/shape.ts';

export interface Dependant {
  readonly handle: Handle;
  readonly definition: ShapeDefinition;
  /** The inner shapes, in the order of the definition's dependencies. */
  readonly dependsOn: readonly Handle[];
  /** Those that a replay begins with; none yet for a shape that is being made. */
  readonly storedViews: readonly LogOffset[];
}

/**
 * @returns the lowest view of the column's values; before everything when a shape depends on them and has yet to begin with some
 *   version, which may be any that it was told; undefined when none depends on them.
 */
export function oldestView(shapes: Iterable<Dependant>, handle: Handle, column: string): LogOffset | undefined {
  let oldest: LogOffset | undefined;
  for (const { view } of viewsOf(shapes, handle, column)) if (oldest === undefined || compareOffsets(view, oldest) < 0) oldest = view;
  return oldest;
}

/** Who still looks at a version before this one, each once. */
export function dependantsBefore(version: LogOffset, shapes: Iterable<Dependant>, handle: Handle, column: string): readonly Handle[] {
  const before = new Set<Handle>();
  for (const { dependant, view } of viewsOf(shapes, handle, column)) if (compareOffsets(view, version) < 0) before.add(dependant);
  return [...before];
}

function* viewsOf(shapes: Iterable<Dependant>, handle: Handle, column: string) {
  for (const { handle: dependant, definition, dependsOn, storedViews } of shapes) {
    for (const [number, inner] of dependsOn.entries()) {
      if (inner !== handle || definition.dependencies?.[number]?.column !== column) continue;
      yield { dependant, view: storedViews[number] ?? BEFORE_ALL };
    }
  }
}
