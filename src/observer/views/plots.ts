/** Forms: numbers over time. docs/observer.md says what holds for all of them. */

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
    | 'lines' // Per second, that Consumers made for their shapes.
    | 'lineBytes' // Their bytes, per second.
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
