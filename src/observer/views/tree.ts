/** Forms: the tree of processes, and a process or a population as a row of it. docs/observer.md says what holds for all of them. */

/** `/api/tree`. */
export interface TreeView {
  readonly atMs: number;
  /** Of all that live. */
  readonly processes: number;
  readonly roots: readonly TreeNode[];
}

export type TreeNode = ProcessNode | PopulationNode;

export interface ProcessNode extends ProcessRow {
  readonly type: 'process';
  /** In the order of their start; the children of a supervisor folded by kind where there are more than 20 of a kind. */
  readonly children: readonly TreeNode[];
}

/** The children of one supervisor that are of one kind, when they are more than 20. */
export interface PopulationNode extends Population {
  readonly type: 'population';
  readonly supervisor: string;
}

export interface Population {
  /** The id of their machine, `consumer`; `port:ID` of ports, which have no machine. */
  readonly kind: string;
  /** The machine to be drawn; null for ports. */
  readonly machine: string | null;
  readonly count: number;
  /** By the text of the state, most frequent first; beyond 50 states the rest is `…`. The numbers add up to `count`. */
  readonly byState: Readonly<Record<string, number>>;
  readonly hibernating: number;
  readonly mailboxMax: number;
  readonly mailboxSum: number;
  readonly restarts: number;
  readonly memoryBytes: number;
}

export interface ProcessRow {
  readonly pid: string;
  /** Its id among its supervisor's children. */
  readonly id: string;
  readonly kind: string;
  readonly machine: string | null;
  /** The first of its registered names, `@shape-cache`. */
  readonly name: string | null;
  readonly label: string | null;
  /** In one line: `live`, `up.resting`, of parallel regions `ingest.live | snapshot.complete`. */
  readonly state: string;
  readonly isSupervisor: boolean;
  readonly hibernates: boolean;
  /** Signals that wait, postponed events among them. */
  readonly mailbox: number;
  readonly handled: number;
  /** Messages that its mailbox had no room for. */
  readonly dropped: number;
  /** How often its supervisor had started it before. */
  readonly restarts: number;
  /** An estimate, of the process itself, what waits for it, and what those of its tables hold that know it, link values above all. */
  readonly memoryBytes: number;
  readonly sinceMs: number;
  /** How many children it has. */
  readonly childCount: number;
}
