/**
 * ChartSets: which states a step leaves and which it enters. These are SCXML's procedures as xstate has them, for charts without history
 * states: there they depend on the chart and the active states alone.
 */
import type { AnyStateNode, AnyTransitionDefinition } from 'xstate';

/** What of a transition counts here. */
export type Transition = Pick<AnyTransitionDefinition, 'source' | 'target' | 'reenter' | 'actions' | 'guard'>;

/** Of several regions each may have a transition: those whose exits overlap with another's do not both hold. */
export function withoutConflicts(
  transitions: readonly Transition[],
  active: readonly AnyStateNode[],
): readonly Transition[] {
  const kept = new Set<Transition>();
  for (const transition of transitions) {
    const rivals = [...kept].filter((other) => overlap(exitSet([transition], active), exitSet([other], active)));
    const outer = rivals.findIndex((other) => !isBelow(transition.source, other.source));
    if (outer >= 0) continue;
    for (const rival of rivals) kept.delete(rival);
    kept.add(transition);
  }
  return [...kept];
}

/** The innermost first. */
export function exitSet(transitions: readonly Transition[], active: readonly AnyStateNode[]): readonly AnyStateNode[] {
  const left = new Set<AnyStateNode>();
  for (const transition of transitions) {
    if (targetsOf(transition).length === 0) continue;
    const domain = domainOf(transition);
    if (transition.reenter && transition.source === domain) left.add(domain);
    for (const node of active) if (isBelow(node, domain)) left.add(node);
  }
  return [...left].sort((one, other) => other.order - one.order);
}

export interface Entered {
  /** The outermost first. */
  readonly nodes: readonly AnyStateNode[];
  /** Those whose initial transition is taken with them. */
  readonly byDefault: ReadonlySet<AnyStateNode>;
}

export function entrySet(transitions: readonly Transition[]): Entered {
  const entry = new Entry();
  for (const transition of transitions) entry.enter(transition);
  return { nodes: [...entry.nodes].sort((one, other) => one.order - other.order), byDefault: entry.byDefault };
}

class Entry {
  readonly nodes = new Set<AnyStateNode>();
  readonly byDefault = new Set<AnyStateNode>();

  enter(transition: Transition): void {
    const { source, reenter } = transition;
    const domain = domainOf(transition);
    const targets = targetsOf(transition);
    for (const target of targets) {
      // xstate names the source as well where it is the domain, and enters it again only where that is asked for.
      if (source !== target || source !== domain || reenter) this.enterByDefault(target);
      this.enterBelow(target);
    }
    const bound = source.parent === undefined && reenter ? undefined : domain;
    for (const target of targets) {
      const between = ancestorsOf(target, domain);
      this.enterAncestors(domain?.type === 'parallel' ? [...between, domain] : between, bound);
    }
  }

  private enterByDefault(node: AnyStateNode): void {
    this.nodes.add(node);
    this.byDefault.add(node);
  }

  private enterBelow(node: AnyStateNode): void {
    if (node.type === 'compound') {
      const [initial] = node.initial.target;
      if (initial === undefined) return;
      this.enterByDefault(initial);
      this.enterBelow(initial);
    } else if (node.type === 'parallel') {
      for (const child of this.regionsLeft(node)) {
        this.enterByDefault(child);
        this.enterBelow(child);
      }
    }
  }

  /** @param bound of these, only those below it; undefined for all. */
  private enterAncestors(ancestors: readonly AnyStateNode[], bound: AnyStateNode | undefined): void {
    for (const ancestor of ancestors) {
      if (bound === undefined || isBelow(ancestor, bound)) this.nodes.add(ancestor);
      if (ancestor.type !== 'parallel') continue;
      for (const child of this.regionsLeft(ancestor)) {
        this.nodes.add(child);
        this.enterBelow(child);
      }
    }
  }

  /** Regions of which nothing is entered yet. Each is looked at when those before it are entered. */
  private *regionsLeft(node: AnyStateNode): Iterable<AnyStateNode> {
    for (const child of childrenOf(node)) if (![...this.nodes].some((entered) => isBelow(entered, child))) yield child;
  }
}

export function childrenOf(node: AnyStateNode): readonly AnyStateNode[] {
  return Object.values<AnyStateNode>(node.states);
}

/** What is left and entered lies below it; undefined for a transition that has everything left, the root too. */
function domainOf(transition: Transition): AnyStateNode | undefined {
  const { source, reenter } = transition;
  const targets = targetsOf(transition);
  if (!reenter && targets.every((target) => target === source || isBelow(target, source))) return source;
  const [head, ...others] = [...targets, source];
  const common = head && ancestorsOf(head, undefined).find((ancestor) => others.every((other) => isBelow(other, ancestor)));
  if (common !== undefined || reenter) return common;
  return source.machine.root;
}

/** Each once. */
function targetsOf({ target }: Transition): readonly AnyStateNode[] {
  return [...new Set<AnyStateNode>(target)];
}

/** The innermost first, up to `end`, which is left out. */
function ancestorsOf(node: AnyStateNode, end: AnyStateNode | undefined): readonly AnyStateNode[] {
  const ancestors: AnyStateNode[] = [];
  if (node === end) return ancestors;
  for (let above: AnyStateNode | undefined = node.parent; above !== undefined && above !== end; above = above.parent) ancestors.push(above);
  return ancestors;
}

/** Everything is below undefined. */
function isBelow(node: AnyStateNode, ancestor: AnyStateNode | undefined): boolean {
  let at = node;
  while (at.parent !== undefined && at.parent !== ancestor) at = at.parent;
  return at.parent === ancestor;
}

function overlap(one: readonly AnyStateNode[], other: readonly AnyStateNode[]): boolean {
  return one.some((node) => other.includes(node));
}
