import fc from 'fast-check';
import { expect, test } from 'vitest';
import { InvariantError } from '../../src/base/invariant.ts';
import type { Handle } from '../../src/model/shape.ts';
import { DependencyGraph } from '../../src/shapes/dependency-graph.ts';
import { handleOf } from '../support/shapes.ts';

const [A, B, C, D] = [handleOf(1), handleOf(2), handleOf(3), handleOf(4)] as const;

function graphOf(...edges: readonly (readonly [Handle, readonly Handle[]])[]): DependencyGraph {
  const graph = new DependencyGraph();
  for (const [handle, dependsOn] of edges) graph.add(handle, dependsOn);
  return graph;
}

test('inner shapes are restored before outer ones, and others as they were added', () => {
  expect(graphOf([C, [B, A]], [D, []], [B, [A]], [A, []]).restoreOrder()).toEqual([D, A, B, C]);
});

test('who depends on a shape that is not here is not restored, and neither is who depends on that one', () => {
  expect(graphOf([A, []], [C, [B]], [D, [A, C]]).restoreOrder()).toEqual([A]);
});

test('all who depend on a shape are condemned with it, each once, the nearest first', () => {
  expect(graphOf([A, []], [B, [A]], [C, [A]], [D, [B, C]]).condemnedWith(A)).toEqual([B, C, D]);
});

test('dependants of a shape that is gone are still condemned with it, until they are gone themselves', () => {
  const graph = graphOf([A, []], [B, [A]], [C, [A]]);

  const found = [A, B, C].map((gone) => {
    graph.remove(gone);
    return graph.condemnedWith(A);
  });

  expect(found).toEqual([[B, C], [C], []]);
});

test.each([
  ['itself', [A, [A]] as const],
  ['a dependant of its own', [A, [D, C]] as const],
])('a shape that depends on %s is refused in words, and changes nothing', (_, [handle, dependsOn]) => {
  const graph = graphOf([C, [B]], [B, [A]], [D, []]);
  const refused = dependsOn.at(-1) ?? handle;

  expect(() => graph.add(handle, dependsOn)).toThrow(`${handle} cannot depend on ${refused}, which depends on ${handle}`);
  expect([graph.restoreOrder(), graph.condemnedWith(D)]).toEqual([[D], []]);
});

type Step = { readonly add: Handle; readonly dependsOn: readonly Handle[] } | { readonly remove: Handle };

const handles = [1, 2, 3, 4, 5, 6, 7].map(handleOf);
const anyHandle = fc.constantFrom(...handles);
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ add: anyHandle, dependsOn: fc.array(anyHandle, { maxLength: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ remove: anyHandle }) },
);

/** The same by looking through all edges again and again. */
class NaiveGraph {
  readonly edges = new Map<Handle, readonly Handle[]>();

  play(step: Step): 'refused' | 'done' {
    if ('remove' in step) this.edges.delete(step.remove);
    else if (this.edges.has(step.add) || step.dependsOn.some((inner) => this.isReached(step.add, inner))) return 'refused';
    else this.edges.set(step.add, step.dependsOn);
    return 'done';
  }

  /** Is `outer` the handle itself, or one of its dependants? */
  isReached(handle: Handle, outer: Handle): boolean {
    return outer === handle || (this.edges.get(outer) ?? []).some((inner) => this.isReached(handle, inner));
  }

  isWhole(handle: Handle): boolean {
    return this.edges.get(handle)?.every((inner) => this.isWhole(inner)) === true;
  }
}

function played(graph: DependencyGraph, step: Step): 'refused' | 'done' {
  try {
    if ('add' in step) graph.add(step.add, step.dependsOn);
    else graph.remove(step.remove);
    return 'done';
  } catch (error) {
    if (error instanceof InvariantError) return 'refused';
    throw error;
  }
}

function isInOrder(order: readonly Handle[], { edges }: NaiveGraph): boolean {
  return order.every((outer, place) => (edges.get(outer) ?? []).every((inner) => order.slice(0, place).includes(inner)));
}

test('whatever comes and goes, the graph says what all edges say, however its copy goes on', () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 20 }), fc.array(anyStep, { maxLength: 5 }), (steps, elsewhere) => {
      const graph = new DependencyGraph();
      const naive = new NaiveGraph();
      const outcomes = steps.map((step) => [played(graph, step), naive.play(step)]);
      const copy = graph.clone();
      for (const step of elsewhere) played(copy, step);

      expect({
        outcomes: outcomes.map(([outcome]) => outcome),
        restored: [...graph.restoreOrder()].sort(),
        isInOrder: isInOrder(graph.restoreOrder(), naive),
        condemned: handles.map((handle) => [...graph.condemnedWith(handle)].sort()),
      }).toEqual({
        outcomes: outcomes.map(([, expected]) => expected),
        restored: handles.filter((handle) => naive.isWhole(handle)),
        isInOrder: true,
        condemned: handles.map((handle) => handles.filter((outer) => outer !== handle && naive.isReached(handle, outer))),
      });
    }),
    { numRuns: 1_000 },
  );
});
