/**
 * Views: the JSON forms of the observer, each the answer of one URL below `/_observer/api`. `docs/observer.md` has the URLs.
 *
 * Every field is always there; what is not known is null. Times (`atMs`, `sinceMs` …) are milliseconds since 1970-01-01 UTC,
 * durations end in `ForMs` or say so. LSNs are in Postgres's notation (`16/B374D848`), offsets and handles as clients see them.
 * Texts come from tables, filters and errors of anybody: they are to be shown as text and never as markup. Lists are bounded.
 */

/** Every answer that is no success, with a status of 400, 401, 403, 404 or 503. */
export interface ErrorView {
  /** Stable, for programs: `unknown_process`, `invalid_parameter`, … */
  readonly code: string;
  /** A sentence for people. */
  readonly message: string;
}

/** `/api/service`: what the page asks first. */
export interface ServiceView {
  readonly atMs: number;
  readonly version: string;
  readonly sinceMs: number;
  /** As `/v1/health` says it. */
  readonly level: 'starting' | 'waiting' | 'active';
  /** What is waited for, in words; null when active. */
  readonly whyNotActive: string | null;
  /** In the demo alone processes can be ended: `POST /_observer/api/end`. */
  readonly canEnd: boolean;
  readonly processes: number;
  readonly shapes: number;
  readonly deaths: number;
  readonly recording: RecordingView;
}

/**
 * The ring of what was recorded. Recording begins with the first look at messages, transitions or events, and ends some time
 * after the last one; what happened at other times is not in it.
 */
export interface RecordingView {
  readonly isOn: boolean;
  /** Since when it has been on; null when it is off. */
  readonly sinceMs: number | null;
  /** The oldest and the newest record that the ring still has; null when it is empty. */
  readonly fromMs: number | null;
  readonly toMs: number | null;
  readonly records: number;
  readonly bytes: number;
}

// The tree.

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
  /** An estimate, of the process itself and what waits for it; without its tables. */
  readonly memoryBytes: number;
  readonly sinceMs: number;
  /** How many children it has. */
  readonly childCount: number;
}

// Processes.

/** `/api/processes?search=&kind=&state=&sort=&order=&limit=&after=`. */
export interface ProcessesView {
  readonly atMs: number;
  /** Of all that live. */
  readonly total: number;
  /** Those that match; `rows` has at most `limit` of them. */
  readonly matched: number;
  readonly rows: readonly ProcessRow[];
  /** For `after`; null behind the last page. */
  readonly next: string | null;
  /** All kinds that there are, for a choice. */
  readonly kinds: readonly string[];
}

/** `/api/process?pid=`; 404 `unknown_process` when there is no such process, then `death` may tell its end. */
export interface ProcessView extends ProcessRow {
  readonly atMs: number;
  /** From the root down to its supervisor. */
  readonly ancestors: readonly ProcessLink[];
  readonly names: readonly string[];
  readonly tags: readonly string[];
  /** xstate's: a text, or an object by region. For a chart. */
  readonly stateValue: unknown;
  /** JSON, shortened where it is long; null for a port. */
  readonly context: string | null;
  readonly links: readonly ProcessLink[];
  readonly monitors: readonly ProcessLink[];
  readonly monitoredBy: readonly ProcessLink[];
  /** At most 100. */
  readonly timers: readonly { readonly name: string; readonly leftForMs: number; readonly content: string }[];
  readonly tables: readonly string[];
  /** Of a supervisor. */
  readonly supervision: SupervisionView | null;
  /** Of a Consumer or a Materializer. */
  readonly shape: string | null;
  /** Newest first, at most 50; recorded while somebody looks. */
  readonly transitions: readonly TransitionView[];
  /** The last that reached it, newest first, at most 20; recorded while somebody looks. */
  readonly events: readonly MessageView[];
  readonly recording: RecordingView;
}

/** Another process; `kind` and `state` are null when it has ended. Links and monitors are shown up to 100. */
export interface ProcessLink {
  /** A pid, or the name by which it is known. */
  readonly address: string;
  readonly pid: string | null;
  readonly kind: string | null;
  readonly state: string | null;
}

export interface SupervisionView {
  /** `one_for_one`, `one_for_all`, `rest_for_one`; `dynamic` of children that come and go. */
  readonly strategy: string;
  readonly intensity: IntensityView;
}

export interface IntensityView {
  readonly maxRestarts: number;
  readonly maxSeconds: number;
  /** Restarts that count at present; one more than `maxRestarts` and it gives up. */
  readonly used: number;
  readonly left: number;
}

export interface TransitionView {
  /** In the order of the recording. */
  readonly n: number;
  readonly atMs: number;
  readonly pid: string;
  readonly event: string;
  /** Null for the first state, or when the state before was not recorded. */
  readonly from: string | null;
  readonly to: string;
}

export interface MessageView {
  readonly n: number;
  readonly atMs: number;
  readonly from: string;
  readonly to: string;
  readonly type: string;
  /** Its fields as JSON, shortened where it is long. */
  readonly text: string;
}

// Populations.

/** `/api/populations`: all processes, by kind; most numerous first. */
export interface PopulationsView {
  readonly atMs: number;
  readonly populations: readonly Population[];
}

/** `/api/population?kind=`; 404 `unknown_kind`. */
export interface PopulationView extends Population {
  readonly atMs: number;
  /** xstate's state value for each text in `byState` of which at least one process is; for a chart. */
  readonly stateValues: Readonly<Record<string, unknown>>;
  /** Transitions over the last `overForMs` by edge, most frequent first, at most 200. */
  readonly edges: readonly EdgeView[];
  readonly overForMs: number;
  readonly recording: RecordingView;
}

export interface EdgeView {
  readonly event: string;
  readonly from: string | null;
  readonly to: string;
  readonly count: number;
  readonly perSecond: number;
}

// Deaths.

/** `/api/deaths?limit=&after=`: newest first. */
export interface DeathsView {
  readonly atMs: number;
  /** Since the service started; the cards are the newest of those that were faults, and of all others the newest ones. */
  readonly faults: number;
  readonly ends: number;
  readonly deaths: readonly DeathView[];
  readonly next: string | null;
}

export interface DeathView {
  readonly n: number;
  readonly atMs: number;
  readonly pid: string;
  readonly id: string;
  readonly kind: string;
  readonly machine: string | null;
  readonly name: string | null;
  readonly label: string | null;
  readonly reason: ReasonView;
  /** It ended otherwise than by finishing, or by being asked to. */
  readonly isFault: boolean;
  /** In which state it was; null for one that never began. */
  readonly stateBefore: string | null;
  readonly stateValue: unknown;
  /** What it was handling; null when it ended by a signal from outside (a kill, the end of its supervisor), or for a port. */
  readonly lastEvent: string | null;
  readonly context: string | null;
  readonly livedForMs: number;
  readonly handled: number;
  readonly restarts: number;
  /** Null for a root. */
  readonly supervisor: ProcessLink | null;
  readonly decision: DecisionView;
  /** Newest first, at most 20. */
  readonly lastEvents: readonly MessageView[];
  /** False: nobody looked at the time, so that only `lastEvent` is known. */
  readonly areEventsRecorded: boolean;
}

export interface ReasonView {
  /** `normal`, `shutdown`, `killed`, or in words. */
  readonly text: string;
  readonly error: { readonly name: string; readonly message: string; readonly stack: string | null } | null;
}

export interface DecisionView {
  /**
   * `restarted`: `restartedAs` is the next process. `left`: it is not started again, or was told to end. `gaveUp`: one restart too
   * many, the supervisor ended too. `pending`: a restart is under way, or was tried and failed, and will be tried
   * again. `none`: nobody supervises it, or its supervisor is ending.
   */
  readonly type: 'restarted' | 'left' | 'gaveUp' | 'pending' | 'none';
  readonly restartedAs: string | null;
  readonly text: string;
  /** What is left of the supervisor's intensity behind this; null when that was not asked. */
  readonly intensity: IntensityView | null;
}

// Messages.

/** `/api/messages?process=&from=&to=&xid=&lsn=&limit=`. */
export interface MessagesView {
  readonly atMs: number;
  /** The window that is shown. */
  readonly fromMs: number;
  readonly toMs: number;
  /**
   * One per process that sends or gets something in the window, in the order of their first message. The pid `outside` is all
   * that is no process.
   */
  readonly lanes: readonly LaneView[];
  /** In causal order: a message comes behind everything that its sender had got before it sent it. */
  readonly steps: readonly SequenceStep[];
  /** Steps of the window that were left out, because they are more than `limit`. The oldest are. */
  readonly left: number;
  /** Of the transaction that was asked for. */
  readonly transaction: TransactionView | null;
  readonly recording: RecordingView;
}

export interface LaneView {
  readonly pid: string;
  readonly kind: string | null;
  readonly name: string | null;
  /** Null when it has ended. */
  readonly state: string | null;
}

export type SequenceStep = MessageStep | TransitionStep | LifeStep;

export interface MessageStep extends MessageView {
  readonly step: 'message';
  /** When it was handled, and behind which step (`n`) of the recording; null while it waits, or when nobody did. */
  readonly deliveredAtMs: number | null;
  readonly deliveredN: number | null;
  readonly isDropped: boolean;
  /** It speaks of the transaction that was asked for. */
  readonly isPinned: boolean;
}

export interface TransitionStep extends TransitionView {
  readonly step: 'transition';
}

export interface LifeStep {
  readonly step: 'spawn' | 'exit' | 'restart' | 'hibernate' | 'wake';
  readonly n: number;
  readonly atMs: number;
  readonly pid: string;
  /** Its supervisor, or in words why it ended. */
  readonly text: string;
}

/** A transaction's way from Postgres to the clients. */
export interface TransactionView {
  readonly xid: string | null;
  readonly lsn: string | null;
  /** In the transaction log, in bytes. */
  readonly position: number | null;
  /** In the order in which it took them. A stage that it has not reached yet, or that was not recorded, is missing. */
  readonly stages: readonly TransactionStage[];
}

export interface TransactionStage {
  readonly stage: 'received' | 'durable' | 'routed' | 'taken' | 'published' | 'answered';
  readonly atMs: number;
  /** Of its shape, from `taken` on. */
  readonly handle: string | null;
  readonly text: string;
}

// Shapes.

/** `/api/shapes?search=&sort=&order=&limit=&after=`. */
export interface ShapesView {
  readonly atMs: number;
  readonly total: number;
  readonly matched: number;
  readonly rows: readonly ShapeRow[];
  readonly next: string | null;
  /** Up to here, in bytes of the transaction log, all shapes have come that do not lag. */
  readonly position: number;
  /** Before here nobody needs the transaction log any more. */
  readonly releasable: number;
  readonly durableEnd: number;
  /** The shape that is furthest behind and so holds our transaction log back, and not the slot. Null: nobody. */
  readonly pinnedBy: PinnedBy | null;
}

/** A shape, and its place in the transaction log. */
export interface PinnedBy {
  readonly handle: string;
  readonly position: number;
}

export interface ShapeRow {
  readonly handle: string;
  /** `schema.table`, quoted where Postgres would. */
  readonly table: string;
  /** As the client wrote it; null for every row. */
  /** Null: all rows. In a row and in a graph at most 500 characters, then `…`. */
  readonly where: string | null;
  /** Null: all. */
  readonly columns: readonly string[] | null;
  readonly offset: string;
  readonly snapshot: 'awaited' | 'writing' | 'complete';
  /** Of the Consumer: `live`; null while there is none. */
  readonly state: string | null;
  /** Made for other shapes only. */
  readonly isInner: boolean;
  /** Bytes of its log: the snapshot and what came behind. Null while that is not known. */
  readonly bytes: number | null;
  /** Requests that wait for it, event streams included. */
  readonly clients: number;
  /** Bytes of the transaction log behind which it stands; 0 when it goes along with the others. */
  readonly lagBytes: number;
  /** When the shape was made. */
  readonly sinceMs: number;
}

/** `/api/shape?handle=`; 404 `unknown_shape`. */
export interface ShapeView extends ShapeRow {
  readonly atMs: number;
  readonly replica: 'default' | 'full';
  readonly log: 'full' | 'changes_only';
  readonly params: readonly string[];
  readonly primaryKey: readonly string[];
  /** Rows that it holds; null: the log does not count them. */
  readonly rows: number | null;
  readonly snapshotBytes: number | null;
  /** Bytes of lines behind the snapshot. */
  readonly lineBytes: number | null;
  /** Its place in the transaction log. */
  readonly position: number;
  /** While it lags: it holds what Postgres had logged up to here. */
  readonly waitsAt: string | null;
  /** It holds our transaction log back: nothing behind `position` can be released. */
  readonly pinsLog: boolean;
  readonly consumer: ProcessLink | null;
  readonly materializers: readonly ProcessLink[];
  /** Of how many shapes that it depends on there are moves that it has yet to take. Null for one that depends on none. */
  readonly bufferedMoves: number | null;
  /** The shapes that it depends on, directly and through others, and those that depend on it: at most 200 nodes. */
  readonly graph: ShapeGraph;
  /** The last that changed it while somebody looked, newest first, at most 20. */
  readonly transactions: readonly ShapeTransaction[];
  readonly recording: RecordingView;
}

export interface ShapeGraph {
  readonly nodes: readonly Pick<ShapeRow, 'handle' | 'table' | 'where' | 'state'>[];
  /** `from` looks up values of `to`, in that column. */
  readonly edges: readonly { readonly from: string; readonly to: string; readonly column: string }[];
  /** Nodes that were left out. */
  readonly left: number;
}

export interface ShapeTransaction {
  readonly atMs: number;
  readonly lsn: string;
  /** Of its last line. */
  readonly offset: string;
}

// Numbers over time.

/** `/api/plots?minutes=`: one value per second, for the last minutes that were sampled. */
export interface PlotsView {
  readonly atMs: number;
  /** The seconds of the values, since 1970-01-01 UTC: in seconds, as uPlot takes them. */
  readonly seconds: readonly number[];
  /** Each as long as `seconds`; null where it was not sampled. */
  readonly series: readonly PlotSeries[];
}

export interface PlotSeries {
  readonly name:
    | 'transactions' // Per second, that came from Postgres.
    | 'published' // Per second, how often a shape showed its clients something new.
    | 'latencyP50' // Milliseconds from the receipt of a commit until the first shape shows it to clients.
    | 'latencyP99'
    | 'walRetained' // Bytes that the slot keeps.
    | 'mailboxMax' // Of the fullest mailbox.
    | 'mailboxSum'
    | 'parked' // Requests that wait.
    | 'heapBytes'
    | 'rssBytes';
  readonly unit: 'perSecond' | 'ms' | 'bytes' | 'count';
  readonly values: readonly (number | null)[];
}

// Postgres.

/** `/api/postgres`. What Postgres itself says is asked at most once a second, and null while it is away. */
export interface PostgresView {
  readonly atMs: number;
  /** Without a password. */
  readonly database: { readonly host: string; readonly port: number; readonly name: string; readonly user: string };
  /** Of the processes to Postgres, by their names. */
  readonly connections: readonly ProcessLink[];
  readonly slot: {
    readonly name: string;
    readonly isTemporary: boolean;
    /** What Postgres says of it; null while it cannot be asked. */
    readonly isActive: boolean | null;
    readonly restartLsn: string | null;
    readonly confirmedLsn: string | null;
    readonly walStatus: string | null;
    /** WAL that it keeps, and how much it may, in bytes. */
    readonly retainedBytes: number | null;
    readonly safeBytes: number | null;
  };
  /** Ours: the last commit taken from the stream, the last that is durable, what Postgres was told, what all shapes have. */
  readonly lsns: {
    readonly received: string | null;
    readonly durable: string | null;
    readonly acknowledged: string | null;
    readonly processed: string | null;
    /** Postgres's, when it was asked. */
    readonly current: string | null;
  };
  readonly publication: {
    readonly name: string;
    /** At most 500. Null while it cannot be asked. */
    readonly tables: readonly string[] | null;
    readonly tableCount: number | null;
  };
  readonly pools: readonly PoolView[];
  readonly lock: {
    /** `held`, or what it does for it. */
    readonly state: string;
    /** Who holds it, by Postgres; null while it cannot be asked, or when nobody does. */
    readonly holder: LockHolder | null;
  };
  /** The shape that is furthest behind: it holds our transaction log back, and not the slot. Null: nobody. */
  readonly pinnedBy: PinnedBy | null;
  readonly serverVersion: string | null;
  /** Why Postgres could not be asked. */
  readonly error: string | null;
}

export interface PoolView {
  readonly name: string;
  readonly max: number;
  readonly isUp: boolean;
  readonly open: number;
  readonly idle: number;
  /** Who waits for a connection. */
  readonly waiting: number;
}

export interface LockHolder {
  readonly backendPid: number;
  readonly applicationName: string;
  readonly clientAddress: string | null;
  readonly sinceMs: number | null;
  readonly isOurs: boolean;
}

// Scenarios.

/** `/api/scenario?from=&to=&process=`: the window as a file (it comes with `content-disposition: attachment`). */
export interface ScenarioView {
  readonly format: 'armature.window/1';
  readonly version: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** What of it can be replayed and what cannot, in words. */
  readonly notes: readonly string[];
  /** Who takes part: `role` is the name that `turns` have for it. */
  readonly roles: readonly { readonly role: string; readonly pid: string; readonly kind: string | null }[];
  /** As `test/scenarios` has them. */
  readonly turns: readonly ScenarioTurn[];
  /** The records themselves, in causal order. */
  readonly steps: readonly SequenceStep[];
}

export type ScenarioTurn =
  | { readonly deliver: string; readonly from: string; readonly to: string }
  | { readonly timeout: string; readonly role: string }
  | { readonly kill: string }
  | { readonly happen: string };

// Events.

/**
 * Each `data` of `/_observer/events?topic=` (server-sent events without a name): the topic as it was asked for, and its form. The
 * topics: `service`, `tree`, `populations`, `deaths`, `plots`, `process:PID`, `population:KIND`, `shape:HANDLE`.
 */
export type EventData =
  | { readonly topic: string; readonly view: ServiceView | TreeView | PopulationsView | DeathsView | PlotsView }
  | { readonly topic: string; readonly view: ProcessView | PopulationView | ShapeView }
  /** What the topic is about is not there, or not there any more. */
  | { readonly topic: string; readonly error: ErrorView };

/** `POST /_observer/api/end?pid=`, in the demo alone. */
export interface EndView {
  readonly pid: string;
  readonly ended: true;
}
