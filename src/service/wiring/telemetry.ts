/** The wiring of telemetry: who watches the service, by what it was told and by what the program has set up. */
import type { RequestFollower, RequestWatch } from '../../http/request-watch.ts';
import type { Route } from '../../http/routes.ts';
import type { Clock } from '../../base/clock.ts';
import { QueryCounts } from '../../telemetry/metrics/query-counts.ts';
import { RequestCounts } from '../../telemetry/metrics/request-counts.ts';
import type { ServiceMetrics } from '../../telemetry/metrics/service-metrics.ts';
import { TransactionTimes } from '../../telemetry/metrics/transaction-times.ts';
import { RequestTraces } from '../../telemetry/traces/request-traces.ts';
import { traceSnapshot } from '../../telemetry/traces/snapshot-traces.ts';
import { tracerIfAny } from '../../telemetry/traces/tracer.ts';
import { TransactionTraces } from '../../telemetry/traces/transaction-traces.ts';
import type { TransactionWatch } from '../../telemetry/transaction-watch.ts';
import type { WatchedSnapshot, Watches } from './watches.ts';

/** A word of the wire for each route, as tools that read traces expect one. */
const ROUTE_PATHS: Readonly<Record<Route, string>> = {
  liveness: '/', health: '/v1/health', readShape: '/v1/shape', deleteShape: '/v1/shape', shapeOptions: '/v1/shape',
  readTransaction: '/v1/txid', explainShape: '/v1/shape/explain', toldOptions: 'other', unknown: 'other',
};

export const UNWATCHED: Watches = {
  transactions: undefined, requests: undefined, snapshot: undefined, subset: undefined, cutOff: undefined, turnedAway: undefined,
  requestFailed: undefined,
};

/** @param metrics undefined where nobody asked for any. */
export function watchesOf(metrics: ServiceMetrics | undefined, clock: Clock): Watches {
  const counting = metrics === undefined ? UNWATCHED : counts(metrics, clock);
  const tracing = traces(clock);
  return {
    ...counting,
    transactions: both(counting.transactions, tracing.transactions, bothTransactions),
    requests: both(counting.requests, tracing.requests, bothRequests),
    snapshot: both(counting.snapshot, tracing.snapshot, (one, other) => (handle) => bothSnapshots(one(handle), other(handle))),
  };
}

function counts({ made }: ServiceMetrics, clock: Clock): Watches {
  const queries = new QueryCounts(made, clock);
  return {
    transactions: new TransactionTimes(made, clock),
    requests: new RequestCounts(made, clock),
    snapshot: () => queries.snapshot(),
    subset: () => queries.subset(),
    cutOff: (clients) => made.cutOff.inc(clients),
    turnedAway: (connections) => made.turnedAway.inc(connections),
    requestFailed: () => made.requestErrors.inc(),
  };
}

function traces(clock: Clock): Watches {
  const tracer = tracerIfAny();
  if (tracer === undefined) return UNWATCHED;
  const transactions = new TransactionTraces(tracer, clock);
  const requests = new RequestTraces(tracer, (lsn) => transactions.contextOf(lsn));
  return {
    ...UNWATCHED,
    transactions,
    requests: { begun: (request) => requests.begun({ ...request, route: ROUTE_PATHS[request.route] }) },
    snapshot: (handle) => traceSnapshot(tracer, handle) ?? NOBODY,
  };
}

const NOBODY: WatchedSnapshot = { running() {}, read() {}, ended() {} };

function both<Watch>(one: Watch | undefined, other: Watch | undefined, join: (one: Watch, other: Watch) => Watch): Watch | undefined {
  return one === undefined || other === undefined ? (one ?? other) : join(one, other);
}

function bothTransactions(one: TransactionWatch, other: TransactionWatch): TransactionWatch {
  const watches = [one, other];
  return {
    committed: (transaction) => watches.forEach((watch) => watch.committed(transaction)),
    durable: (through) => watches.forEach((watch) => watch.durable(through)),
    routed: (through) => watches.forEach((watch) => watch.routed(through)),
    shown: (through) => watches.forEach((watch) => watch.shown(through)),
  };
}

function bothRequests(one: RequestWatch, other: RequestWatch): RequestWatch {
  return { begun: (request) => both(one.begun(request), other.begun(request), bothFollowers) };
}

function bothFollowers(one: RequestFollower, other: RequestFollower): RequestFollower {
  return {
    answered(status, headers) {
      one.answered(status, headers);
      other.answered(status, headers);
    },
    over() {
      one.over();
      other.over();
    },
  };
}

function bothSnapshots(one: WatchedSnapshot, other: WatchedSnapshot): WatchedSnapshot {
  return {
    running() {
      one.running();
      other.running();
    },
    read(bytes) {
      one.read(bytes);
      other.read(bytes);
    },
    ended(outcome) {
      one.ended(outcome);
      other.ended(outcome);
    },
  };
}
