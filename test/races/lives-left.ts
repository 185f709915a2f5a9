/** What must hold of the lives of two layers of shapes: who is given up together, who is answered, and what is left in the end. */
import { consumerOf, materializerOf } from '../../src/actors/shape-processes.ts';
import type { Handle } from '../../src/model/shape.ts';
import type { ProcessTree } from '../../src/otp/tree.ts';
import type { Outcome } from '../support/layers/layered-run.ts';
import type { LayeredWorld } from '../support/layers/layered-world.ts';

/** Looked at before each delivery, so that it knows which shapes were given up by the last one. */
export class GivenUp {
  private count = 0;

  /** @returns who depends on a shape that was given up, and was not given up with it. */
  spared({ rotated, storage }: LayeredWorld): readonly string[] {
    const fresh = new Set(rotated.slice(this.count));
    this.count = rotated.length;
    if (fresh.size === 0) return [];
    const dependants = [...storage.shapes.all()].filter(({ dependsOn }) => dependsOn.some((inner) => fresh.has(inner)));
    return dependants.flatMap(({ handle }) => (rotated.includes(handle) ? [] : [`${handle} is spared`]));
  }
}

/** Only whoever asked a shape cache that ended gets no answer, and knows that it ended. */
export function unanswered({ world: { asked }, hasRestartedAll }: Outcome): readonly string[] {
  const waiting = asked.filter(({ answer }) => answer === undefined || (answer === null && !hasRestartedAll));
  return waiting.map(({ definition }) => `nobody answered about ${definition.where?.text ?? definition.relation.name}`);
}

/** Processes of no stored shape, and monitors of processes that are no more. */
export function leftOver({ runtime, storage }: LayeredWorld): readonly string[] {
  const needed = new Set([...storage.shapes.all()].flatMap(({ handle, definition, dependsOn }) => [
    consumerOf(handle),
    ...dependsOn.map((inner, number) => materializerOf(inner, definition.dependencies?.[number]?.column ?? '')),
  ]));
  const all = flat(runtime.tree());
  const living = new Set(all.flatMap(({ pid, name }) => [pid, ...(name === undefined ? [] : [name])]));
  const below = all.find(({ name }) => name === '@consumers')?.children ?? [];
  const unneeded = below.filter(({ name }) => name === undefined || !needed.has(name));
  const stale = all.filter(({ pid }) => runtime.processInfo(pid)?.monitors.some((watched) => !living.has(watched)));
  return [...unneeded.map(({ id }) => `${id} is left`), ...stale.map(({ id }) => `${id} monitors nobody`)];
}

function flat(trees: readonly ProcessTree[]): readonly ProcessTree[] {
  return trees.flatMap((tree) => [tree, ...flat(tree.children)]);
}

/** When all clients have gone, what they have not asked for themselves is gone too. */
export function forsaken({ world: { storage }, ending }: Outcome): readonly string[] {
  const logs = [...storage.shapes.all()];
  const outer = ending === 'leaving' ? logs.filter(({ dependsOn }) => dependsOn.length > 0) : [];
  const used = new Set<Handle>(logs.flatMap(({ dependsOn }) => dependsOn));
  const inner = logs.filter(({ handle, isInner }) => isInner && !used.has(handle));
  return [...outer, ...inner].map(({ handle }) => `${handle} is left`);
}
