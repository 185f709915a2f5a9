/**
 * A machine as a Mermaid state diagram, from the machine itself: what is drawn is what runs.
 *
 * Mermaid cannot draw a line between states inside two different states. Such a line is drawn between the outermost
 * states that it connects, and its label says where it begins and ends. Nor does it take a colon in a label.
 */
import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate';

/** The id of what stands for all states. */
const EVERYWHERE = 'in_every_state';

interface Line {
  readonly from: AnyStateNode;
  readonly to: AnyStateNode;
  readonly label: string;
}

export function mermaidOf(machine: AnyStateMachine): string {
  const lines = nodesOf(machine.root).flatMap(linesOf);
  return ['stateDiagram-v2', ...contentOf(machine.root, lines), ...everywhere(machine.root, lines)].join('\n');
}

function nodesOf(node: AnyStateNode): readonly AnyStateNode[] {
  return [node, ...Object.values(node.states).flatMap(nodesOf)];
}

function linesOf(node: AnyStateNode): readonly Line[] {
  return transitionsOf(node).flatMap((transition) =>
    (transition.target ?? []).map((target) => {
      const { from, to } = lifted(node, target);
      const begin = from === node ? '' : ` (in ${node.key})`;
      const end = to === target ? '' : ` (to ${target.key})`;
      return { from, to, label: `${labelOf(transition)}${begin}${end}` };
    }),
  );
}

function transitionsOf(node: AnyStateNode): readonly AnyTransitionDefinition[] {
  return [...[...node.transitions.values()].flat(), ...(node.always ?? [])];
}

/** The two siblings that hold both ends; the state around everything when one end holds the other. */
function lifted(source: AnyStateNode, target: AnyStateNode): { readonly from: AnyStateNode; readonly to: AnyStateNode } {
  const sources = lineage(source);
  const targets = lineage(target);
  let depth = 0;
  while (depth < sources.length && depth < targets.length && sources[depth] === targets[depth]) depth += 1;
  if (source === target) return { from: source, to: target };
  return { from: sources[depth] ?? source, to: targets[depth] ?? target };
}

function lineage(node: AnyStateNode): readonly AnyStateNode[] {
  return node.parent === undefined ? [node] : [...lineage(node.parent), node];
}

function contentOf(node: AnyStateNode, lines: readonly Line[]): readonly string[] {
  const children = Object.values(node.states);
  const bodies = children.map((child) => stateOf(child, lines));
  const inside = node.type === 'parallel' ? between(bodies, '--') : [...initialOf(node), ...bodies.flat()];
  return [...inside, ...lines.filter(({ from }) => from.parent === node).map(lineText)];
}

function initialOf(node: AnyStateNode): readonly string[] {
  return node.initial.target.map((target) => `[*] --> ${idOf(target)}`);
}

function stateOf(node: AnyStateNode, lines: readonly Line[]): readonly string[] {
  const heading = `state "${node.key}" as ${idOf(node)}`;
  const inPlace = transitionsOf(node).filter(({ target }) => target === undefined);
  const end = node.type === 'final' ? [`${idOf(node)} --> [*]`] : [];
  if (Object.keys(node.states).length === 0) {
    return [heading, ...inPlace.map((transition) => `${idOf(node)} : ${labelOf(transition)}`), ...end];
  }
  return [`${heading} {`, ...contentOf(node, lines).map((line) => `  ${line}`), '}', ...noteOf(node, inPlace)];
}

function noteOf(node: AnyStateNode, inPlace: readonly AnyTransitionDefinition[]): readonly string[] {
  if (inPlace.length === 0) return [];
  return [`note right of ${idOf(node)}`, ...inPlace.map((transition) => `  ${labelOf(transition)}`), 'end note'];
}

/** What holds in every state: lines that begin at the root, and what the root does without leaving a state. */
function everywhere(root: AnyStateNode, lines: readonly Line[]): readonly string[] {
  const fromRoot = lines.filter(({ from }) => from === root);
  const inPlace = transitionsOf(root).filter(({ target }) => target === undefined);
  if (fromRoot.length + inPlace.length === 0) return [];
  return [
    `state "in every state" as ${EVERYWHERE}`,
    ...inPlace.map((transition) => `${EVERYWHERE} : ${labelOf(transition)}`),
    ...fromRoot.map(({ to, label }) => `${EVERYWHERE} --> ${idOf(to)} : ${label}`),
  ];
}

function lineText({ from, to, label }: Line): string {
  return `${idOf(from)} --> ${idOf(to)} : ${label}`;
}

function labelOf({ eventType, guard, target, actions }: AnyTransitionDefinition): string {
  const condition = guard === undefined ? '' : ` [${nameOf(guard)}]`;
  const done = actions.map(nameOf).join(', ');
  return `${eventType === '' ? 'always' : eventType}${condition}${target === undefined ? ` / ${done === '' ? 'ignored' : done}` : ''}`;
}

function nameOf(named: unknown): string {
  if (typeof named === 'string') return named;
  return typeof named === 'object' && named !== null && 'type' in named ? String(named.type) : 'unnamed';
}

/** Mermaid takes no hyphen in an id. */
function idOf(node: AnyStateNode): string {
  return node.path.join('_').replaceAll('-', '_');
}

function between(parts: readonly (readonly string[])[], separator: string): readonly string[] {
  return parts.flatMap((part, index) => (index === 0 ? part : [separator, ...part]));
}
