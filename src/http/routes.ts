/** The routes: which path and verb mean what. A path is compared segment by segment, decoded, empty segments dropped. */
export type Route =
  | 'liveness' | 'readShape' | 'deleteShape' | 'shapeOptions' | 'health' | 'readTransaction' | 'explainShape' | 'toldOptions' | 'unknown';

/** The resource, whatever the verb: it decides which verbs a browser may use. */
export type Resource = 'root' | 'shape' | 'health' | 'transaction' | 'explain' | 'none';

export interface Target {
  readonly resource: Resource;
  readonly route: Route;
  /** What stands before the question mark, as it came. */
  readonly path: string;
  /** What follows the question mark. */
  readonly query: string;
  /** The last segment of a path that ends with a name of the client's. */
  readonly named: string;
}

const RESOURCES: ReadonlyMap<string, Resource> = new Map([
  ['', 'root'], ['v1/shape', 'shape'], ['v1/shape/explain', 'explain'], ['v1/health', 'health'],
]);

/** No route has more segments. A longer path is not decoded: each segment that is no valid encoding would cost 3 µs. */
const SEGMENTS_MAX = 3;

/** What stands before a name. */
const NAMED: ReadonlyMap<string, Resource> = new Map([['v1/txid', 'transaction']]);

const ROUTES: Readonly<Record<Resource, ReadonlyMap<string, Route>>> = {
  root: new Map([['GET', 'liveness'], ['HEAD', 'liveness']]),
  health: new Map([['GET', 'health'], ['HEAD', 'health']]),
  shape: new Map([
    ['GET', 'readShape'], ['HEAD', 'readShape'], ['POST', 'readShape'], ['DELETE', 'deleteShape'], ['OPTIONS', 'shapeOptions'],
  ]),
  transaction: new Map([['GET', 'readTransaction'], ['HEAD', 'readTransaction'], ['OPTIONS', 'toldOptions']]),
  explain: new Map([['GET', 'explainShape'], ['HEAD', 'explainShape'], ['OPTIONS', 'toldOptions']]),
  none: new Map(),
};

/** @param url a request's target: a path with its query, or an absolute URL as proxies send it. */
export function targetOf(method: string, url: string): Target {
  const { path, query } = partsOf(url);
  const { resource, named } = resourceOf(path);
  return { resource, named, route: routeOf(resource, method), path, query };
}

/** Of a request that is for a shape, whatever its path: whoever passed it on has chosen that. */
export function shapeTargetOf(method: string, url: string): Target {
  return { resource: 'shape', named: '', route: routeOf('shape', method), path: '/v1/shape', query: partsOf(url).query };
}

/** Of a target whose address nobody needs any more: the same for all of its kind. */
export function forgottenTarget({ resource, route }: Target): Target {
  return FORGOTTEN.get(route) ?? { resource, route, named: '', path: '', query: '' };
}

const FORGOTTEN: ReadonlyMap<Route, Target> = new Map([
  ['readShape', { resource: 'shape', route: 'readShape', named: '', path: '', query: '' }],
]);

function routeOf(resource: Resource, method: string): Route {
  return ROUTES[resource].get(method) ?? 'unknown';
}

function partsOf(url: string): { readonly path: string; readonly query: string } {
  const local = url.startsWith('/') ? url : url.replace(/^https?:\/\/[^/?]*/i, '');
  const cut = local.indexOf('?');
  return cut < 0 ? { path: local, query: '' } : { path: local.slice(0, cut), query: local.slice(cut + 1) };
}

function resourceOf(path: string): Pick<Target, 'resource' | 'named'> {
  const plain = path.startsWith('/') ? RESOURCES.get(path.slice(1)) : undefined;
  if (plain !== undefined) return { resource: plain, named: '' }; // Nothing of it is to be decoded or dropped.
  const segments = path.split('/').filter((segment) => segment !== '');
  if (segments.length > SEGMENTS_MAX) return NOWHERE;
  const names = segments.map(decoded);
  if (names.some((name) => name.includes('/'))) return NOWHERE;
  const whole = RESOURCES.get(names.join('/'));
  if (whole !== undefined) return { resource: whole, named: '' };
  return { resource: NAMED.get(names.slice(0, -1).join('/')) ?? 'none', named: names.at(-1) ?? '' };
}

const NOWHERE = { resource: 'none', named: '' } as const;

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch (error) {
    if (error instanceof URIError) return segment; // It is no valid encoding. As it stands it matches no route.
    throw error;
  }
}
