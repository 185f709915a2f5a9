/** Armature as a library: the service in a process of one's own. */
export { ConfigurationError } from './settings/configuration-error.ts';
export {
  readConfiguration, type Command, type Configuration, type Environment, type Flags, type ReadConfiguration,
} from './settings/configuration.ts';
export type { LogLevel } from './settings/options.ts';
export { ShapeRequestError } from './api/shape-subscription.ts';
export type { ChangeMessage, ControlMessage, Row, ShapeMessage } from './api/shape-message.ts';
export type { Authorize, FetchHandler, FetchHandlerOptions, Grant, ParameterValue } from './http/web/handler-types.ts';
export { nodeListener, type NodeListener, type NodeRequest, type NodeResponse } from './http/web/node-listener.ts';
export { AddressRefusedError, PortTakenError } from './http/listen-errors.ts';
export type { WebRequest, WebResponse } from './http/web/web-types.ts';
export { InspectionPortTakenError, startService, startService as startStack } from './service/service.ts';
export type { Service, ServiceLoad, ServiceStanding } from './service/service.ts';
export type { FollowedShape, ShapeOptions } from './service/followed-shape.ts';
export type {
  EndedEvent, RestoringEvent, ServiceEventMap, ServiceListener, ShapeEvent, StatusEvent,
} from './service/event-types.ts';
export type { ServiceLogger, ServiceOptions, WriteLine } from './service/service-options.ts';
export type { LogLines, StartStep, StartWatch } from './service/start-watch.ts';
export { systemWorld, type World } from './service/world.ts';
export type { Random } from './base/random.ts';
export type { Disk, DiskFile, OpenMode } from './storage/disk/disk.ts';
export { DiskError, StorageDirectoryError, StorageVersionError, UnknownContentError } from './storage/errors.ts';
