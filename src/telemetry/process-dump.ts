/**
 * ProcessDump: the process tree of a running service as text, for an operator who wants to know what it is doing. It is as long as the tree
 * is wide, not as the shapes are many: many of one kind are one line. Ids may hold the names of columns, which may hold anything.
 */
import { printable } from '../base/printable-text.ts';
import type { ProcessFigures } from '../otp/kernel/process-summary.ts';
import type { Pid } from '../otp/process.ts';
import type { ProcessTree } from '../otp/tree.ts';
import { censusOf, statesOf, stateText, type Population } from './process-census.ts';
import { processKind } from './process-kind.ts';
import type { ProgramFigures } from './program-load.ts';
import type { Death } from './recent-deaths.ts';
import { redactedText } from './redaction.ts';

export interface Dumped {
  readonly version: string;
  readonly now: Date;
  readonly upSeconds: number;
  /** What /v1/health says. */
  readonly status: string;
  readonly program: ProgramFigures;
  /** By how much a timer came late just now. */
  readonly lateMs: number;
  readonly tree: readonly ProcessTree[];
  readonly processes: Iterable<ProcessFigures>;
  readonly deaths: readonly Death[];
  /** All of them, of which these are the last. */
  readonly deathCount: number;
}

/** Children of one kind beyond this are told together. */
const ALONE_MAX = 5;
const HEAVIEST_MAX = 10;
const STATES_MAX = 8;

export function processDump(dumped: Dumped): string {
  const processes = new Map(Array.from(dumped.processes, (figures) => [figures.pid, figures]));
  const paragraphs = [head(dumped), treeLines(dumped.tree, processes), heaviest(processes.values()), lastDeaths(dumped)];
  return `${paragraphs.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function head({ version, now, upSeconds, status, program, lateMs }: Dumped): string[] {
  const { residentBytes, heapUsedBytes, heapTotalBytes, externalBytes, cpuSeconds } = program;
  return [
    `Armature ${version}, ${status}, ${now.toISOString()}, up ${Math.round(upSeconds)} s, ${cpuSeconds.toFixed(1)} s of processor time`,
    `memory: ${mib(residentBytes)} resident, heap ${mib(heapUsedBytes)} of ${mib(heapTotalBytes)}, outside of it ${mib(externalBytes)}`,
    `event loop: ${lateMs.toFixed(1)} ms late`,
  ];
}

type Processes = ReadonlyMap<Pid, ProcessFigures>;

/** What is left of a branch to be told: a process, or many of one kind. */
interface Branch {
  readonly line: string;
  readonly children: readonly ProcessTree[];
}

/** Without recursion, as the tree itself is made. */
function treeLines(roots: readonly ProcessTree[], processes: Processes): string[] {
  const lines: string[] = [];
  const left = branchesOf(roots, processes).map((branch) => ({ branch, toIt: '', belowIt: '' })).reverse();
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const { branch, toIt, belowIt } = next;
    lines.push(`${toIt}${branch.line}`);
    const below = branchesOf(branch.children, processes);
    const last = below.at(-1);
    for (const child of below.reverse()) {
      const [toChild, belowChild] = child === last ? ['└─ ', '   '] : ['├─ ', '│  '];
      left.push({ branch: child, toIt: `${belowIt}${toChild}`, belowIt: `${belowIt}${belowChild}` });
    }
  }
  return lines;
}

function branchesOf(children: readonly ProcessTree[], processes: Processes): Branch[] {
  return byKind(children).flatMap((ofKind) => {
    if (ofKind.length <= ALONE_MAX) {
      return ofKind.map((child) => ({ line: lineOf(child, processes.get(child.pid)), children: child.children }));
    }
    const figures = ofKind.flatMap(({ pid }) => processes.get(pid) ?? []);
    return [...censusOf(figures).values()].map((population) => ({ line: populationLine(population, statesOf(figures)), children: [] }));
  });
}

function byKind(children: readonly ProcessTree[]): ProcessTree[][] {
  const kinds = new Map<string, ProcessTree[]>();
  for (const child of children) {
    const kind = processKind(child.pid);
    const ofKind = kinds.get(kind);
    if (ofKind === undefined) kinds.set(kind, [child]);
    else ofKind.push(child);
  }
  return [...kinds.values()];
}

function lineOf({ id, pid, state }: ProcessTree, figures: ProcessFigures | undefined): string {
  const { mailboxLength = 0, handled = 0, restarts = 0, hibernates = false } = figures ?? {};
  const number = pid.slice(pid.lastIndexOf('#'));
  const notes = [
    `${printable(id)}${number}: ${stateText(state)}`,
    ...(hibernates ? ['hibernates'] : []),
    ...(mailboxLength > 0 ? [`${mailboxLength} waiting`] : []),
    `${handled} handled`,
    ...(restarts > 0 ? [`restarted ${restarts} times`] : []),
  ];
  return notes.join(', ');
}

function populationLine(population: Population, states: ReadonlyMap<string, number>): string {
  const { kind, count, hibernating, mailboxMax, mailboxSum, handled, restarts } = population;
  const byCount = [...states].sort(([, one], [, other]) => other - one);
  const shown = byCount.slice(0, STATES_MAX).map(([state, inState]) => `${inState} ${state}`);
  const more = byCount.length - shown.length;
  return [
    `${count} × ${kind}: ${[...shown, ...(more > 0 ? [`${more} other states`] : [])].join(' | ')}`,
    `${hibernating} hibernate`,
    `${mailboxSum} waiting, at most ${mailboxMax}`,
    `${handled} handled`,
    ...(restarts > 0 ? [`restarted ${restarts} times`] : []),
  ].join(', ');
}

function heaviest(processes: Iterable<ProcessFigures>): string[] {
  const waiting = [...processes].filter(({ mailboxLength }) => mailboxLength > 0);
  const most = waiting.sort((one, other) => other.mailboxLength - one.mailboxLength).slice(0, HEAVIEST_MAX);
  if (most.length === 0) return ['longest mailboxes: nobody has a message waiting'];
  const told = most.map(({ pid, state, mailboxLength }) => `  ${mailboxLength}  ${printable(pid)}  ${stateText(state)}`);
  return ['longest mailboxes:', ...told];
}

function lastDeaths({ deaths, deathCount }: Dumped): string[] {
  if (deaths.length === 0) return ['deaths: none since the start'];
  const told = deaths.map(({ process, why, atMicros }) => {
    return `  ${new Date(atMicros / 1000).toISOString()}  ${printable(process)}  ${JSON.stringify(redactedText(why))}`;
  });
  return [`deaths: ${deathCount} since the start, the last of them:`, ...told];
}

function mib(bytes: number): string {
  return `${(bytes / (1024 * 1024)).toFixed(1)} MiB`;
}
