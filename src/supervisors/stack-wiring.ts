/**
 * StackWiring: what the service hands to the tree. The ports to the world and the tables of the processes, each made anew for
 * each incarnation; the tree itself says only who starts when, and what happens when somebody dies.
 */
import type { LogPosition } from '../model/log-position.ts';
import type { Handle } from '../model/shape.ts';
import type { Pid, PortSpec, Table } from '../otp/process.ts';
import type { ShapeLog } from '../storage/shapes/shape-logs.ts';

type Tables = Readonly<Record<string, Table>>;

export interface StackWiring {
  readonly ports: {
    readonly journal: () => PortSpec;
    readonly disk: () => PortSpec;
    readonly logWriter: () => PortSpec;
    readonly logReader: () => PortSpec;
    readonly shapeReader: () => PortSpec;
    readonly checkpoints: () => PortSpec;
    readonly splices: () => PortSpec;
    readonly lock: () => PortSpec;
    readonly replication: () => PortSpec;
    readonly pools: () => PortSpec;
    readonly publication: () => PortSpec;
    readonly snapshots: () => PortSpec;
    readonly moveQueries: () => PortSpec;
    readonly subsetQueries: () => PortSpec;
    readonly slot: () => PortSpec;
    readonly http: () => PortSpec;
  };
  readonly tables: {
    readonly statusMonitor: () => Tables;
    readonly collector: (self: Pid) => Tables;
    readonly catchUpCollector: (self: Pid) => Tables;
    readonly publicationManager: () => Tables;
    readonly shapeCache: () => Tables;
    readonly consumer: (handle: Handle, self: Pid) => Tables;
    readonly materializer: (handle: Handle, column: string, self: Pid) => Tables;
  };
  /** @throws when nobody created it. */
  readonly shapeLog: (handle: Handle) => ShapeLog;
  /** Up to where the stored shapes have taken the transaction log: read when the collector starts. */
  readonly takenThrough: () => LogPosition;
  readonly checkpointEveryMs: number;
  /** From so many bytes of WAL on that the slot keeps, it is told. */
  readonly retainedWalBytesMax: number;
  /** How often the publication is held against what the shapes need. */
  readonly publicationCheckEveryMs: number;
  /** A Consumer or a Materializer that has got no message for so long hibernates: its tables and names stay. */
  readonly shapeHibernateAfterMs: number;
  /** A shape that nothing has touched for so long has no Consumer until something does; 0 where each has one. */
  readonly shapeDormantAfterMs: number;
  /** How often the limits and the logs are looked after, and the tables of who does that; left out where there are none. */
  readonly expiry?: { readonly checkEveryMs: number; readonly tables: () => Tables };
  /** Makes room for another instance that reaches the database when this one has lost it: left out where no other has the storage. */
  readonly succession?: {
    readonly lookEveryMs: number;
    readonly patienceMs: number;
    readonly port: () => PortSpec;
  };
  /** Closes the connections while nobody uses the database: left out where they stay open. */
  readonly idle?: {
    /** How often it is looked whether somebody does. */
    readonly lookEveryMs: number;
    readonly tables: () => Tables;
    readonly port: () => PortSpec;
  };
  /** How long open responses may go on when the service stops. */
  readonly drainTimeoutMs: number;
}
