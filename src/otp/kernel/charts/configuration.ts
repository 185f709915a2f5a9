/**
 * Configuration: the active states of a chart, and what follows from them alone: who may take an event, and what a step from here does.
 *
 * xstate works that out for each event anew, which is most of what a transition costs. A chart has few configurations and few steps between
 * them, so each is worked out when it is first met, and kept with its chart. Nothing of a process is in it.
 */
import type { AnyStateMachine, AnyStateNode, StateValue, UnknownAction } from 'xstate';
import { invariant } from '../../../base/invariant.ts';
import { childrenOf, entrySet, exitSet, withoutConflicts, type Transition } from './chart-sets.ts';
import { actionIn, guardIn, type PlannedAction, type PlannedGuard } from './named-parts.ts';

export interface Step {
  /** Those that are taken: of transitions in conflict, not all are. */
  readonly transitions: readonly Transition[];
  /** Of the states that are left, of the transitions, and of those that are entered. */
  readonly actions: readonly PlannedAction[];
  readonly next: Configuration;
  readonly end: End | undefined;
}

/** The chart has come to a final state. */
export interface End {
  readonly node: AnyStateNode;
  /** Of all states that were active, run when it has ended. */
  readonly exits: readonly PlannedAction[];
}

/** Where an event finds a transition: in a region below, or else here. */
export interface Candidates {
  readonly regions: readonly Candidates[];
  /** The first whose guard lets it pass. */
  readonly own: readonly Candidate[];
}

export interface Candidate {
  readonly transition: Transition;
  readonly guard: PlannedGuard | undefined;
}

/** Transitions that need no event, of each active leaf; its own come first. */
export type Eventless = readonly (readonly Candidate[])[];

interface Steps {
  step: Step | undefined;
  readonly further: Map<Transition, Steps>;
}

export class Configuration {
  /** In the order that xstate has them: those that were active longest come first. */
  readonly nodes: AnyStateNode[];
  readonly value: StateValue;
  readonly tags: Set<string>;
  readonly eventless: Eventless;
  private readonly chart: Chart;
  private readonly byType = new Map<string, Candidates | undefined>();
  private readonly steps: Steps = { step: undefined, further: new Map() };

  constructor(chart: Chart, nodes: AnyStateNode[]) {
    this.chart = chart;
    this.nodes = nodes;
    this.value = valueOf(chart.root, nodes);
    this.tags = new Set(nodes.flatMap(({ tags }) => tags));
    this.eventless = nodes.filter(isLeaf).map((leaf) => chart.eventlessOf(leaf)).filter(({ length }) => length > 0);
  }

  /** Undefined when no active state knows such an event. */
  candidates(type: string): Candidates | undefined {
    const known = this.byType.get(type);
    if (known !== undefined || this.byType.has(type)) return known;
    const found = this.chart.candidatesOf(this.chart.root, this.nodes, type);
    if (this.chart.names(type)) this.byType.set(type, found);
    return found;
  }

  /** @param transitions as they were chosen, of which some may be in conflict. */
  step(transitions: readonly Transition[]): Step {
    let place = this.steps;
    for (const transition of transitions) {
      let further = place.further.get(transition);
      if (further === undefined) {
        further = { step: undefined, further: new Map() };
        place.further.set(transition, further);
      }
      place = further;
    }
    return (place.step ??= this.chart.stepFrom(this.nodes, transitions));
  }
}

/** All configurations of one machine's chart, each once. */
export class Chart {
  readonly root: AnyStateNode;
  private readonly machine: AnyStateMachine;
  private readonly types: ReadonlySet<string>;
  private readonly configurations = new Map<string, Configuration>();
  private readonly byNodes = new Map<readonly AnyStateNode[], Configuration>();
  private begin: Step | undefined;

  constructor(machine: AnyStateMachine) {
    this.machine = machine;
    this.root = machine.root;
    this.types = new Set(typesBelow(machine.root));
  }

  /** False for an event that is only known by a wildcard: of such there may be any number, one for each timer, say. */
  names(type: string): boolean {
    return this.types.has(type);
  }

  /** The first step, into the initial states. */
  get initial(): Step {
    return (this.begin ??= this.stepFrom([], [initialTransition(this.root)]));
  }

  /** @param nodes of a snapshot. One that was made by a step has those of its configuration. */
  configurationOf(nodes: readonly AnyStateNode[]): Configuration {
    return this.byNodes.get(nodes) ?? this.intern(nodes);
  }

  stepFrom(active: readonly AnyStateNode[], transitions: readonly Transition[]): Step {
    const kept = withoutConflicts(transitions, active);
    const left = exitSet(kept, active);
    const { nodes: entered, byDefault } = entrySet(kept);
    const next = [...new Set([...active.filter((node) => !left.includes(node)), ...entered])];
    const end = entered.find(({ type }) => type === 'final');
    // At an end xstate turns the nodes round.
    if (end !== undefined) next.sort((one, other) => other.order - one.order);
    return {
      transitions: kept,
      actions: this.planned([
        ...left.flatMap(({ exit }) => exit),
        ...kept.flatMap(({ actions }) => actions),
        ...entered.flatMap((node) => (byDefault.has(node) ? [...node.entry, ...node.initial.actions] : node.entry)),
      ]),
      next: this.configurationOf(isSame(active, next) ? active : next),
      end: end && { node: end, exits: this.planned(next.flatMap(({ exit }) => exit)) },
    };
  }

  candidatesOf(node: AnyStateNode, active: readonly AnyStateNode[], type: string): Candidates | undefined {
    const own = transitionsFor(node, type).map((transition) => this.candidate(transition));
    const regions = active.filter(({ parent }) => parent === node).flatMap((child) => this.candidatesOf(child, active, type) ?? []);
    return own.length > 0 || regions.length > 1 ? { regions, own } : regions[0];
  }

  eventlessOf(leaf: AnyStateNode): readonly Candidate[] {
    const found: Transition[] = [];
    for (let node: AnyStateNode | undefined = leaf; node !== undefined; node = node.parent) found.push(...(node.always ?? []));
    return found.map((transition) => this.candidate(transition));
  }

  private candidate(transition: Transition): Candidate {
    const guard = transition.guard === undefined ? undefined : guardIn(this.machine, transition.guard);
    invariant(guard !== undefined || transition.guard === undefined, 'the guards of a chart that is planned are known');
    return { transition, guard };
  }

  private planned(actions: readonly UnknownAction[]): readonly PlannedAction[] {
    return actions.map((action) => {
      const planned = actionIn(this.machine, action);
      invariant(planned !== undefined, 'the actions of a chart that is planned are known');
      return planned;
    });
  }

  private intern(nodes: readonly AnyStateNode[]): Configuration {
    const key = nodes.map(({ order }) => order).join();
    const known = this.configurations.get(key);
    if (known !== undefined) return known;
    const configuration = new Configuration(this, [...nodes]);
    this.configurations.set(key, configuration);
    this.byNodes.set(configuration.nodes, configuration);
    return configuration;
  }
}

function* typesBelow(node: AnyStateNode): Iterable<string> {
  yield* node.transitions.keys();
  for (const child of childrenOf(node)) yield* typesBelow(child);
}

/** From nowhere into all that is active to begin with. */
function initialTransition(root: AnyStateNode): Transition {
  return { target: [...initialNodes(root)], source: root, reenter: true, actions: [] };
}

function* initialNodes(node: AnyStateNode): Iterable<AnyStateNode> {
  yield node;
  const below = node.type === 'compound' ? node.initial.target : node.type === 'parallel' ? childrenOf(node) : [];
  for (const child of below) yield* initialNodes(child);
}

function isLeaf({ type }: AnyStateNode): boolean {
  return type === 'atomic' || type === 'final';
}

/** As a state value has it: the name of the active leaf, or what is active in each region. */
function valueOf(node: AnyStateNode, active: readonly AnyStateNode[]): StateValue {
  const children = active.filter(({ parent }) => parent === node);
  const [only] = children;
  if (node.type === 'compound' && only !== undefined && isLeaf(only)) return only.key;
  return Object.fromEntries(children.map((child) => [child.key, valueOf(child, active)]));
}

/** Those of the very type first, then those of wildcards, the longest first. */
function transitionsFor({ transitions }: AnyStateNode, type: string): readonly Transition[] {
  const wildcards = [...transitions.keys()].filter((descriptor) => descriptor !== type && isWildcardFor(descriptor, type));
  wildcards.sort((one, other) => other.length - one.length);
  return [type, ...wildcards].flatMap((descriptor) => transitions.get(descriptor) ?? []);
}

/** `*` stands for any type, and `name.*` for those that begin so, `name` by itself among them. */
function isWildcardFor(descriptor: string, type: string): boolean {
  if (descriptor === '*') return true;
  return descriptor.endsWith('.*') && `${type}.`.startsWith(descriptor.slice(0, -1));
}

function isSame(one: readonly AnyStateNode[], other: readonly AnyStateNode[]): boolean {
  return one.length === other.length && one.every((node) => other.includes(node));
}
